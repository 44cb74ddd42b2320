"""CRAM-MD5: a keyed hash of the server's challenge. RFC 2195.

The password does not cross the wire, but whoever reads the exchange can try passwords against it at
many millions a second, and nothing proves the server.
"""

from __future__ import annotations

import hmac

from .credentials import Credentials, Responses, broken
from .saslprep import saslprep

__all__ = ["cram_md5"]


def cram_md5(credentials: Credentials) -> Responses:
    """Answer the one challenge."""
    user = saslprep("user", credentials.user)
    challenge = yield None
    if not challenge:
        # A keyed hash of nothing is the same at every login.
        raise broken("the challenge is empty")
    yield f"{user} {_hash(credentials, challenge)}".encode()


def _hash(credentials: Credentials, challenge: bytes) -> str:
    key = saslprep("password", credentials.password).encode()
    return hmac.new(key, challenge, "md5").hexdigest()
