// nodemailer, which composes and signs itself, over its pool.
'use strict';

const fs = require('fs');
const path = require('path');
const { job, open, run } = require('../nodemailer_pool.cjs');

const order = JSON.parse(fs.readFileSync(job.content, 'utf8'));
const signature = {
    domainName: 'sender.example',
    keySelector: 'mail',
    privateKey: order.key && fs.readFileSync(order.key, 'utf8'),
};
const pool = open(order.key ? { dkim: signature } : {});

run(pool, (number) => {
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
});
