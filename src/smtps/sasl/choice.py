"""Choose a mechanism that both sides know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..options import AuthMechanism
from .credentials import Credentials, Responses
from .login import login
from .plain import plain

__all__ = ["choose", "start"]

_MECHANISMS: dict[str, Callable[[Credentials], Responses]] = {"LOGIN": login, "PLAIN": plain}

#: What each choice of the options may become on the wire, the first that is offered.
_WIRE_NAMES = {
    AuthMechanism.USER_PASSWORD: ("LOGIN", "PLAIN"),
    AuthMechanism.SASL_PLAIN: ("PLAIN",),
}


def choose(asked: AuthMechanism, offered: Sequence[str]) -> str | None:
    """Name the mechanism to use, or None if the server offers none that fits."""
    for name in _WIRE_NAMES.get(asked, ()):
        if name in offered:
            return name
    return None


def start(mechanism: str, credentials: Credentials) -> Responses:
    """Begin an exchange; the first value is the initial response, or None."""
    return _MECHANISMS[mechanism](credentials)
