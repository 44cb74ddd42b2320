"""SASL mechanisms: each one a generator that is sent challenges and yields responses. RFC 4422."""

from __future__ import annotations

from .choice import choose, start
from .credentials import Credentials, Responses
from .encoding import decode_challenge, encode_response

__all__ = [
    "Credentials",
    "Responses",
    "choose",
    "decode_challenge",
    "encode_response",
    "start",
]
