"""Play a dialogue against a transcript, without a socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from smtps.client import SMTPS
from smtps.errors import ConnectionLost, SMTPSError
from smtps.ops import (
    Call,
    Close,
    Connect,
    Connected,
    Dialogue,
    Emit,
    Poll,
    PrepareTLS,
    Read,
    StartTLS,
    TLSInfo,
    Write,
)
from smtps.session import Session

T = TypeVar("T")

GREETING = "S: 220 relay ESMTP"


class Player:
    """Answer operations from a transcript: "C:" lines are expected, "S:" lines are served.

    "C~ text" expects a line that begins so, for what is random.
    "S! text" is served as raw bytes, with backslash escapes; "X" closes; "TLS" is a handshake.
    Lines that follow each other arrive together, unless "--" stands between them.

    Args:
        split: serve the server's bytes one by one.
    """

    def __init__(self, transcript: str, *, split: bool = False) -> None:
        self._steps = [line.strip() for line in transcript.strip().splitlines() if line.strip()]
        self._split = split
        self._waiting = b""
        self._written = b""
        self.events: list[object] = []
        self.closed = False

    def play(self, dialogue: Dialogue[T]) -> T:
        try:
            op: Any = next(dialogue)
            while True:
                try:
                    result = self._perform(op)
                except SMTPSError as error:
                    op = dialogue.throw(error)
                else:
                    op = dialogue.send(result)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def finish(self) -> None:
        assert not self._steps, f"not reached: {self._steps}"
        assert not self._written, f"not expected: {self._written!r}"

    def _perform(self, op: Any) -> Any:
        match op:
            case Connect():
                return Connected("client.example", "192.0.2.1", "192.0.2.2")
            case StartTLS():
                assert self._steps.pop(0) == "TLS"
                return TLSInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256, b"certificate")
            case PrepareTLS():
                return None
            case Write():
                if self._next() == "W!":
                    self._steps.pop(0)
                    raise ConnectionLost("the connection broke: Broken pipe")
                self._written += op.data
                self._check_written()
                return False
            case Read():
                return self._read()
            case Poll():
                return self._read() if self._next()[:2] == "P:" else None
            case Close():
                self.closed = True
                return None
            case Call():
                return op.function(*op.arguments)
            case Emit():
                self.events.append(op.event)
                return None
        raise AssertionError(op)

    def _next(self) -> str:
        return self._steps[0] if self._steps else ""

    def _check_written(self) -> None:
        while self._next()[:2] in ("C:", "C~") and self._written:
            if self._next()[1] == "~":
                line, _, self._written = self._written.partition(b"\r\n")
                assert line.startswith(self._next()[2:].strip().encode()), line
                self._steps.pop(0)
                continue
            wanted = self._next()[2:].strip().encode() + b"\r\n"
            assert self._written.startswith(wanted), (self._written, wanted)
            self._written = self._written[len(wanted) :]
            self._steps.pop(0)

    def _read(self) -> bytes:
        assert not self._written, f"not expected: {self._written!r}"
        if not self._waiting:
            self._waiting = b"".join(self._served())
        if self._split:
            first, self._waiting = self._waiting[:1], self._waiting[1:]
            return first
        data, self._waiting = self._waiting, b""
        return data

    def _served(self) -> Iterator[bytes]:
        assert self._next()[:2] in ("S:", "S!", "P:", "X"), f"the dialogue waits at {self._steps}"
        if self._next() == "X":
            self._steps.pop(0)
            return
        while self._next()[:2] in ("S:", "S!", "P:"):
            step = self._steps.pop(0)
            if step[1] == "!":
                yield step[2:].strip().encode().decode("unicode_escape").encode("latin-1")
            else:
                yield step[2:].strip().encode() + b"\r\n"
        if self._next() == "--":
            self._steps.pop(0)


def resting_session(offers: str = "", **options: Any) -> Session:
    """Give a session that has just said EHLO."""
    from smtps.dialogue.opening import open_session

    smtp = SMTPS(mail_server="relay.example", ssl_start_mode=3, **options)
    session = smtp._live
    lines = [
        "250-relay",
        *[f"250-{keyword}" for keyword in offers.split(",") if keyword],
        "250 HELP",
    ]
    ehlo = "\n".join(f"S: {line}" for line in lines)
    session.begin()
    hello = "LHLO" if session.is_lmtp else "EHLO"
    Player(f"{GREETING}\nC: {hello} client.example\n{ehlo}").play(open_session(session))
    return session
