"""smtplib and what takes its place, asked the same."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smtps import compat
from smtps.testing import Fault, Sink

__all__ = ["PEOPLE", "Seen", "both", "clear", "see"]

PEOPLE = ["a@x.example", "b@x.example", "c@x.example"]
_PIPELINED = ("PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "DSN", "AUTH PLAIN LOGIN")


@dataclass(frozen=True)
class Seen:
    """What a program sees of a call, and of the object afterwards."""

    returned: Any
    raised: type[BaseException] | None
    arguments: tuple[Any, ...]
    connected: bool


def clear(sink: Sink, module: Any = compat, **options: Any) -> Any:
    """Give a connection in clear text."""
    return module.SMTP(sink.host, sink.port, "client.example", **options)


def see(smtp: Any, call: Callable[[Any], Any]) -> Seen:
    """Make a call and tell what came of it; the words of a lost connection are each one's own."""
    returned, error = None, None
    try:
        returned = call(smtp)
    except Exception as caught:
        error = caught
    arguments = error.args if isinstance(error, smtplib.SMTPException) else ()
    if isinstance(error, smtplib.SMTPServerDisconnected):
        arguments = ()
    seen = Seen(returned, type(error) if error else None, arguments, smtp.sock is not None)
    smtp.close()
    return seen


def both(
    call: Callable[[Any], Any],
    *faults: Callable[[], Fault],
    pipelining: bool,
    lmtp: bool = False,
    lax: bool = False,
) -> tuple[Seen, Seen]:
    """Make a call on both, each with a server of its own that goes wrong in the same way.

    Args:
        lax: whether the call may break the rules by itself.
    """
    seen = []
    for module in (smtplib, compat):
        extensions = _PIPELINED if pipelining else _PIPELINED[1:]
        script = [fault() for fault in faults]
        with Sink(extensions=extensions, faults=script, lmtp=lmtp, auth_in_clear=True) as sink:
            kind = module.LMTP if lmtp else module.SMTP
            smtp = kind(sink.host, sink.port, "client.example", timeout=10)
            seen.append(see(smtp, call))
            if module is compat and not lax:
                assert not sink.violations
    first, second = seen
    return first, second
