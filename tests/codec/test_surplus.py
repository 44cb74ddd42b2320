"""One reply too many, at every place of a window: what is told of each recipient stays true.

A server that says 250 once more than it was asked cannot be told from one that does not before the
codes stop fitting. It can happen anywhere, and whatever the server decided over each message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from smtps.envelope import Envelope
from smtps.errors import ProtocolError
from smtps.receipt import Outcome, Receipt

CONTENT = b"Subject: x\r\n\r\ny\r\n"
EHLO = b"250-relay\r\n250 CHUNKING\r\n"


class Verdict(NamedTuple):
    """What the server says to MAIL, to each RCPT and to the content."""

    mail: bool
    rcpts: tuple[bool, ...]
    content: bool


def verdicts(recipients: int) -> list[Verdict]:
    everyone = (True,) * recipients
    found = [Verdict(False, everyone, True)]
    for rcpts in product((True, False), repeat=recipients):
        found += [Verdict(True, rcpts, content) for content in {any(rcpts), False}]
    return found


class Server:
    """Answers what is written, and at one place says 250 before it."""

    def __init__(self, wanted: tuple[Verdict, ...], place: int) -> None:
        self._wanted = iter(wanted)
        self._place = place
        self._buffer = b""
        self._open: Verdict | None = None
        self._asked = 0
        self._chosen: list[int] = []
        self._awaits_dot = False
        self.said = 0
        #: The replies that are on their way.
        self.replies: list[bytes] = []
        #: The recipients whom each message was taken for.
        self.taken: list[list[int]] = [[] for _ in wanted]
        self._count = -1

    def hear(self, data: bytes) -> None:
        self._buffer += data
        while self._buffer:
            line, _, self._buffer = self._buffer.partition(b"\r\n")
            if self._awaits_dot:
                if line == b".":
                    self._awaits_dot = False
                    self._decide()
            elif line.startswith(b"BDAT"):
                self._buffer = self._buffer[int(line.split()[1]) :]
                self._decide()
            else:
                self._answer(line[:4])

    def say(self, reply: bytes) -> None:
        if self.said == self._place:
            self.replies.append(b"250 more\r\n")
        self.said += 1
        self.replies.append(reply)

    def _answer(self, verb: bytes) -> None:
        if verb == b"RSET":
            self._open = None
            self.say(b"250 reset\r\n")
        elif verb == b"MAIL":
            verdict = next(self._wanted)
            self._count += 1
            self._asked, self._chosen = 0, []
            self._open = verdict if verdict.mail else None
            self.say(b"250 sender\r\n" if verdict.mail else b"550 no\r\n")
        elif verb == b"RCPT":
            takes = self._open is not None and self._open.rcpts[self._asked]
            if takes:
                self._chosen.append(self._asked)
            self._asked += 1
            self.say(b"250 recipient\r\n" if takes else b"550 no\r\n")
        else:
            self._awaits_dot = bool(self._open and self._chosen)
            self.say(b"354 go\r\n" if self._awaits_dot else b"503 nobody\r\n")

    def _decide(self) -> None:
        if self._open is None or not self._chosen:
            self.say(b"503 nobody\r\n")
        elif self._open.content:
            self.taken[self._count] = self._chosen
            self.say(b"250 taken\r\n")
        else:
            self.say(b"554 spam\r\n")
        self._open = None


def converse(
    codec: SimpleNamespace, form: str, wanted: tuple[Verdict, ...], place: int, *, split: bool
) -> tuple[Server, list[Receipt], list[int]]:
    """Send the messages, and give the receipts and the numbers of those that would go again."""
    window = codec.Window(form, None)
    server = Server(wanted, place)
    people = [f"r{number}@y.example" for number in range(len(wanted[0].rcpts))]
    items: list[object] = [(Envelope("a@b.example", people), CONTENT) for _ in wanted]
    receipts: list[Receipt] = []
    again: list[int] = []
    added = 0
    while window.failure is None:
        added += window.add(items, added, added, 100)
        if window.pending:
            server.hear(bytes(window.outgoing()))
            window.written()
        elif window.awaits:
            count = 1 if split else len(server.replies)
            data, server.replies[:count] = b"".join(server.replies[:count]), []
            window.feed(data)
            receipts += window.take()
        else:
            break
    error = window.failure
    if window.doubtful and error is None:
        server.replies.append(EHLO)
        if server.replies[0] == EHLO:
            window.confirm()
        else:
            error = ProtocolError("a reply came that nothing asked for")
    if error is not None:
        again = [letter.number for letter in window.abandon(0, error)]
    return server, receipts + window.take(), again


def wrong(server: Server, receipts: list[Receipt], again: list[int]) -> Iterator[str]:
    """Say what was told and is not so."""
    for receipt in receipts:
        for place, result in enumerate(receipt.results):
            is_taken = place in server.taken[receipt.index]
            if result.outcome is not Outcome.UNKNOWN and is_taken != (
                result.outcome is Outcome.ACCEPTED
            ):
                yield f"{result.outcome.value} of {receipt.index}, {place}"
    yield from (f"{number} goes again" for number in again if server.taken[number])
    ends = Counter([*again, *(receipt.index for receipt in receipts)])
    yield from (f"{number} ends {count} times" for number, count in ends.items() if count > 1)


@pytest.mark.parametrize(("recipients", "messages"), [(1, 3), (2, 2), (3, 1)])
@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("form", ["BDAT", "DATA"])
def test_one_reply_too_many_anywhere_makes_no_untrue_receipt(
    codec: SimpleNamespace, form: str, split: bool, recipients: int, messages: int
) -> None:
    for wanted in product(verdicts(recipients), repeat=messages):
        right, receipts, again = converse(codec, form, wanted, -1, split=split)
        assert (list(wrong(right, receipts, again)), again) == ([], [])
        assert len(receipts) == messages
        assert not any(receipt.unknown for receipt in receipts)
        for place in range(right.said):
            found = converse(codec, form, wanted, place, split=split)
            assert list(wrong(*found)) == [], (wanted, place)
