"""aiosmtplib with EmailMessage. asyncio sets TCP_NODELAY itself."""

from __future__ import annotations

import asyncio
import ssl

import aiosmtplib
from comparison.emails import compose
from comparison.job import Clock, Job
from comparison.orders import Order


async def main() -> None:
    job = Job.load()
    order = Order.load(job)
    context = ssl.create_default_context(cafile=job.ca_file) if job.tls else None
    client = aiosmtplib.SMTP(
        hostname=job.host, port=job.port, use_tls=job.tls, start_tls=False, tls_context=context
    )
    await client.connect()
    await client.ehlo()
    clock = Clock()
    for number in range(job.messages):
        await client.send_message(compose(order, number))
    clock.report(job)
    await client.quit()


asyncio.run(main())
