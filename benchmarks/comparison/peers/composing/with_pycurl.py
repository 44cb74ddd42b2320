"""libcurl with its own MIME parts. It writes no header in words of MIME: they are made here."""

from __future__ import annotations

from email.utils import formatdate
from pathlib import Path
from uuid import uuid4

import pycurl
from comparison.job import Clock, Job
from comparison.orders import AUTHOR, DOMAIN, Order, encoded_word, reader, subject

RUN = uuid4().hex


def prepare(job: Job) -> pycurl.Curl:
    handle = pycurl.Curl()
    scheme = "smtps" if job.tls else "smtp"
    handle.setopt(pycurl.URL, f"{scheme}://{job.host}:{job.port}/client.example")
    handle.setopt(pycurl.CAINFO, job.ca_file)
    handle.setopt(pycurl.MAIL_FROM, AUTHOR[1])
    handle.setopt(pycurl.TCP_NODELAY, 1)
    return handle


def send(handle: pycurl.Curl, order: Order, number: int) -> None:
    name, address = reader(number)
    text, html = order.filled(name)
    handle.setopt(pycurl.MAIL_RCPT, [address])
    handle.setopt(
        pycurl.HTTPHEADER,
        [
            f"From: {AUTHOR[0]} <{AUTHOR[1]}>",
            f"To: {encoded_word(name)} <{address}>",
            f"Subject: {encoded_word(subject(number))}",
            f"Date: {formatdate()}",
            f"Message-ID: <{RUN}.{number}@{DOMAIN}>",
        ],
    )
    with pycurl.CurlMime(handle) as message:
        if html:
            texts = pycurl.CurlMime(handle)
            add_text(texts, text, "text/plain; charset=utf-8")
            add_text(texts, html, "text/html; charset=utf-8")
            part = message.addpart()
            part.subparts(texts)
            part.type("multipart/alternative")
        else:
            add_text(message, text, "text/plain; charset=utf-8")
        if order.file:
            part = message.addpart()
            part.filedata(order.file)
            part.encoder("base64")
            part.filename(Path(order.file).name)
        handle.setopt(pycurl.MIMEPOST, message)
        handle.perform()


def add_text(parts: pycurl.CurlMime, text: str, content_type: str) -> None:
    part = parts.addpart()
    # It does not end lines by CRLF.
    part.data(text.replace("\n", "\r\n").encode())
    part.type(content_type)
    # The cheapest of its encodings, which the server announces to take.
    part.encoder("8bit")


job = Job.load()
order = Order.load(job)
handle = prepare(job)
send(handle, order, 0)
clock = Clock()
for number in range(job.messages):
    send(handle, order, number)
clock.report(job, sent=job.messages + 1)
handle.close()
