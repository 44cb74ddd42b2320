"""smtplib, or a module that takes its place: a thread for each connection."""

from __future__ import annotations

import smtplib

from comparison.job import SENDER, Clock, Job, recipient
from comparison.threads import connect_smtplib, send_shares


def send(client: smtplib.SMTP, share: range) -> None:
    for number in share:
        client.sendmail(SENDER, [recipient(number)], content)


job = Job.load()
content = job.read_content()
clients = [connect_smtplib(job, job.variant) for _ in range(job.connections)]
clock = Clock()
send_shares(job, clients, send)
clock.report(job)
for client in clients:
    client.quit()
