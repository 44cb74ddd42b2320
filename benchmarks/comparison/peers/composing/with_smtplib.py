"""smtplib with EmailMessage, and dkimpy where it signs."""

from __future__ import annotations

import smtplib
import socket
import ssl
from pathlib import Path

from comparison.emails import compose, signed
from comparison.job import Clock, Job
from comparison.orders import AUTHOR, Order, reader

job = Job.load()
order = Order.load(job)
key = Path(order.key).read_bytes() if order.key else b""
client: smtplib.SMTP
if job.tls:
    context = ssl.create_default_context(cafile=job.ca_file)
    client = smtplib.SMTP_SSL(job.host, job.port, context=context)
else:
    client = smtplib.SMTP(job.host, job.port)
assert client.sock is not None
client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.ehlo()
clock = Clock()
for number in range(job.messages):
    message = compose(order, number)
    if key:
        client.sendmail(AUTHOR[1], [reader(number)[1]], signed(message, order.algorithm, key))
    else:
        client.send_message(message)
clock.report(job)
client.quit()
