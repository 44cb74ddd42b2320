"""What a mechanism proves, and the shape that all mechanisms share."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

from ..errors import ProtocolError
from ..phase import Phase

__all__ = ["Binding", "Credentials", "Responses", "broken", "said"]

#: Yields the initial response, or None where the server speaks first. It is then sent one challenge
#: for each further response, and None once the server accepts: a mechanism that has not seen the
#: server's proof by then raises. The server's refusal is thrown in, so that a mechanism can add
#: what it was told before.
Responses: TypeAlias = Generator[bytes | None, bytes | None, None]


@dataclass(frozen=True, slots=True)
class Binding:
    """What ties an exchange to the TLS connection that it goes over. RFC 5056, 5929, 9266."""

    kind: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who the user is and how that is proven; its repr shows no secret, and it cannot be pickled.

    Args:
        authorization: as whom to act, if not as `user`.
        token: the OAuth token, without "Bearer".
        host: the server, as the program named it.
        binding: what a -PLUS mechanism binds to.
        knows_binding: whether this side could bind but the server offers no -PLUS mechanism, which
            a server that does offer one then recognises as a downgrade. RFC 5802, section 6.
    """

    user: str
    password: str = field(default="", repr=False)
    authorization: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    host: str = "localhost"
    port: int = 25
    binding: Binding | None = None
    knows_binding: bool = False

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled")


def broken(reason: str) -> ProtocolError:
    """Say what is wrong with a challenge."""
    return ProtocolError(reason, phase=Phase.AUTH)


def said(challenge: bytes | None) -> str:
    """Give the text of a challenge that has to come.

    Raises:
        ProtocolError: the server accepted without it, or it is not text.
    """
    if challenge is None:
        raise broken("the server accepted without proof that it knows the password")
    try:
        return challenge.decode()
    except UnicodeDecodeError:
        raise broken("the challenge is not text") from None
