"""smtplib, or a module that takes its place: a thread for each connection."""

from __future__ import annotations

import socket
import ssl
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from comparison.job import SENDER, Clock, Job, recipient

if TYPE_CHECKING:
    import smtplib


def connect(job: Job) -> smtplib.SMTP:
    module = import_module(job.variant)
    client: smtplib.SMTP
    if job.tls:
        context = ssl.create_default_context(cafile=job.ca_file)
        client = module.SMTP_SSL(job.host, job.port, context=context)
    else:
        client = module.SMTP(job.host, job.port)
    assert client.sock is not None
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.ehlo()
    return client


def send(client: smtplib.SMTP, share: range, content: bytes) -> None:
    for number in share:
        client.sendmail(SENDER, [recipient(number)], content)


job = Job.load()
content = job.read_content()
clients = [connect(job) for _ in range(job.connections)]
threads = [
    Thread(target=send, args=(client, share, content))
    for client, share in zip(clients, job.shares(), strict=True)
]
clock = Clock()
if job.connections == 1:
    send(clients[0], range(job.messages), content)
else:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
clock.report(job)
for client in clients:
    client.quit()
