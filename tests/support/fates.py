"""Many messages to relays that exist in the test alone, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smtps.client import SMTPS
from smtps.dialogue.many import send_all
from smtps.drivers.supply import IteratorSupply
from smtps.envelope import Envelope
from smtps.errors import (
    ConnectionFailed,
    ConnectionLost,
)
from smtps.ops import Call, Close, Connect, Connected, Emit, Give, Poll, Read, Respond, Sleep, Write
from smtps.receipt import Outcome, Receipt

__all__ = ["Answer", "Relay", "USUAL", "closes_at_mail", "fates", "items", "send"]

#: What answers a command, by the number of the connection: a reply, b"" to close, or nothing.
Answer = Callable[[int, str], bytes | None]

USUAL = {"EHLO": b"250-relay\r\n250 HELP\r\n", "DATA": b"354 go\r\n", "QUIT": b"221 bye\r\n"}


class Relay:
    """Answers as usual, but where `answer` says something else; keeps what was said and done."""

    def __init__(self, answer: Answer = lambda *_: None, offers: str = "") -> None:
        self._answer = answer
        words = ["relay", *offers.split()]
        lines = [f"250-{word}\r\n" for word in words[:-1]] + [f"250 {words[-1]}\r\n"]
        self._hello = "".join(lines).encode()
        self.connections = 0
        self.said: list[list[str]] = []
        #: How many messages each write began.
        self.writes: list[int] = []
        self.slept: list[float] = []
        self.receipts: list[Receipt] = []
        self.told: list[object] = []
        self.closed = self._has_sender = self._has_people = False
        self._input, self._output, self._over, self._in_data = b"", b"", False, False

    def run(self, dialogue: Any) -> None:
        result: Any = None
        while True:
            try:
                failed = isinstance(result, Exception)
                op = dialogue.throw(result) if failed else dialogue.send(result)
            except StopIteration:
                return
            result = self._carry_out(op)

    def _carry_out(self, op: Any) -> Any:
        match op:
            case Connect():
                return self._connect()
            case Write():
                return self._write(op)
            case Read() | Poll():
                if not self._output and not self._over:
                    assert isinstance(op, Poll), "it waits for what never comes"
                    return None
                return self._take()
            case Respond():
                assert self._output or self._over, "it waits for what never comes"
                data = self._take()
                answer = op.answer(data) if data else None
                if answer is not None:
                    failed = self._write(answer)
                    if failed:
                        return failed
                    op.written()
                return data
            case Give():
                self.receipts += op.receipts
            case Call():
                return op.function(*op.arguments)
            case Sleep():
                self.slept.append(op.seconds)
            case Close():
                self.closed = True
            case Emit():
                self.told.append(op.event)
        return None

    def _connect(self) -> Any:
        self._input, self._output, self._over, self._in_data = b"", b"220 relay\r\n", False, False
        self.connections += 1
        self.said.append([])
        self.closed = False
        answer = self._answer(self.connections, "connect")
        if answer is not None:
            return ConnectionFailed("refused", code=10061)
        return Connected("client.example", "192.0.2.1", "192.0.2.2")

    def _take(self) -> bytes:
        output, self._output = self._output, b""
        return output

    def _write(self, op: Write) -> Any:
        if self._over:
            return ConnectionLost("the connection broke")
        data = bytes(op.data)
        op.sent = len(data)
        self.writes.append(data.count(b"MAIL FROM"))
        self._input += data
        while not self._over and self._one():
            pass
        return False

    def _one(self) -> bool:
        end = self._input.find(b"\r\n.\r\n" if self._in_data else b"\r\n")
        if end < 0:
            return False
        if self._in_data:
            self._input, line = self._input[end + 5 :], "."
            self._in_data = False
        else:
            line, self._input = self._input[:end].decode(), self._input[end + 2 :]
        if line.startswith("BDAT"):
            self._input = self._input[int(line.split()[1]) :]
        self.said[-1].append(line)
        verb = line.split()[0]
        reply = self._answer(self.connections, line)
        if reply is None and not self._has_people and verb in ("DATA", "BDAT"):
            reply = b"503 nobody\r\n"
        if reply is None and not self._has_sender and verb == "RCPT":
            reply = b"503 no sender\r\n"
        if reply is None:
            reply = self._hello if verb == "EHLO" else USUAL.get(verb, b"250 ok\r\n")
            self._in_data = verb == "DATA"
        if verb in ("MAIL", "RCPT", "RSET", "EHLO"):
            is_taken = reply.startswith(b"250")
            self._has_people = verb == "RCPT" and (self._has_people or is_taken)
            self._has_sender = verb == "RCPT" or (verb == "MAIL" and is_taken)
        self._output += reply
        self._over = not reply or reply.startswith(b"421") or verb == "QUIT"
        return True

    def senders(self, connection: int) -> str:
        """Of which messages a connection was told, in order."""
        return "".join(line[11] for line in self.said[connection - 1] if line[:4] == "MAIL")


def items(names: str) -> list[tuple[Envelope, bytes]]:
    return [(Envelope(f"{name}@b.example", ["r@y.example"]), b"Subject: x\r\n") for name in names]


def send(relay: Relay, source: Any, *, keep: bool = False, **options: Any) -> SMTPS:
    smtp = SMTPS(mail_server="relay.example", ssl_start_mode=3)
    for name, value in options.items():
        setattr(smtp._live, name, value)
    smtp._live.begin()
    supply = source if isinstance(source, IteratorSupply) else IteratorSupply(source)
    relay.run(send_all(smtp._live, smtp._work(supply, None), None, keep=keep))
    return smtp


def fates(relay: Relay) -> dict[int, Outcome]:
    return {receipt.index: receipt.results[0].outcome for receipt in relay.receipts}


def closes_at_mail(_: int, line: str) -> bytes | None:
    return b"" if line.startswith("MAIL") else None
