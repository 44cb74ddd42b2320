// nodemailer, which composes and signs itself: one connection of its pool, one message waiting.
'use strict';

const fs = require('fs');
const net = require('net');
const path = require('path');
const nodemailer = require('nodemailer');

// Node leaves Nagle's algorithm on; every peer here has it off.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...rest) {
    this.setNoDelay(true);
    return connect.apply(this, rest);
};

const job = JSON.parse(process.argv[2]);
const order = JSON.parse(fs.readFileSync(job.content, 'utf8'));
const signature = {
    domainName: 'sender.example',
    keySelector: 'mail',
    privateKey: order.key && fs.readFileSync(order.key, 'utf8'),
};
const pool = nodemailer.createTransport({
    pool: true,
    host: job.host,
    port: job.port,
    secure: job.tls,
    ignoreTLS: !job.tls,
    maxConnections: 1,
    maxMessages: Infinity,
    tls: { ca: fs.readFileSync(job.ca_file) },
    ...(order.key ? { dkim: signature } : {}),
});

function send(number) {
    const name = `Jörg Müller ${number}`;
    return pool.sendMail({
        from: { name: 'Die Neuigkeiten', address: 'sender@sender.example' },
        to: { name, address: `reader${number}@reader.example` },
        subject: `Grüße, und was es Neues gibt: Ausgabe ${number}`,
        text: order.text.replace('{{ name }}', name),
        ...(order.html ? { html: order.html.replace('{{ name }}', name) } : {}),
        ...(order.file
            ? { attachments: [{ filename: path.basename(order.file), path: order.file }] }
            : {}),
    });
}

async function sendAll(count) {
    let next = 0;
    async function worker() {
        while (next < count) {
            await send(next++);
        }
    }
    await Promise.all([worker(), worker()]);
}

async function main() {
    // The pool connects with the first message, and the engine compiles what is hot.
    const before = 1 + Math.min(300, Math.floor(job.messages / 4));
    await sendAll(before);
    const cpu = process.cpuUsage();
    const start = process.hrtime.bigint();
    await sendAll(job.messages);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const used = process.cpuUsage(cpu);
    pool.close();
    const status = fs.readFileSync('/proc/self/status', 'utf8');
    console.log(
        JSON.stringify({
            messages: job.messages,
            sent: job.messages + before,
            seconds,
            cpu: (used.user + used.system) / 1e6,
            peak: Number(/^VmHWM:\s*(\d+)/m.exec(status)[1]) / 1024,
        })
    );
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
