"""This library: a `Message` for each, or a `Mailing`, by `send` or `send_many`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlencode

from comparison.job import Clock, Job
from comparison.orders import AUTHOR, DOMAIN, SELECTOR, Order, reader, subject

from smtps import SMTPS, AsyncSMTPS, DkimSigner, Mailing, Message, Receipt

job = Job.load()
order = Order.load(job)
query = urlencode({"openssl_ca_file": job.ca_file} if job.tls else {"tls": "none"})
url = f"{'smtps' if job.tls else 'smtp'}://{job.host}:{job.port}?{query}"
author = f"{AUTHOR[0]} <{AUTHOR[1]}>"
signers = [DkimSigner(DOMAIN, SELECTOR, order.key)] if order.key else []


def composed(number: int) -> Message:
    name, address = reader(number)
    text, html = order.filled(name)
    message = Message(
        from_=author,
        to=f"{name} <{address}>",
        subject=subject(number),
        text=text,
        html=html or None,
    )
    if order.file:
        message.attach(order.file)
    if signers:
        message.sign(*signers)
    return message


def messages() -> Iterator[Message]:
    return map(composed, range(job.messages))


def mailing() -> Iterator[Message]:
    letter = Message(
        from_=author,
        to="{{ name }} <{{ mail }}>",
        subject="Grüße, und was es Neues gibt: Ausgabe {{ number }}",
        text=order.text,
        html=order.html,
    )
    return Mailing(letter).for_each(map(row, range(job.messages)))


def row(number: int) -> dict[str, str]:
    name, address = reader(number)
    return {"name": name, "mail": address, "number": str(number)}


def check(receipt: Receipt) -> None:
    if not receipt.ok:
        raise SystemExit(f"not accepted: {receipt}")


def blocking() -> None:
    with SMTPS.from_url(url) as client:
        client.connect()
        clock = Clock()
        if job.variant == "send":
            for message in messages():
                check(client.send(message))
        else:
            for receipt in client.send_many(mailing() if job.variant == "mailing" else messages()):
                check(receipt)
        clock.report(job)


async def on_asyncio() -> None:
    async with AsyncSMTPS.from_url(url) as client:
        await client.connect()
        clock = Clock()
        async for receipt in client.send_many(messages()):
            check(receipt)
        clock.report(job)


if job.variant == "async send_many":
    asyncio.run(on_asyncio())
else:
    blocking()
