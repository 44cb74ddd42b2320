"""EXTERNAL: the client certificate of the TLS handshake says who the user is. RFC 4422, A."""

from __future__ import annotations

from .credentials import Credentials, Responses

__all__ = ["external"]


def external(credentials: Credentials) -> Responses:
    """Give the identity to act as; empty is the one that the certificate names."""
    yield (credentials.authorization or credentials.user).encode()
