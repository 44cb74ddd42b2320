"""A window whose server is the test, and what is said in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from smtps.envelope import Envelope
from smtps.errors import (
    ConnectionLost,
    NotOffered,
    ProtocolError,
)
from smtps.receipt import Receipt

__all__ = ["CONTENT", "LOST", "OK3", "Peer", "RSET", "failed", "outcomes", "unprepared"]

OK3 = b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n250 2.0.0 taken\r\n"

RSET = b"250 2.0.0 reset\r\n"

CONTENT = b"Subject: x\r\n\r\ny\r\n"

LOST = ConnectionLost("gone")


def unprepared(envelope: Envelope, size: int, eight_bit: bool) -> tuple[bytes, list[bytes]]:
    if envelope.requiretls:
        raise NotOffered("REQUIRETLS", "requiretls")
    mail = f"MAIL FROM:<{envelope.sender}> SIZE={size} X={eight_bit:d}\r\n".encode()
    return mail, [b"RCPT TO:<special>\r\n" for _ in envelope.addresses]


class Peer:
    """A window and what is written and answered by hand."""

    def __init__(self, codec: SimpleNamespace, form: str = "BDAT", **options: Any) -> None:
        self.window = codec.Window(form, unprepared, **options)

    def add(self, *names: str, most: int = 100, rcpts: int = 1) -> int:
        people = [f"r{number}@y.example" for number in range(rcpts)]
        items: list[object] = [(Envelope(f"{name}@b.example", people), CONTENT) for name in names]
        added: int = self.window.add(items, 0, self.window.answered + self.window.in_flight, most)
        return added

    def sent(self) -> bytes:
        data = bytes(self.window.outgoing())
        self.window.written()
        return data

    def hear(self, data: bytes) -> list[Receipt]:
        """Answer; and the last RSET and what makes sure, if nothing else is awaited then."""
        receipts = self.hear_only(data)
        if self.window.awaits == 1 and self.window.in_flight == 0 and not self.window.failure:
            receipts += self.hear_only(RSET)
        if self.window.awaits == 0:
            self.window.confirm()
            receipts += self.window.take()
        return receipts

    def hear_only(self, data: bytes) -> list[Receipt]:
        self.sent()
        self.window.feed(data)
        receipts: list[Receipt] = self.window.take()
        return receipts

    def lose(self, sent: int = 0, **options: Any) -> tuple[list[int], list[Receipt]]:
        again = self.window.abandon(sent, LOST, **options)
        return [letter.number for letter in again], self.window.take()


def outcomes(receipts: list[Receipt]) -> list[tuple[int, set[str]]]:
    return [
        (receipt.index, {result.outcome.name for result in receipt.results}) for receipt in receipts
    ]


def failed(peer: Peer) -> ProtocolError:
    failure = peer.window.failure
    assert isinstance(failure, ProtocolError)
    return failure
