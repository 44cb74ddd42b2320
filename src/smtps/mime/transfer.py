"""Transfer encodings: how texts and files go through what a server takes. RFC 2045, section 6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..codec import encode_base64, encode_base64_into
from ..errors import BadValue
from ..tray import Tray
from .blob import Blob

__all__ = ["Offer", "SEVEN_BITS", "Stream", "encoded_size", "no_surrogates", "utf8"]


class Offer(NamedTuple):
    """What the way to the server takes."""

    #: Bytes above 127, in lines. RFC 6152.
    eight_bit: bool = False
    #: Any bytes. RFC 3030; over BDAT only.
    binary: bool = False
    #: UTF-8 in headers. RFC 6531.
    utf8: bool = False


#: What every server takes.
SEVEN_BITS = Offer()


def utf8(text: str, field: str) -> bytes:
    """Encode a text in UTF-8.

    Raises:
        BadValue: it holds half of a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise no_surrogates(field, error) from None


def no_surrogates(field: str, error: UnicodeEncodeError) -> BadValue:
    """Say where a text holds half of a surrogate pair."""
    return BadValue(field, f"holds half of a surrogate pair at position {error.start}; remove it")


def encoded_size(size: int) -> int:
    """Tell how many bytes `size` bytes are in base64 lines."""
    characters = (size + 2) // 3 * 4
    return characters + (characters + 75) // 76 * 2


# What a line of base64 is made of, and how long it is with its end.
_TAKEN, _GIVEN = 57, 78
# How much is read at a time: whole lines, and small enough that memory is used again.
_PIECE = _TAKEN * 1536


class Stream(NamedTuple):
    """A part's bytes that are made while they are sent."""

    blob: Blob
    #: Whether they go as they are, which needs `Offer.binary`.
    raw: bool = False

    @property
    def size(self) -> int | None:
        """How many bytes come out, if that is known."""
        size = self.blob.size
        return size if size is None or self.raw else encoded_size(size)

    def pieces(self) -> Iterator[bytes]:
        """Encode and give piece by piece."""
        with self.blob.reading() as read:
            while data := read(_PIECE):
                yield bytes(data) if self.raw else encode_base64(data)

    def pour(self, tray: Tray) -> Iterator[None]:
        """Encode into a tray; each step is one in which it is full and has to be taken."""
        taken, given = (1, 1) if self.raw else (_TAKEN, _GIVEN)
        with self.blob.reading() as read:
            while True:
                # Whole lines, so that each piece can be encoded by itself.
                lines = tray.room // given
                if not lines:
                    yield
                    continue
                data = read(lines * taken)
                if self.raw:
                    tray.put(data)
                else:
                    tray.filled += encode_base64_into(data, tray.rest)
                if len(data) < lines * taken:
                    return
