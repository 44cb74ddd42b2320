"""Transfer encodings: how texts and files go through what a server takes. RFC 2045, section 6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..codec import encode_base64, encode_quoted_printable, normalize_newlines, survey
from ..errors import BadValue
from .blob import Blob
from .fold import HARD_LIMIT

__all__ = ["EncodedText", "Offer", "SEVEN_BITS", "Stream", "encode_text", "encoded_size", "utf8"]


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


class EncodedText(NamedTuple):
    """A text as it goes, and the value of its Content-Transfer-Encoding."""

    encoding: str
    charset: str
    data: bytes


def encode_text(text: str | bytes, *, field: str, eight_bit: bool = False) -> EncodedText:
    """Encode a text in UTF-8, as plainly as it may go.

    ASCII in short lines goes as it is, and so does UTF-8 where eight bits may go. What else may go
    in quoted-printable does so if that is not longer than base64.

    Args:
        text: text, or its UTF-8.

    Raises:
        BadValue: it holds half of a surrogate pair.
    """
    data = text if isinstance(text, bytes) else utf8(text, field)
    look = survey(data)
    charset = "utf-8" if look.eight_bit else "us-ascii"
    fits = look.longest_line <= HARD_LIMIT and not look.nul
    if fits and (eight_bit or not look.eight_bit):
        clean = not look.bare_cr and not look.bare_lf
        plain = data if clean else normalize_newlines(data)
        return EncodedText("8bit" if look.eight_bit else "7bit", charset, plain)
    if look.nul or 2 * look.eight_bit * 3 > len(data):
        return EncodedText("base64", charset, encode_base64(normalize_newlines(data)))
    return EncodedText("quoted-printable", charset, encode_quoted_printable(data))


def utf8(text: str, field: str) -> bytes:
    """Encode a text in UTF-8.

    Raises:
        BadValue: it holds half of a surrogate pair.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadValue(
            field, f"holds half of a surrogate pair at position {error.start}; remove it"
        ) from None


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
