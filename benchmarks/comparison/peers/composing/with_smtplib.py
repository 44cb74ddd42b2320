"""smtplib with EmailMessage, and dkimpy where it signs."""

from __future__ import annotations

from pathlib import Path

from comparison.emails import compose, finished, signed
from comparison.job import Clock, Job
from comparison.orders import AUTHOR, Order, reader
from comparison.threads import connect_smtplib

job = Job.load()
order = Order.load(job)
key = Path(order.key).read_bytes() if order.key else b""


def send() -> None:
    client = connect_smtplib(job)
    clock = Clock()
    for number in range(job.messages):
        message = compose(order, number)
        if key:
            client.sendmail(AUTHOR[1], [reader(number)[1]], signed(message, order.algorithm, key))
        else:
            client.send_message(message)
    clock.report(job)
    client.quit()


def only_compose() -> None:
    clock = Clock()
    for number in range(job.messages):
        finished(compose(order, number))
    clock.report(job, sent=0)


only_compose() if job.work == "composing" else send()
