"""aiosmtplib: a task for each connection. asyncio sets TCP_NODELAY itself."""

from __future__ import annotations

import asyncio
import ssl

import aiosmtplib
from comparison.job import SENDER, Clock, Job, recipient


async def connect(job: Job) -> aiosmtplib.SMTP:
    context = ssl.create_default_context(cafile=job.ca_file) if job.tls else None
    client = aiosmtplib.SMTP(
        hostname=job.host, port=job.port, use_tls=job.tls, start_tls=False, tls_context=context
    )
    await client.connect()
    await client.ehlo()
    return client


async def send(client: aiosmtplib.SMTP, share: range, content: bytes) -> None:
    for number in share:
        await client.sendmail(SENDER, [recipient(number)], content)


async def main() -> None:
    job = Job.load()
    content = job.read_content()
    clients = [await connect(job) for _ in range(job.connections)]
    clock = Clock()
    await asyncio.gather(
        *(send(client, share, content) for client, share in zip(clients, job.shares(), strict=True))
    )
    clock.report(job)
    for client in clients:
        await client.quit()


asyncio.run(main())
