"""Many small messages, what became of them, and a server that has no room for all of a crowd."""

from __future__ import annotations

from typing import Any

from smtps import Envelope, Receipt
from smtps.testing import Fault, SinkMessage

__all__ = ["OFFERS", "arrived", "by_index", "full_after", "given", "items"]

#: What the sink offers, by the form that a message then takes.
OFFERS = {
    "BDAT": ["PIPELINING", "CHUNKING", "8BITMIME", "SIZE"],
    "DATA": ["PIPELINING", "8BITMIME", "SIZE"],
    "one by one": ["8BITMIME", "SIZE"],
}


def items(count: int, recipients: int = 1) -> list[Any]:
    return [
        (
            Envelope(f"s{n}@b.example", [f"r{n}.{m}@y.example" for m in range(recipients)]),
            b"Subject: %d\n\n.\n" % n,
        )
        for n in range(count)
    ]


def arrived(message: SinkMessage) -> tuple[str, tuple[str, ...], bytes]:
    return message.sender, message.recipients, message.content


def given(item: Any) -> tuple[str, tuple[str, ...], bytes]:
    return item[0].sender, item[0].addresses, item[1].replace(b"\n", b"\r\n")


def by_index(receipts: list[Receipt]) -> dict[int, str]:
    return {
        receipt.index: "+".join(sorted({result.outcome.name for result in receipt.results}))
        for receipt in receipts
    }


def full_after(count: int, reply: str = "452 4.5.3 Too many recipients") -> list[Fault]:
    """Refuse every recipient behind so many of one transaction."""
    taken = 0

    def begin(_: str) -> bool:
        nonlocal taken
        taken = 0
        return False

    def is_one_too_many(_: str) -> bool:
        nonlocal taken
        taken += 1
        return taken > count

    # The first never happens; it is asked where a transaction begins.
    return [
        Fault(on="MAIL", when=begin, reply="451 4.3.0 Never"),
        Fault(on="RCPT", when=is_one_too_many, reply=reply),
    ]
