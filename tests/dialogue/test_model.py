"""`send_all` against a model of a server that refuses, closes, and loses replies at random.

The model keeps what servers keep: an open transaction with its sender and recipients, which only
RSET, a taken message or a new session ends. What it took is compared with what the receipts say.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtps.client import SMTPS
from smtps.dialogue import manners
from smtps.dialogue.many import send_all
from smtps.drivers.supply import IteratorSupply
from smtps.envelope import Envelope
from smtps.errors import ConnectionLost, SMTPSError
from smtps.ops import Call, Close, Connect, Connected, Give, Poll, Read, Respond, Sleep, Write
from smtps.receipt import Outcome, Receipt

OFFERS = {
    "BDAT": "PIPELINING CHUNKING",
    "DATA": "PIPELINING",
    "chunks one by one": "CHUNKING",
    "one by one": "",
}


class Server:
    """What each connection keeps, and what was taken over all of them."""

    def __init__(self, chance: random.Random, offers: str, trouble: float) -> None:
        self._chance = chance
        self._offers = offers.split()
        self._trouble = trouble
        self.taken: Counter[tuple[str, tuple[str, ...], bytes]] = Counter()
        self.open()

    def open(self) -> None:
        self._input = bytearray()
        self.output = bytearray(b"220 model\r\n")
        self.closed = self.reset = False
        self._sender: str | None = None
        self._people: list[str] = []
        self._in_data = False
        self._errors = 0

    def receive(self, data: bytes) -> None:
        self._input += data
        while not self.closed and self._one():
            pass

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share * self._trouble

    def _one(self) -> bool:
        if self._in_data:
            end = self._input.find(b"\r\n.\r\n")
            if end < 0:
                return False
            content = bytes(self._input[: end + 2])
            del self._input[: end + 5]
            self._in_data = False
            self._finish(content.replace(b"\r\n..", b"\r\n."))
            return True
        end = self._input.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._input[:end])
        if line.startswith(b"BDAT"):
            size = int(line.split()[1])
            if len(self._input) < end + 2 + size:
                return False
            content = bytes(self._input[end + 2 : end + 2 + size])
            del self._input[: end + 2 + size]
            self._finish(content)
            return True
        del self._input[: end + 2]
        self._command(line.decode())
        return True

    def _say(self, line: str) -> None:
        if line[0] == "5":
            self._errors += 1
        if self._errors > 12:
            line = "421 4.7.0 too many errors"
        elif line != "250 taken" and self._happens(0.01):
            line = "421 4.3.2 closing"
        self.output += line.encode() + b"\r\n"
        if line.startswith("421"):
            self.closed = True
        elif self._happens(0.005):
            # Without a word; and a reset takes replies along that nobody has read.
            self.closed = True
            self.reset = self._chance.random() < 0.5
            if self.reset:
                lines = bytes(self.output).splitlines(keepends=True)
                kept = self._chance.randint(0, len(lines))
                self.output = bytearray(b"".join(lines[:kept]))

    def _command(self, line: str) -> None:
        verb = line.split()[0].upper()
        if verb == "EHLO":
            words = ["model", *self._offers]
            text = "".join(f"250-{word}\r\n" for word in words[:-1]) + f"250 {words[-1]}\r\n"
            self.output += text.encode()
        elif verb == "RSET":
            self._sender, self._people = None, []
            self._say("250 reset")
        elif verb == "MAIL":
            if self._sender is not None:
                self._say("503 sender already given")
            elif self._happens(0.05):
                self._say("550 no sender")
            else:
                self._sender = line.partition("<")[2].partition(">")[0]
                self._say("250 sender")
        elif verb == "RCPT":
            if self._sender is None:
                self._say("503 no sender")
            elif self._happens(0.1):
                self._say("550 no such user")
            else:
                self._people.append(line.partition("<")[2].partition(">")[0])
                self._say("250 recipient")
        elif verb == "DATA":
            if not self._people:
                self._say("503 nobody")
            else:
                self.output += b"354 go\r\n"
                self._in_data = True
        elif verb == "QUIT":
            self.output += b"221 bye\r\n"
            self.closed = True
        else:
            raise AssertionError(line)

    def _finish(self, content: bytes) -> None:
        # Exim keeps a transaction of which every recipient was refused.
        if not self._people:
            self._say("503 nobody")
            return
        if self._happens(0.05) or self._errors > 12:
            self._say("554 spam")
        else:
            assert self._sender is not None
            self.taken[self._sender, tuple(self._people), content] += 1
            self._say("250 taken")
        self._sender, self._people = None, []


def write(op: Write, server: Server, chance: random.Random) -> ConnectionLost | None:
    """Write in pieces; gives the error if the server closed before all was read."""
    data = bytes(op.data)
    while op.sent < len(data) and not server.closed:
        step = chance.randint(1, 3000)
        server.receive(data[op.sent : op.sent + step])
        op.sent = min(len(data), op.sent + step)
    if op.sent == len(data):
        return None
    # What the system took may go further than what the server has read.
    op.sent = chance.randint(op.sent, len(data))
    return ConnectionLost("broken pipe")


def respond(
    op: Respond, data: bytes, server: Server, chance: random.Random
) -> ConnectionLost | None:
    answer = op.answer(data)
    error = None if answer is None else write(answer, server, chance)
    if answer is not None and error is None:
        op.written()
    return error


def drive(
    dialogue: Generator[Any, Any, None], server: Server, chance: random.Random
) -> list[Receipt]:
    """Carry a dialogue out against the model; reads and writes are cut anywhere."""
    receipts: list[Receipt] = []
    result: Any = None
    error: SMTPSError | None = None
    goes_on = False
    while True:
        try:
            if error is not None:
                op = dialogue.throw(error)
            elif not goes_on:
                op = dialogue.send(result)
        except StopIteration:
            return receipts
        result = error = None
        goes_on = False
        match op:
            case Connect():
                server.open()
                result = Connected("client.example", "192.0.2.1", "192.0.2.2", 0, 0)
            case Write():
                error = write(op, server, chance)
                result = bool(server.output)
            case Read() | Poll() | Respond():
                if server.output and (not isinstance(op, Poll) or chance.random() < 0.5):
                    cut = chance.randint(1, len(server.output))
                    result = bytes(server.output[:cut])
                    del server.output[:cut]
                    if isinstance(op, Respond):
                        error = respond(op, result, server, chance)
                        goes_on = error is None and op.goes_on
                        receipts += op.take() if goes_on else []
                elif server.closed and not server.output:
                    if server.reset:
                        error = ConnectionLost("reset")
                    else:
                        result = b""
                else:
                    assert isinstance(op, Poll), "the dialogue waits for what never comes"
            case Give():
                receipts += op.receipts
            case Call():
                result = op.function(*op.arguments)
            case Sleep() | Close():
                pass
            case _:
                raise AssertionError(op)


@pytest.mark.parametrize("form", OFFERS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), trouble=st.sampled_from([0.0, 0.3, 1.0, 3.0]))
def test_receipts_say_what_the_server_did(form: str, seed: int, trouble: float) -> None:
    manners.forget()
    chance = random.Random(seed)
    items = []
    for n in range(chance.randint(0, 120)):
        people = [f"r{n}.{m}@y.example" for m in range(chance.randint(1, 3))]
        content = b"Subject: %d\r\n" % n + b"x" * chance.randint(0, 2000) + b"\r\n.y\r\n"
        items.append((Envelope(f"s{n}@b.example", people), content))
    smtp = SMTPS(mail_server="relay.example", ssl_start_mode=3)
    session = smtp._live
    session.begin()
    server = Server(chance, OFFERS[form], trouble)
    work = smtp._work(IteratorSupply(items), chance.choice([None, 1, 2, 7]))
    receipts = drive(send_all(session, work, None), server, chance)

    assert sorted(receipt.index for receipt in receipts) == list(range(len(items)))
    by_index = {receipt.index: receipt for receipt in receipts}
    for n, (envelope, content) in enumerate(items):
        receipt = by_index[n]
        kept = tuple(
            result.address
            for result in receipt.results
            if result.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN)
        )
        copies = server.taken.pop((envelope.sender, kept, content), 0)
        if receipt.accepted:
            assert copies == 1, receipt
        elif receipt.unknown:
            assert copies <= 1, receipt
        else:
            assert copies == 0, receipt
        if trouble == 0.0:
            assert receipt.ok
    leftover = {sender for sender, _, _ in server.taken}
    # Of a message whose fate is unknown, some recipients may have been refused unheard.
    unknown = {receipt.sender for receipt in receipts if receipt.unknown}
    assert leftover <= unknown
    assert all(count == 1 for count in server.taken.values())
    for sender, taken_for, content in server.taken:
        envelope, given_content = items[int(sender[1:].partition("@")[0])]
        assert set(taken_for) <= set(envelope.addresses)
        assert content == given_content
