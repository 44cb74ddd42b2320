"""The rows and columns of the fault matrix, and the rule that tells which cells there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

__all__ = ["FAULTS", "WAYS", "Cell", "Fault", "Kind", "Place", "Way", "cells", "occurs"]


class Place(Enum):
    """Where in a session the fault strikes: a column of the matrix."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    HANDSHAKE = "handshake"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"
    FINAL = "final reply"
    BETWEEN = "between messages"
    QUIT = "QUIT"

    @property
    def is_opening(self) -> bool:
        """Whether no message has begun there, so that every way of sending fares alike."""
        return self in _OPENING


_OPENING = frozenset(list(Place)[:6])
#: Where a reply is due, so that another can come in its place.
_ANSWERED = frozenset(Place) - {Place.CONNECT, Place.HANDSHAKE, Place.CONTENT, Place.BETWEEN}
#: Where nothing is due: a reply there answers no command, or comes too early.
_UNASKED = frozenset({Place.CONTENT, Place.BETWEEN})
#: Where a session that is secured after STARTTLS has TLS.
_UNDER_TLS = frozenset(list(Place)[4:])


class Kind(Enum):
    """What a fault does, by which it can strike at some places only."""

    #: The connection ends or falls silent; that happens anywhere.
    END = "the connection ends or falls silent"
    #: The right reply comes, in another form.
    FORM = "the right reply in another form"
    #: Something else comes in place of the reply, or where none is due.
    REPLY = "something else than the reply"
    #: It is of TLS itself.
    TLS = "TLS ends"


@dataclass(frozen=True)
class Fault:
    """A row of the matrix."""

    name: str
    kind: Kind
    #: What a reader has to know.
    says: str
    #: The item of the list of faults that it belongs to.
    items: str
    #: What is sent in place of the reply; {right} stands for the right one, {wrong} for a code that
    #: is positive and does not belong there.
    reply: str = ""
    #: Whether the end of the time that was allowed is what ends it.
    is_silent: bool = False


@dataclass(frozen=True)
class Way:
    """How the client sends, which decides over the commands that are in flight together."""

    name: str
    says: str
    many: bool = False
    pipelining: bool = True
    chunking: bool = False
    lmtp: bool = False


E, F, R, T = Kind.END, Kind.FORM, Kind.REPLY, Kind.TLS
FAULTS = (
    Fault("drop", E, "the server closes", "N4 N15 N19 N21"),
    Fault("reset", E, "the server resets the connection", "N4 N15 N16"),
    Fault("half-close", E, "the server closes its side and reads on", "N15"),
    Fault("half a reply", F, "the server closes in the middle of the reply", "N15", "{half}"),
    Fault(
        "reply, then drop", F, "the right reply, and behind it the server closes",
        "N15 N28", "{right}",
    ),
    Fault("stall", E, "the server says nothing more", "N4 N12 N17 N20 N21 N27", is_silent=True),
    Fault("half-open", E, "nothing arrives at the server any more", "N24", is_silent=True),
    Fault("byte by byte", F, "each byte of the reply in a packet of its own", "N1", "{right}"),
    Fault(
        "drip", F, "a byte of the reply now and then, until `absolute_timeout` is over",
        "N5 N27", "{right}", is_silent=True,
    ),
    Fault("LF alone", F, "the reply ends in LF without CR", "N3", "{bare}"),
    Fault("8-bit text", F, "the text of the reply is not UTF-8", "N6", "{right}"),
    Fault("garbage", R, "a line that is no reply", "N6", "hello, this is not SMTP\r\n"),
    Fault("NUL", R, "a line with NUL in it", "N6", "2\x0050 yes\r\n"),
    Fault("code 999", R, "a code that no reply has", "N6", "999 what\r\n"),
    Fault("mixed codes", R, "two codes in one reply", "N7", "250-yes\r\n550 no\r\n"),
    Fault("421", R, "the server says that it closes", "N4 N13 N14", "421 4.3.2 bye\r\n"),
    Fault("4xx", R, "not now", "N14", "450 4.2.0 later\r\n"),
    Fault("5xx", R, "no", "N4 N14 N18 N22", "550 5.1.0 no\r\n"),
    Fault("wrong code", R, "a positive code that does not belong there", "N11", "{wrong}"),
    Fault(
        "extra reply", F, "the right reply, and glued to it another",
        "N2 N9 N10", "{right}250 more\r\n",
    ),
    Fault("endless line", R, "a line without an end", "N8", "2" * 65_536),
    Fault("endless reply", R, "a reply that never ends", "N8", "250-and\r\n" * 4096),
    Fault("TLS alert", T, "a fatal alert", "N22"),
    Fault("no close_notify", T, "the server closes without a farewell of TLS", "N23"),
    Fault(
        "reply, then TLS ends", T, "the right reply, and behind it the same", "N23", "{right}",
    ),
    Fault("cut TLS", T, "the same, in the middle of the reply", "N23", "{half}"),
)  # fmt: skip

WAYS = (
    Way("send", "one command at a time", pipelining=False),
    Way("send, pipelined", "MAIL, RCPT and DATA in one write"),
    Way("send_many", "one command at a time", many=True, pipelining=False),
    Way("send_many, pipelined", "whole messages in flight, with DATA", many=True),
    Way("send_many, BDAT", "whole messages in flight, with BDAT", many=True, chunking=True),
    Way("LMTP", "a final reply for each recipient", lmtp=True),
)
_FIRST = WAYS[0]


@dataclass(frozen=True)
class Cell:
    """One fault at one place of one way of sending."""

    fault: Fault
    place: Place
    way: Way

    @property
    def under_tls(self) -> bool:
        """Whether the session is secured: where the place or the fault is of TLS."""
        return self.fault.kind is T or self.place in (Place.STARTTLS, Place.HANDSHAKE, Place.AUTH)

    def __str__(self) -> str:
        return f"{self.fault.name} at {self.place.value} ({self.way.name})"


def occurs(fault: Fault, place: Place, way: Way) -> bool:
    """Tell whether there is such a cell.

    A reply is replaced where one is due, or comes where none is; its form is changed where one is
    due; TLS fails from the handshake on; anything ends anywhere. Before the first message every way
    of sending is the same, so that is looked at with the first one alone. BDAT has no DATA,
    and `send_many` has no rest between messages. Whoever talks without an end and does not read is
    as one that does not read, while content is under way.
    """
    if place.is_opening and way is not _FIRST:
        return False
    if (way.chunking and place is Place.DATA) or (way.many and place is Place.BETWEEN):
        return False
    if place is Place.CONTENT and fault.name.startswith("endless"):
        return False
    if fault.kind is E:
        return place is not Place.CONNECT or fault.name in ("reset", "half-open")
    if fault.kind is T:
        return place in _UNDER_TLS and ("{" not in fault.reply or place in _ANSWERED)
    return place in _ANSWERED or (fault.kind is R and place in _UNASKED)


def cells() -> Iterator[Cell]:
    """Give every cell, row by row."""
    for way in WAYS:
        for fault in FAULTS:
            for place in Place:
                if occurs(fault, place, way):
                    yield Cell(fault, place, way)
