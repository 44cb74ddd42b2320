"""PLAIN: the user and the password in one response. RFC 4616."""

from __future__ import annotations

from .credentials import Credentials, Responses

__all__ = ["plain"]


def plain(credentials: Credentials) -> Responses:
    """Give the one response of PLAIN; preparing the strings is the server's part."""
    yield b"\0".join(
        text.encode()
        for text in (credentials.authorization, credentials.user, credentials.password)
    )
