"""This library: messages composed one after another, and not sent."""

from __future__ import annotations

from comparison.job import Clock, Job
from comparison.orders import AUTHOR, Order, reader, subject

from smtps import Message
from smtps.mime.transfer import SEVEN_BITS, Offer

job = Job.load()
order = Order.load(job)
author = f"{AUTHOR[0]} <{AUTHOR[1]}>"


def message(number: int) -> Message:
    name, address = reader(number)
    text, html = order.filled(name)
    return Message(
        from_=author, to=f"{name} <{address}>", subject=subject(number), text=text, html=html
    )


# As any server takes them, or as one with 8BITMIME does.
offer = {"7 bits": SEVEN_BITS, "8 bits": Offer(eight_bit=True)}[job.variant]
clock = Clock()
for number in range(job.messages):
    if len(message(number).rendering(offer).whole()) < len(order.text) + len(order.html):
        raise SystemExit("the message lacks some of its texts")
clock.report(job, sent=0)
