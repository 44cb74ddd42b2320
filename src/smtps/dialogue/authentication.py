"""Authenticate: AUTH, its challenges and responses. RFC 4954, section 4."""

from __future__ import annotations

from ..errors import AuthenticationRefused, NotOffered, ProtocolError
from ..ops import Dialogue
from ..phase import Phase
from ..sasl import Credentials, choose, decode_challenge, encode_response, start
from ..session import Session
from ..wire.commands import build_command
from .exchange import exchange

__all__ = ["authenticate"]

_HIDDEN = b"********"
# The longest exchange of a known mechanism has three steps.
_MOST_STEPS = 16


def authenticate(session: Session) -> Dialogue[None]:
    """Prove who the user is, with the mechanism that the options name.

    Raises:
        NotOffered: the server has no AUTH, or no mechanism that fits.
        AuthenticationRefused: the server said no.
        ProtocolError: its challenges make no sense.
    """
    options = session.options
    offered = session.capabilities.auth
    if not offered:
        raise NotOffered("AUTH", "user")
    mechanism = choose(options.auth_mechanism, offered)
    if mechanism is None:
        raise NotOffered(
            f"AUTH with a mechanism for {options.auth_mechanism.name} (only {' '.join(offered)})",
            "auth_mechanism",
        )
    responses = start(mechanism, Credentials(options.user, options.password))
    first = next(responses)
    line, shown = [mechanism], f"AUTH {mechanism}".encode()
    if first is not None:
        line.append(encode_response(first, initial=True))
        shown += b" " + _HIDDEN
    reply = yield from exchange(session, build_command("AUTH", *line), Phase.AUTH, shown=shown)
    for _ in range(_MOST_STEPS):
        if reply.code != 334:
            break
        try:
            response = responses.send(decode_challenge(reply.text))
        except StopIteration:
            raise ProtocolError(
                f"a challenge more than {mechanism} has", phase=Phase.AUTH, reply=reply
            ) from None
        answer = build_command(encode_response(response or b""))
        reply = yield from exchange(session, answer, Phase.AUTH, shown=_HIDDEN)
    if reply.code != 235:
        raise AuthenticationRefused(mechanism, reply)
