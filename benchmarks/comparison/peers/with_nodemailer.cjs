// nodemailer: its pool, with a message for each connection on the way and one waiting.
'use strict';

const fs = require('fs');
const { job, open, run } = require('./nodemailer_pool.cjs');

const content = fs.readFileSync(job.content);
const pool = open({});

run(pool, (number) =>
    pool.sendMail({
        envelope: { from: 'sender@sender.example', to: [`reader${number}@reader.example`] },
        raw: content,
    })
);
