"""Challenges and responses as they cross the wire: base64 on one line. RFC 4954, section 4."""

from __future__ import annotations

import binascii

from ..errors import BadValue, ProtocolError
from ..hidden import Hidden
from ..phase import Phase

__all__ = ["LONGEST_COMMAND", "auth_line", "decode_challenge", "response_line"]

#: RFC 4954 4: an AUTH command keeps the limit of all commands; a longer initial response waits for
#: the server's empty challenge. RFC 5321, section 4.5.3.1.4.
LONGEST_COMMAND = 512
# RFC 4954 4: the most that a line of the exchange may hold.
_LONGEST = 12288


def auth_line(mechanism: str, response: bytes | None) -> Hidden:
    """Give the AUTH command; an empty initial response is "=", to tell it from none."""
    command = f"AUTH {mechanism}".encode("ascii")
    if response is None:
        return Hidden(command + b"\r\n")
    return Hidden(command + b" " + (_encoded(response) or b"=") + b"\r\n")


def response_line(response: bytes) -> Hidden:
    """Give the line that answers a challenge.

    Raises:
        BadValue: it is longer than the 12,288 bytes of RFC 4954.
    """
    line = _encoded(response)
    if len(line) > _LONGEST:
        raise BadValue("credentials", f"they make a line of more than {_LONGEST} bytes")
    return Hidden(line + b"\r\n")


def decode_challenge(text: str) -> bytes:
    """Decode the text behind a 334.

    Raises:
        ProtocolError: it is not base64, or longer than 12,288 characters.
    """
    if len(text) > _LONGEST:
        raise ProtocolError("the challenge is too long", phase=Phase.AUTH)
    try:
        return binascii.a2b_base64(text.strip().encode("ascii"), strict_mode=True)
    except ValueError:
        raise ProtocolError("the challenge is not base64", phase=Phase.AUTH) from None


def _encoded(response: bytes) -> bytes:
    return binascii.b2a_base64(response, newline=False)
