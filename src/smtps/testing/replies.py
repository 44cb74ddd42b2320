"""The words of the sink."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["render"]

_ENHANCED = re.compile(r"^(\d{3}[ -])\d\.\d{1,3}\.\d{1,3} ", re.MULTILINE)


# The sink's own replies are few, so each is made once.
@lru_cache(maxsize=256)
def render(reply: str, enhanced: bool) -> bytes:
    """Give a reply as bytes, without its enhanced status code if that is not offered. RFC 2034."""
    if not enhanced:
        reply = _ENHANCED.sub(r"\1", reply)
    return reply.replace("\n", "\r\n").encode() + b"\r\n"
