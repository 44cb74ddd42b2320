'use strict';
// smtp-server with everything on, told by JSON in the first argument. What arrives goes to stdout,
// a line of JSON for each message.
const fs = require('fs');
const given = JSON.parse(process.argv[2]);
const { SMTPServer } = require(given.module);

const pem = fs.readFileSync(given.certificate);
const refusal = (responseCode, text) => Object.assign(new Error(text), { responseCode });
const described = (one) => ({ address: one.address, parameters: one.args || {} });

function authenticate(auth, session, callback) {
  let known = auth.password === given.password;
  if (auth.method === 'CRAM-MD5') {
    known = auth.validatePassword(given.password);
  } else if (auth.method === 'XOAUTH2') {
    known = auth.accessToken === given.token;
    if (!known) {
      return callback(null, { data: { status: '401', schemes: 'bearer', scope: 'mail' } });
    }
  }
  return known && auth.username === given.user
    ? callback(null, { user: auth.username })
    : callback(refusal(535, '5.7.8 Credentials refused'));
}

function checkRecipient(one, session, callback) {
  const replies = {
    [given.refused]: refusal(550, '5.1.1 No such user'),
    [given.deferred]: refusal(450, '4.2.1 Mailbox busy'),
  };
  callback(replies[one.address]);
}

function take(stream, session, callback) {
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('end', () => {
    if (stream.sizeExceeded) {
      return callback(refusal(552, '5.3.4 Too large'));
    }
    const { mailFrom, rcptTo } = session.envelope;
    const content = Buffer.concat(chunks).toString('base64');
    const message = { sender: described(mailFrom), recipients: rcptTo.map(described), content };
    process.stdout.write(JSON.stringify(message) + '\n');
    return callback();
  });
}

for (const [port, secure] of [[given.port, false], [given.implicit_port, true]]) {
  const server = new SMTPServer({
    name: 'smtp-server.example',
    secure,
    key: pem,
    cert: pem,
    size: given.size,
    authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'],
    authOptional: true,
    disableReverseLookup: true,
    hideREQUIRETLS: false,
    hideENHANCEDSTATUSCODES: false,
    hideDSN: false,
    onAuth: authenticate,
    onRcptTo: checkRecipient,
    onData: take,
  });
  // A client that leaves without a word is no reason to stop.
  server.on('error', (error) => process.stderr.write(`${error.stack}\n`));
  server.listen(port, '127.0.0.1');
}
