"""Challenges and responses as they cross the wire: base64 on one line. RFC 4954, section 4."""

from __future__ import annotations

import binascii

from ..errors import ProtocolError
from ..phase import Phase

__all__ = ["decode_challenge", "encode_response"]

# RFC 4954 4: the most that a line of the exchange may hold.
_LONGEST = 12288


def encode_response(response: bytes, *, initial: bool = False) -> str:
    """Encode a response; an empty initial one is "=", to tell it from none."""
    if initial and not response:
        return "="
    return binascii.b2a_base64(response, newline=False).decode("ascii")


def decode_challenge(text: str) -> bytes:
    """Decode the text behind a 334.

    Raises:
        ProtocolError: it is not base64, or longer than 12,288 characters.
    """
    if len(text) > _LONGEST:
        raise ProtocolError("the challenge is too long", phase=Phase.AUTH)
    try:
        return binascii.a2b_base64(text.strip().encode("ascii"), strict_mode=True)
    except ValueError as error:
        raise ProtocolError("the challenge is not base64", phase=Phase.AUTH) from error
