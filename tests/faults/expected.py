"""What each cell of the fault matrix is to bring, as rules of which a later one wins.

A text says the error, then what becomes of the recipients of the message that was struck: one word
where it is the same for both. `↻` is `retryable`, `✕` is a session that is not usable any more.
What `send_many` accepts in spite of a fault went out over another connection.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tests.faults.plan import FAULTS, WAYS, Cell, Place

__all__ = ["expected"]

# --- the words that rules are made of -------------------------------------------------------------

ENDS = (
    "drop, reset, half-close, half a reply, reply then drop, TLS alert, no close_notify,"
    " reply then TLS ends, cut TLS"
)
SILENCE = "stall, half-open, drip"
NONSENSE = (
    "garbage, NUL, code 999, mixed codes, wrong code, extra reply, endless line, endless reply"
)
FORMS = "byte by byte, LF alone, 8-bit text"
REFUSALS = "421, 4xx, 5xx"

OPENING = "connect, greeting, EHLO, STARTTLS, handshake, AUTH"
BEFORE = "MAIL, RCPT, DATA, content, between messages"
MANY = "send_many, send_many pipelined, send_many BDAT"
IN_FLIGHT = "send_many pipelined, send_many BDAT"
BDAT, LMTP = "send_many BDAT", "LMTP"
ANY = ""

UNKNOWN = "DeliveryUnknown ✕: unknown"
HALF_KNOWN = "DeliveryUnknown ✕: accepted + unknown"

#: Faults, places, ways of sending, and what they bring; nothing named stands for all.
RULES = (
    (ANY, ANY, ANY, "accepted"),
    # A connection that ends says so; what was not handed over was not sent.
    (ENDS, OPENING, ANY, "ConnectionLost ↻✕"),
    (ENDS, "handshake", ANY, "TLSError ↻✕"),
    (ENDS, BEFORE, ANY, "ConnectionLost ↻✕: not sent"),
    ("reset", "connect", ANY, "ConnectionFailed ↻✕"),
    # A connection can be reset before the client has looked at it.
    ("reset", "greeting", ANY, "ConnectionLost ↻✕ or ConnectionFailed ↻✕"),
    ("TLS alert", "handshake", ANY, "TLSError ✕"),
    # The next command finds that the server is gone.
    ("reply then drop", "STARTTLS", ANY, "TLSError ↻✕"),
    ("reply then drop, reply then TLS ends", "EHLO, AUTH", ANY, "ConnectionLost ↻✕: not sent"),
    # So does silence, after the time that was allowed.
    (SILENCE, OPENING, ANY, "TimedOut ↻✕"),
    (SILENCE, BEFORE, ANY, "TimedOut ↻✕: not sent"),
    # Who breaks the protocol is not believed anything more, and would do it again.
    (NONSENSE, OPENING, ANY, "ProtocolError ✕"),
    (NONSENSE, BEFORE, ANY, "ProtocolError ✕: not sent"),
    ("wrong code", "greeting", ANY, "GreetingRefused ✕"),
    ("wrong code", "EHLO", ANY, "CommandRefused ✕"),
    ("wrong code", "STARTTLS", ANY, "TLSError ✕"),
    # Without its final reply nobody knows what became of a message that was handed over whole.
    (f"{ENDS}, {SILENCE}, {NONSENSE}", "final reply", ANY, UNKNOWN),
    (f"{ENDS}, {SILENCE}, {NONSENSE}", "final reply", LMTP, HALF_KNOWN),
    ("extra reply", "final reply", LMTP, UNKNOWN),
    # `send_many` takes what was not sent to another connection,
    (f"{ENDS}, {SILENCE}, {NONSENSE}", BEFORE, MANY, "accepted"),
    # but not beyond the time of the whole call, which is over in this row.
    ("drip", BEFORE, MANY, "TimedOut ↻✕: not sent"),
    # With BDAT whole messages are written ahead, so that any of their replies may be missed.
    (f"{ENDS}, {SILENCE}, {NONSENSE}", "MAIL, RCPT", BDAT, UNKNOWN),
    ("extra reply", "MAIL, RCPT", BDAT, "accepted"),
    # What is in flight is written whole before its replies are looked at.
    ("half-close, TLS alert", "content", IN_FLIGHT, f"accepted or {UNKNOWN}"),
    ("garbage, NUL, code 999, mixed codes", "content", IN_FLIGHT, UNKNOWN),
    # The reply that allows the content came, and the content was on its way when the end was seen.
    ("reply then drop, reply then TLS ends", "DATA", ANY, UNKNOWN),
    # Where both are seen at once, the content has not begun.
    ("reply then drop, reply then TLS ends", "DATA", IN_FLIGHT, f"accepted or {UNKNOWN}"),
    # Behind the final reply nothing can be lost.
    ("reply then drop, reply then TLS ends", "final reply", ANY, "accepted"),
    # The reply is there; one more is out of step with what is asked next, and is found there.
    ("extra reply", "final reply", IN_FLIGHT, "accepted"),
    # A server that refuses has said what it thinks.
    (REFUSALS, "greeting", ANY, "GreetingRefused ↻✕"),
    ("421", "EHLO, STARTTLS, AUTH", ANY, "ServiceClosing ↻✕"),
    ("421", BEFORE, ANY, "ServiceClosing ↻✕: not sent"),
    ("421", BEFORE, MANY, "accepted"),
    ("421", "DATA, content", IN_FLIGHT, "ServiceClosing ↻✕: deferred"),
    ("421", "final reply", ANY, "ServiceClosing ↻✕: deferred"),
    ("421", "final reply", LMTP, "ServiceClosing ↻✕: accepted + deferred"),
    ("421", "between messages", ANY, "ConnectionLost ↻✕: not sent"),
    ("4xx", "EHLO", ANY, "CommandRefused ↻✕"),
    ("4xx", "STARTTLS", ANY, "TLSError ↻✕"),
    ("4xx", "AUTH", ANY, "AuthenticationRefused ↻✕"),
    ("4xx", "MAIL", ANY, "SenderRefused ↻: not sent"),
    ("4xx", "RCPT", ANY, "accepted + deferred"),
    ("4xx", "DATA, final reply", ANY, "MessageRefused ↻: deferred"),
    ("4xx", "content", ANY, "ConnectionLost ↻✕: deferred"),
    ("4xx", "content", IN_FLIGHT, "MessageRefused ↻: deferred"),
    ("4xx", "final reply", LMTP, "accepted + deferred"),
    ("5xx", "greeting", ANY, "GreetingRefused ✕"),
    # Who does not know EHLO is greeted by HELO.
    ("5xx", "EHLO", ANY, "accepted"),
    ("5xx", "STARTTLS", ANY, "TLSError ✕"),
    ("5xx", "AUTH", ANY, "AuthenticationRefused ✕"),
    ("5xx", "MAIL", ANY, "SenderRefused: not sent"),
    ("5xx", "RCPT", ANY, "accepted + refused"),
    ("5xx", "DATA, final reply", ANY, "MessageRefused: refused"),
    ("5xx", "content", ANY, "ConnectionLost ✕: refused"),
    ("5xx", "content", IN_FLIGHT, "MessageRefused: refused"),
    ("5xx", "final reply", LMTP, "accepted + refused"),
    ("4xx, 5xx", "between messages", ANY, "ProtocolError ✕: not sent"),
)

# --- reading them ---------------------------------------------------------------------------------


class _Rule(NamedTuple):
    faults: frozenset[str]
    places: frozenset[str]
    ways: frozenset[str]
    text: str


def _names(text: str, all_names: Iterable[str]) -> frozenset[str]:
    known = {name.replace(",", ""): name for name in all_names}
    return (
        frozenset(known[name] for name in text.split(", ")) if text else frozenset(known.values())
    )


_RULES = [
    _Rule(
        _names(faults, [fault.name for fault in FAULTS]),
        _names(places, [place.value for place in Place]),
        _names(ways, [way.name for way in WAYS]),
        text,
    )
    for faults, places, ways, text in RULES
]

#: Codes that mean something else than others of their kind. RFC 5321, section 4.5.3.1.10: of
#: too many recipients the rest goes in another transaction; 503 to a MAIL behind another message
#: says that the server does not follow, so the session is broken off.
_SPECIAL = {
    (452, "RCPT"): _Rule(
        frozenset(), frozenset(), _names(ANY, [way.name for way in WAYS]), "accepted"
    ),
    (503, "MAIL"): _Rule(
        frozenset(),
        frozenset(),
        _names(IN_FLIGHT, [way.name for way in WAYS]),
        f"accepted or {UNKNOWN} or SenderRefused: not sent",
    ),
}


def expected(cell: Cell, code: int = 0) -> str:
    """Say what a cell is to bring; " or " stands between what depends on who is quicker.

    Args:
        code: with what the server refuses, where it is not the fault's own reply.
    """
    special = _SPECIAL.get((code, cell.place.value))
    if special is not None and cell.way.name in special.ways:
        return special.text
    for rule in reversed(_RULES):
        if (
            cell.fault.name in rule.faults
            and cell.place.value in rule.places
            and cell.way.name in rule.ways
        ):
            return rule.text
    raise AssertionError(cell)
