"""The fault matrix: what goes wrong, when, and what a program is told of it.

A cell is a fault in a phase, acted out by a sink over a real connection. Cells are left out by
rule (`can_occur`), never one by one.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any

from smtps import Envelope, Receipt, SMTPSError
from smtps.testing import ALL_EXTENSIONS, Fault, Sink
from tests.support.fronts import Front
from tests.support.network import SilentHost, refusing_port

__all__ = ["CALLS", "FAULTS", "PHASES", "Cell", "Told", "cells", "run_all"]

PHASES = (
    "connect",
    "greeting",
    "EHLO",
    "STARTTLS",
    "handshake",
    "AUTH",
    "MAIL",
    "RCPT",
    "DATA",
    "content",
    "BDAT",
    "final reply",
    "LMTP final reply",
    "between messages",
    "QUIT",
)
CALLS = ("send", "send_many")
#: How long a client waits where the other side says nothing, and how much longer a cell may take.
PATIENCE = 0.8
GRACE = 12.0

_PLACES = {"handshake": "handshake", "final reply": ".", "LMTP final reply": "."}
_PEOPLE = ("b@x.example", "c@x.example")
_CONTENT = b"Subject: x\r\n\r\n" + b"a line of the text\r\n" * 100_000
_ENDLESS = b"250-and so on\r\n" * 500


@dataclass(frozen=True)
class _Kind:
    """One thing that goes wrong, in the words of `Fault`."""

    does: dict[str, Any]
    #: Whether it is something said in place of a reply.
    is_said: bool = False
    #: Whether it says as well what was right to say.
    is_more: bool = False


FAULTS: dict[str, _Kind] = {
    "closed": _Kind({"drop": True}),
    "reset": _Kind({"reset": True}),
    "half closed": _Kind({"half_close": True}),
    "closed in TLS without close_notify": _Kind({"drop": True}),
    "closed in the middle of a line": _Kind({"reply": b"250 2.0", "drop": True}, is_said=True),
    "silence": _Kind({"stall": True}),
    "one byte at a time": _Kind({"drip": 0.0}, is_more=True),
    "garbage": _Kind({"reply": b"\x00\xff garbage\r\n"}, is_said=True),
    "a line without end": _Kind({"reply": b"250 " + b"x" * 300_000}, is_said=True),
    "a reply without end": _Kind({}, is_said=True),
    "two codes in one reply": _Kind({"reply": b"250-yes\r\n550 no\r\n"}, is_said=True),
    "421": _Kind({"reply": b"421 4.3.2 closing\r\n", "drop": True}, is_said=True),
    "4xx": _Kind({"reply": b"450 4.2.0 later\r\n"}, is_said=True),
    "5xx": _Kind({"reply": b"550 5.7.1 no\r\n"}, is_said=True),
    "wrong code": _Kind({"reply": b"299 what is this\r\n"}, is_said=True),
    "one reply more": _Kind({"inject": b"250 2.0.0 extra\r\n"}, is_said=True, is_more=True),
    "TLS alert": _Kind({"reply": b"\x15\x03\x03\x00\x02\x02\x28", "drop": True}),
}


@dataclass(frozen=True)
class Cell:
    """A fault in a phase, met by one call of one component."""

    fault: str
    phase: str
    call: str
    front: str


@dataclass(frozen=True)
class Told:
    """What the program was told."""

    #: The class of the error; empty if there was none.
    error: str
    retryable: bool | None
    session_usable: bool | None
    #: A letter for each recipient, and a word for each message; empty if there is no receipt.
    outcomes: str
    #: Whether the next call, over a new connection if need be, delivered.
    goes_on: bool
    seconds: float
    #: What the server took, by sender, with how many copies.
    copies: tuple[int, ...]


def can_occur(fault: str, phase: str) -> bool:
    """Tell whether there is such a cell.

    Before a connection is there, one can be refused or get no answer. What is said in place of a
    reply needs a command that is answered: there is none in the handshake. While content is sent,
    nothing is awaited; what is said all the same is heard sooner or later than what follows it,
    and has tests of its own. An alert that is not encrypted
    belongs to the handshake. Between messages nothing is asked, so there is no reply to be slow
    with or to cut off, and silence is right. What TLS does needs TLS, and is the same for all
    ways to hand content over.
    """
    kind = FAULTS[fault]
    if fault == "TLS alert":
        return phase == "handshake"
    match phase:
        case "BDAT":
            return fault not in ("TLS alert", "closed in TLS without close_notify")
        case "connect":
            return fault in ("closed", "silence")
        case "handshake":
            return not kind.is_said
        case "content":
            return not kind.is_said and fault not in ("half closed", "one byte at a time")
        case "between messages":
            return fault not in ("silence", "one byte at a time", "closed in the middle of a line")
    if fault == "closed in TLS without close_notify":
        return phase not in ("greeting", "EHLO", "STARTTLS", "LMTP final reply")
    return True


def cells() -> Iterator[Cell]:
    """Give every cell that can occur."""
    for fault, phase, call, front in itertools.product(FAULTS, PHASES, CALLS, ("sync", "async")):
        if can_occur(fault, phase) and call in _calls(phase):
            yield Cell(fault, phase, call, front)


def _calls(phase: str) -> tuple[str, ...]:
    # One after another is what send_many does with messages anyway, and it alone prefers BDAT.
    return {"between messages": ("send",), "BDAT": ("send_many",)}.get(phase, CALLS)


def run_all(chosen: list[Cell]) -> dict[Cell, Told]:
    """Act out cells, several at a time: most of them wait most of their time."""
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(chosen, pool.map(_run, chosen), strict=True))


def _item(number: int) -> tuple[Envelope, bytes]:
    return Envelope(f"s{number}@x.example", _PEOPLE), _CONTENT[:2000]


def _run(cell: Cell) -> Told:
    with ExitStack() as stack:
        front = stack.enter_context(Front(cell.front))
        if cell.phase == "connect":
            return _run_without_server(cell, front, stack)
        moment = _Moment(cell)
        sink = stack.enter_context(Sink(faults=[moment.fault], **_world(cell)))
        smtp = front.at(sink.url + _patience(cell))
        begun = monotonic()
        if cell.phase == "between messages":
            front.connect(smtp)
            front.send(smtp, _item(7))
            moment.come()
            front.pause(0.05)
        told = _call(cell, front, smtp)
        seconds = monotonic() - begun
        if cell.phase == "QUIT":
            front.disconnect(smtp)
        goes_on = front.send(smtp, _item(9)).ok
        senders = [message.sender for message in sink.messages]
        copies = tuple(senders.count(f"s{number}@x.example") for number in (1, 2))
        return Told(*told, goes_on, seconds, copies)


def _run_without_server(cell: Cell, front: Front, stack: ExitStack) -> Told:
    silent = cell.fault == "silence"
    port = stack.enter_context(SilentHost()).port if silent else refusing_port()
    smtp = front.at(f"smtp://127.0.0.1:{port}?tls=none&timeout={PATIENCE}")
    begun = monotonic()
    return Told(*_call(cell, front, smtp), True, monotonic() - begun, (0, 0))


def _world(cell: Cell) -> dict[str, Any]:
    if cell.phase in ("STARTTLS", "handshake", "AUTH"):
        return {"tls": "starttls", "users": {"user": "secret"}}
    if cell.phase == "LMTP final reply":
        return {"lmtp": True}
    offers = [line for line in ALL_EXTENSIONS if cell.phase == "BDAT" or line != "CHUNKING"]
    tls = "implicit" if cell.fault == "closed in TLS without close_notify" else None
    return {"tls": tls, "extensions": offers}


def _patience(cell: Cell) -> str:
    seconds = PATIENCE if cell.fault == "silence" else GRACE
    # What the system keeps for us counts as sent: with little of it, content is under way longer.
    small = "&out_buffer_size=65536" if cell.phase == "content" else ""
    return f"&timeout={seconds}&quit_timeout={seconds}{small}"


class _Moment:
    """The fault of a cell, and between messages the moment at which it comes."""

    def __init__(self, cell: Cell) -> None:
        self._now, self._done = threading.Event(), threading.Event()
        does = dict(FAULTS[cell.fault].does)
        if cell.fault == "reset":
            # It would overtake what the client is about to do.
            does["delay"] = 0.1
        if cell.fault == "a reply without end":
            does["reply"] = _endless()
        if cell.phase == "content":
            # What follows would be taken for the final reply.
            does = does if any(name in does for name in _ENDS) else {**does, "drop": True}
            self.fault = Fault(received=20_000, connection=1, **does)
        elif cell.phase == "between messages":
            said = does.pop("reply", None) or does.pop("inject", b"")
            self.fault = Fault(on=".", nth=1, reply=self._later(said), **does)
        else:
            place = _PLACES.get(cell.phase, cell.phase)
            self.fault = Fault(on=place, nth=1, **does)

    def _later(self, said: bytes | Iterator[bytes]) -> Iterator[bytes]:
        yield b"250 2.0.0 taken\r\n"
        self._now.wait()
        if isinstance(said, bytes):
            if said:
                yield said
            self._done.set()
            return
        for piece in said:
            yield piece
            self._done.set()

    def come(self) -> None:
        """Let it happen, and wait until it has."""
        self._now.set()
        self._done.wait()


_ENDS = ("drop", "reset", "half_close", "stall")


def _endless() -> Iterator[bytes]:
    return itertools.repeat(_ENDLESS)


def _call(cell: Cell, front: Front, smtp: Any) -> tuple[str, bool | None, bool | None, str]:
    item = (_item(1)[0], _CONTENT) if cell.phase == "content" else _item(1)
    if cell.call == "send_many":
        return _many(lambda: front.send_many(smtp, [item, _item(2)], window=1))
    return _one(lambda: front.send(smtp, item))


def _one(send: Callable[[], Receipt]) -> tuple[str, bool | None, bool | None, str]:
    try:
        receipt = send()
    except SMTPSError as error:
        said = _outcomes(error.receipt) if error.receipt else ""
        return type(error).__name__, error.retryable, error.session_usable, said
    found = receipt.error
    if found is None:
        return "", None, None, _outcomes(receipt)
    return type(found).__name__, found.retryable, found.session_usable, _outcomes(receipt)


def _many(send: Callable[[], list[Receipt]]) -> tuple[str, bool | None, bool | None, str]:
    try:
        receipts = send()
    except SMTPSError as error:
        return type(error).__name__, error.retryable, error.session_usable, ""
    receipts.sort(key=lambda receipt: receipt.index)
    said = "; ".join(_outcomes(receipt) for receipt in receipts)
    first = next((receipt.error for receipt in receipts if receipt.error is not None), None)
    if first is None:
        return "", None, None, said
    return type(first).__name__, first.retryable, first.session_usable, said


def _outcomes(receipt: Receipt) -> str:
    """Write the outcomes; one word if all recipients have the same."""
    words = [result.outcome.value for result in receipt.results]
    return words[0] if len(set(words)) == 1 else ", ".join(words)
