"""libcurl: a handle and a thread for each connection. libcurl sets TCP_NODELAY itself."""

from __future__ import annotations

from io import BytesIO

import pycurl
from comparison.job import SENDER, Clock, Job, recipient
from comparison.threads import send_shares


def prepare(job: Job) -> pycurl.Curl:
    handle = pycurl.Curl()
    scheme = "smtps" if job.tls else "smtp"
    handle.setopt(pycurl.URL, f"{scheme}://{job.host}:{job.port}/client.example")
    handle.setopt(pycurl.CAINFO, job.ca_file)
    handle.setopt(pycurl.MAIL_FROM, SENDER)
    handle.setopt(pycurl.UPLOAD, 1)
    handle.setopt(pycurl.TCP_NODELAY, 1)
    return handle


def send(handle: pycurl.Curl, share: range) -> None:
    for number in share:
        handle.setopt(pycurl.MAIL_RCPT, [recipient(number)])
        handle.setopt(pycurl.READFUNCTION, BytesIO(content).read)
        handle.setopt(pycurl.INFILESIZE, len(content))
        handle.perform()


job = Job.load()
content = job.read_content()
handles = [prepare(job) for _ in range(job.connections)]
for handle in handles:
    send(handle, range(1))
clock = Clock()
send_shares(job, handles, send)
clock.report(job, sent=job.messages + job.connections)
for handle in handles:
    handle.close()
