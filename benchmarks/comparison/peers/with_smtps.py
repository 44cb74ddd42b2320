"""This library: `send` in a loop, `send_many`, blocking and on asyncio, and its pools."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlencode

from comparison.job import SENDER, Clock, Job, recipient
from comparison.threads import send_shares

from smtps import SMTPS, AsyncSMTPS, Envelope, Receipt

job = Job.load()
content = job.read_content()
query = urlencode({"openssl_ca_file": job.ca_file} if job.tls else {"tls": "none"})
url = f"{'smtps' if job.tls else 'smtp'}://{job.host}:{job.port}?{query}"

Item = tuple[Envelope, bytes]


def items(numbers: range) -> Iterator[Item]:
    for number in numbers:
        yield Envelope(SENDER, [recipient(number)]), content


def check(receipt: Receipt) -> None:
    if not receipt.ok:
        raise SystemExit(f"not accepted: {receipt}")


def connect() -> SMTPS:
    client = SMTPS.from_url(url)
    client.connect()
    return client


def send_each(client: SMTPS, share: range) -> None:
    for item in items(share):
        check(client.send(item))


def send_many(client: SMTPS, share: range) -> None:
    for receipt in client.send_many(items(share)):
        check(receipt)


def over_connections(send: Callable[[SMTPS, range], None]) -> None:
    clients = [connect() for _ in range(job.connections)]
    clock = Clock()
    send_shares(job, clients, send)
    clock.report(job)
    for client in clients:
        client.disconnect()


async def send_each_async(client: AsyncSMTPS, share: range) -> None:
    for item in items(share):
        check(await client.send(item))


async def send_many_async(client: AsyncSMTPS, share: range) -> None:
    async for receipt in client.send_many(items(share)):
        check(receipt)


async def over_async(send: Callable[[AsyncSMTPS, range], Awaitable[None]]) -> None:
    clients = [AsyncSMTPS.from_url(url) for _ in range(job.connections)]
    for client in clients:
        await client.connect()
    clock = Clock()
    pairs = zip(clients, job.shares(), strict=True)
    await asyncio.gather(*(send(client, share) for client, share in pairs))
    clock.report(job)
    for client in clients:
        await client.disconnect()


def by_pool() -> None:
    from smtps import Pool

    with Pool(url, connections=job.connections) as pool:
        # The pool connects when it is first used; two for each open them all.
        before = 2 * job.connections
        for receipt in pool.send_many(items(range(before))):
            check(receipt)
        clock = Clock()
        for receipt in pool.send_many(items(range(job.messages))):
            check(receipt)
        clock.report(job, sent=job.messages + before)


async def by_async_pool() -> None:
    from smtps import AsyncPool

    async with AsyncPool(url, connections=job.connections) as pool:
        before = 2 * job.connections
        async for receipt in pool.send_many(items(range(before))):
            check(receipt)
        clock = Clock()
        async for receipt in pool.send_many(items(range(job.messages))):
            check(receipt)
        clock.report(job, sent=job.messages + before)


if job.variant == "send":
    over_connections(send_each)
elif job.variant == "send_many":
    over_connections(send_many)
elif job.variant == "async send":
    asyncio.run(over_async(send_each_async))
elif job.variant == "async send_many":
    asyncio.run(over_async(send_many_async))
elif job.variant == "pool":
    by_pool()
elif job.variant == "async pool":
    asyncio.run(by_async_pool())
else:
    raise SystemExit(f"unknown variant {job.variant!r}")
