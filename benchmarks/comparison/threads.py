"""What clients that block have alike: how smtplib connects, and a thread for each connection."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from importlib import import_module
from threading import Thread
from typing import TypeVar

from .job import Job

__all__ = ["connect_smtplib", "send_shares"]

T = TypeVar("T")


def connect_smtplib(job: Job, module: str = "smtplib") -> smtplib.SMTP:
    """Connect by smtplib, or by a module that takes its place."""
    found = import_module(module)
    client: smtplib.SMTP
    if job.tls:
        context = ssl.create_default_context(cafile=job.ca_file)
        client = found.SMTP_SSL(job.host, job.port, context=context)
    else:
        client = found.SMTP(job.host, job.port)
    assert client.sock is not None
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.ehlo()
    return client


def send_shares(job: Job, clients: list[T], send: Callable[[T, range], None]) -> None:
    """Let each client send its share; several do so at once, each in a thread of its own."""
    if len(clients) == 1:
        send(clients[0], range(job.messages))
        return
    pairs = zip(clients, job.shares(), strict=True)
    threads = [Thread(target=send, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
