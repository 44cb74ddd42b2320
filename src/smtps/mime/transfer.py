"""Transfer encodings: how texts and files go through what a server takes. RFC 2045, section 6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..codec import encode_base64
from ..errors import BadValue
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
        if self.raw:
            yield from self.blob.pieces()
            return
        # Pieces end with a line of base64, so that each can be encoded by itself.
        for piece in self.blob.pieces():
            yield encode_base64(piece)
