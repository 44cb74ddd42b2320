"""Send the same messages by this library and by smtplib, and measure how fast each is."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate

from ..client import SMTPS
from ..drivers.tls import context_for
from ..enumerations import Protocol, SSLStartMode
from ..envelope import Envelope
from ..ops import PrepareTLS

__all__ = ["Load", "Run", "by_send", "by_send_many", "by_smtplib"]

_LINE = "Line %d of what is new today, and no more than that.\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """Messages as a newsletter has them: one text, and each reader's own address.

    Args:
        count: how many.
        size: about how many bytes each has.
        recipient: who gets all of them; empty: a reader of an example domain for each.
    """

    count: int
    size: int = 1100
    sender: str = "news@sender.example"
    recipient: str = ""

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Give each message's recipient and its content."""
        head = (
            f"From: The News <{self.sender}>\r\nTo: %b\r\nSubject: What is new today\r\n"
            f"Date: {formatdate()}\r\nMessage-ID: <load.%07d.{time.time_ns()}@sender.example>\r\n"
            "\r\nHello,\r\n\r\n"
        )
        lines = max(1, (self.size - len(head)) // len(_LINE))
        template = (head + "".join(_LINE % line for line in range(lines))).encode()
        for place in range(self.count):
            recipient = self.recipient or f"reader{place:07}@reader.example"
            yield recipient, template % (recipient.encode(), place)


@dataclass(slots=True)
class Run:
    """What came of sending a load once, over one connection that was made before."""

    accepted: int = 0
    refused: int = 0
    size: int = 0
    seconds: float = 0.0
    #: From handing each message over to its answer.
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Messages a second."""
        return (self.accepted + self.refused) / max(self.seconds, 1e-9)

    def note(self, begun: float, size: int, *, taken: bool) -> float:
        """Count a message, and give the time now."""
        now = time.perf_counter()
        self.latencies.append(now - begun)
        self.accepted += taken
        self.refused += not taken
        self.size += size
        return now


def by_send_many(smtp: SMTPS, load: Load, advance: Callable[[], None]) -> Run:
    """Send by `send_many`.

    Raises:
        SMTPSError: no session could be opened.
    """
    run = Run()
    begun: list[tuple[float, int]] = []

    def items() -> Iterator[tuple[Envelope, bytes]]:
        for recipient, content in load:
            begun.append((time.perf_counter(), len(content)))
            yield Envelope(load.sender, [recipient]), content

    with smtp:
        smtp.connect()
        start = time.perf_counter()
        for receipt in smtp.send_many(items()):
            run.note(*begun[receipt.index], taken=receipt.ok)
            advance()
        run.seconds = time.perf_counter() - start
    return run


def by_send(smtp: SMTPS, load: Load, advance: Callable[[], None]) -> Run:
    """Send by `send`, each message after the answer to the one before.

    Raises:
        SMTPSError: a message was refused, or the connection failed.
    """
    run = Run()
    with smtp:
        smtp.connect()
        start = last = time.perf_counter()
        for recipient, content in load:
            smtp.send((Envelope(load.sender, [recipient]), content))
            last = run.note(last, len(content), taken=True)
            advance()
        run.seconds = last - start
    return run


def by_smtplib(smtp: SMTPS, load: Load, advance: Callable[[], None]) -> Run:
    """Send by the standard library, as the options of `smtp` say, with the same verification.

    Raises:
        smtplib.SMTPException, OSError: a message was refused, or the connection failed.
    """
    run = Run()
    with _smtplib_client(smtp) as client:
        start = last = time.perf_counter()
        for recipient, content in load:
            client.sendmail(load.sender, [recipient], content)
            last = run.note(last, len(content), taken=True)
            advance()
        run.seconds = last - start
    return run


def _smtplib_client(smtp: SMTPS) -> smtplib.SMTP:
    host, port, mode = smtp.mail_server, smtp.mail_port, smtp.start_mode
    timeout = smtp.timeout or None
    if smtp.protocol is Protocol.LMTP:
        return smtplib.LMTP(host, port)
    if mode is SSLStartMode.NONE:
        client = smtplib.SMTP(host, port, timeout=timeout)  # type: ignore[arg-type]
    else:
        context = context_for(PrepareTLS(smtp, verify=True))
        if mode is SSLStartMode.IMPLICIT:
            client = smtplib.SMTP_SSL(host, port, timeout=timeout, context=context)  # type: ignore[arg-type]
        else:
            client = smtplib.SMTP(host, port, timeout=timeout)  # type: ignore[arg-type]
            client.starttls(context=context)
    if smtp.user:
        client.login(smtp.user, smtp.password)
    return client
