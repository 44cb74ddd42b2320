"""XOAUTH2 and OAUTHBEARER: a token that another service gave. RFC 7628, and Google's own form."""

from __future__ import annotations

import json

from ..errors import AuthenticationRefused, BadValue
from .credentials import Credentials, Responses, broken

__all__ = ["bearer", "oauthbearer", "xoauth2"]

# What a server says about a token that it does not take is a line of JSON.
_LONGEST_STATUS = 8192
_MOST_SHOWN = 80
_SEPARATOR = b"\x01"


def bearer(text: str) -> str:
    """Give the token of a text that may begin with "Bearer"."""
    scheme, _, rest = text.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else text.strip()


def xoauth2(credentials: Credentials) -> Responses:
    """Give the user and the token; an error is answered with an empty line."""
    user = credentials.user.encode()
    challenge = yield b"user=" + user + _SEPARATOR + _token(credentials) + _SEPARATOR * 2
    yield from _refused(challenge, b"")


def oauthbearer(credentials: Credentials) -> Responses:
    """Give the user, the server and the token; an error is answered as RFC 7628 3.2.3 says."""
    challenge = yield _SEPARATOR.join(_parts(credentials)) + _SEPARATOR * 2
    yield from _refused(challenge, _SEPARATOR)


def _parts(credentials: Credentials) -> tuple[bytes, ...]:
    name = credentials.user.replace("=", "=3D").replace(",", "=2C")
    return (
        f"n,a={name},".encode() if name else b"n,,",
        f"host={credentials.host}".encode(),
        f"port={credentials.port}".encode(),
        _token(credentials),
    )


def _token(credentials: Credentials) -> bytes:
    token = credentials.token
    # RFC 6750 2.1 has fewer characters; none may end the field or the header.
    if not token or not token.isascii() or not all("!" <= character <= "~" for character in token):
        raise BadValue("token", "empty, or it holds white space or a character that is not ASCII")
    return f"auth=Bearer {token}".encode("ascii")


def _refused(challenge: bytes | None, answer: bytes) -> Responses:
    """Let the server end the exchange that it refused, and keep the status that it gave."""
    if challenge is None:
        return
    status = _status(challenge)
    try:
        yield answer
    except AuthenticationRefused as refused:
        refused.explain(status)
        raise
    raise broken("the server accepted a token that it had refused")


def _status(challenge: bytes) -> str:
    """Give the status of the error, as far as it can be read."""
    if len(challenge) > _LONGEST_STATUS:
        raise broken("the error about the token is too long")
    try:
        status = json.loads(challenge)["status"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return "".join(character for character in str(status)[:_MOST_SHOWN] if character.isprintable())
