// What both programs with nodemailer do: its pool is made, warmed up, and its time taken.
'use strict';

const fs = require('fs');
const net = require('net');
const nodemailer = require('nodemailer');

// Node leaves Nagle's algorithm on; every peer here has it off.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...rest) {
    this.setNoDelay(true);
    return connect.apply(this, rest);
};

const job = JSON.parse(process.argv[2]);

function open(more) {
    return nodemailer.createTransport({
        pool: true,
        host: job.host,
        port: job.port,
        secure: job.tls,
        ignoreTLS: !job.tls,
        maxConnections: job.connections,
        maxMessages: Infinity,
        tls: { ca: fs.readFileSync(job.ca_file) },
        ...more,
    });
}

// A message for each connection is on the way, and one waits.
async function sendAll(count, send) {
    let next = 0;
    async function worker() {
        while (next < count) {
            await send(next++);
        }
    }
    await Promise.all(Array.from({ length: 2 * job.connections }, worker));
}

async function measure(pool, send) {
    // The pool opens its connections with the first messages, and the engine compiles what is hot.
    const before = job.connections + Math.min(300, Math.floor(job.messages / 4));
    await sendAll(before, send);
    const cpu = process.cpuUsage();
    const start = process.hrtime.bigint();
    await sendAll(job.messages, send);
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

function run(pool, send) {
    measure(pool, send).catch((error) => {
        console.error(error);
        process.exit(1);
    });
}

module.exports = { job, open, run };
