"""Scripted faults: when a server misbehaves, and how."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

from ..errors import BadValue

__all__ = ["Fault", "Script"]

#: Places that are no commands of the client.
GREETING, HANDSHAKE, END = "greeting", "handshake", "."
_NO_COMMANDS = (GREETING, HANDSHAKE, END)
_ENDINGS = ("drop", "reset", "half_close", "stall")


@dataclass(frozen=True, kw_only=True, eq=False)
class Fault:
    r"""One thing that goes wrong, told as: when, and what instead of the right answer.

    ```python
    Fault(on="RCPT", nth=2, reply="550 5.1.1 no such user")
    Fault(on="RCPT", when="bob@", reply="450 4.2.1 later")
    Fault(on="DATA", drop=True)                     # no answer, the connection is closed
    Fault(on=".", reply="421 4.3.2 bye", drop=True) # the last words, then closed
    Fault(on=".", silent=True, drop=True)           # taken, but the client cannot know
    Fault(on=".", delay=1.0)                        # late, but right
    Fault(on="STARTTLS", inject=b"250 evil\r\n")    # behind the 220, in clear text
    Fault(received=5000, reset=True)                # gone in the middle of the content
    ```

    Exactly one of:
        on: a command ("RCPT", in any case), "*" for any command, "greeting" for the first words,
            "handshake" for TLS, or "." for the end of a message, by DATA or by BDAT LAST.
        received: how many bytes of the client were taken in, on one connection.
        sent: how many bytes went to the client, on one connection.

    Only those of these times:
        nth: this one, counted over all connections from 1, or each that is in a range or set;
            without it every one.
        connection: on this connection, from 1.
        when: those whose command line (at "." the content, as Latin-1) holds this text, or of
            which this function says yes.

    What happens in this order:
        until: wait for this event of the test.
        delay: wait so many seconds.
        reply: this instead of the right answer: text gets its CRLF, bytes go out as they are, and
            so do the pieces of an iterable, which may be endless. A command is carried out if
            the answer says so (2xx; 354 for DATA) and has no effect otherwise.
        silent: carry the command out, and give no answer at all.
        inject: these bytes behind the answer, in the same write.
        drip: the answer byte by byte, so many seconds apart.
        drop: close the connection, in TLS without a farewell. Here and with the next three there
            is no answer and no effect, unless `reply` or `silent` says otherwise.
        reset: tear it down, so that the client sees ECONNRESET.
        half_close: say no more, and read on.
        stall: neither read nor answer any more.
    """

    on: str | None = None
    received: int | None = None
    sent: int | None = None

    nth: int | Container[int] | None = None
    connection: int | None = None
    when: str | Callable[[str], bool] | None = None

    until: threading.Event | None = None
    delay: float = 0.0
    reply: str | bytes | Iterable[bytes] | None = None
    silent: bool = False
    inject: bytes = b""
    drip: float | None = None
    drop: bool = False
    reset: bool = False
    half_close: bool = False
    stall: bool = False

    def __post_init__(self) -> None:
        if [self.on, self.received, self.sent].count(None) != 2:
            raise ValueError("a fault has exactly one of on=, received= and sent=")
        if sum(getattr(self, ending) for ending in _ENDINGS) > 1:
            raise ValueError(f"a fault ends in one way only: {', '.join(_ENDINGS)}")
        if self.on is not None and self.on not in _NO_COMMANDS:
            # As the places are called in which it is looked for.
            object.__setattr__(self, "on", self.on.upper())

    def concerns(self, connection: int, text: str) -> bool:
        """Whether this is one of the times that `nth` counts."""
        if self.connection is not None and self.connection != connection:
            return False
        if isinstance(self.when, str):
            return self.when in text
        return self.when is None or self.when(text)

    def falls_on(self, occasion: int) -> bool:
        """Whether it happens this time, counted from 1."""
        if isinstance(self.nth, int):
            return occasion == self.nth
        return self.nth is None or occasion in self.nth

    def pieces(self) -> Iterable[bytes]:
        """The bytes of `reply`, which must be there."""
        if isinstance(self.reply, str):
            return (self.reply.encode() + b"\r\n",)
        if isinstance(self.reply, bytes):
            return (self.reply,)
        assert self.reply is not None
        return self.reply

    def lets_pass(self, place: str) -> bool:
        """Whether what the client asked for is carried out all the same."""
        if self.reply is not None:
            return place not in ("DATA", HANDSHAKE) and self.says("2")
        return self.silent or not self.ends

    @property
    def ends(self) -> bool:
        """Whether nothing follows."""
        return self.drop or self.reset or self.half_close or self.stall

    def says(self, *codes: str) -> bool:
        """Whether `reply` begins with one of these digits, and so lets the client go on."""
        if isinstance(self.reply, str):
            return self.reply.startswith(codes)
        return isinstance(self.reply, bytes) and self.reply.startswith(
            tuple(code.encode() for code in codes)
        )


class Script:
    """The faults of one sink, and how often each had its occasion. Safe to share by threads."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._by_place: dict[str, list[Fault]] = {}
        self._by_bytes: list[Fault] = []
        self._occasions: dict[Fault, int] = {}
        if isinstance(faults, Fault) or not isinstance(faults, Iterable):
            raise BadValue("faults", f"expected a list of Fault, not {type(faults).__name__}")
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Add a fault; it counts from now on."""
        if not isinstance(fault, Fault):
            raise BadValue("faults", f"expected a Fault, not {type(fault).__name__}")
        with self._lock:
            self._occasions[fault] = 0
            if fault.on is None:
                self._by_bytes.append(fault)
            else:
                self._by_place.setdefault(fault.on, []).append(fault)

    def at(self, place: str, connection: int, text: Callable[[], str]) -> Fault | None:
        """Give what goes wrong here and now, if anything does; the first fault that fits wins."""
        if not self._by_place:
            return None
        faults = self._by_place.get(place, [])
        if place not in (GREETING, HANDSHAKE, END):
            faults = [*faults, *self._by_place.get("*", [])]
        return self._first(faults, connection, text()) if faults else None

    def by_bytes(self, connection: int) -> tuple[Fault | None, Fault | None]:
        """Give the faults for the bytes received and sent on a connection that begins."""
        arriving = [fault for fault in self._by_bytes if fault.received is not None]
        leaving = [fault for fault in self._by_bytes if fault.sent is not None]
        return self._first(arriving, connection, ""), self._first(leaving, connection, "")

    def release(self) -> None:
        """Let nothing wait any longer for an event of the test."""
        for fault in self._occasions:
            if fault.until is not None:
                fault.until.set()

    def _first(self, faults: list[Fault], connection: int, text: str) -> Fault | None:
        found = None
        for fault in faults:
            if not fault.concerns(connection, text):
                continue
            with self._lock:
                self._occasions[fault] += 1
                occasion = self._occasions[fault]
            if found is None and fault.falls_on(occasion):
                found = fault
        return found
