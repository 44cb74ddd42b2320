"""Base64 in the lines of MIME. RFC 2045, section 6.8."""

from __future__ import annotations

from binascii import b2a_base64
from typing import TYPE_CHECKING

from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Base64Encoder", "encode_base64"]

#: The bytes that fill a line of 76 characters.
_LINE = 57


def encode_base64(data: Buffer) -> bytes:
    """Encode in lines of 76 characters, each ended by CRLF; nothing gives nothing."""
    encoded = b2a_base64(as_bytes(data), newline=False)
    if not encoded:
        return b""
    lines = [encoded[start : start + 76] for start in range(0, len(encoded), 76)]
    lines.append(b"")
    return b"\r\n".join(lines)


class Base64Encoder:
    """Encode chunk by chunk; the joined results are what `encode_base64` gives for the whole."""

    def __init__(self) -> None:
        self._held = b""

    def update(self, chunk: Buffer) -> bytes:
        """Encode the full lines that are known so far."""
        data = self._held + as_bytes(chunk)
        full = len(data) - len(data) % _LINE
        self._held = data[full:]
        return encode_base64(data[:full])

    def finish(self) -> bytes:
        """Encode what is left; the encoder is as new afterwards."""
        rest, self._held = self._held, b""
        return encode_base64(rest)
