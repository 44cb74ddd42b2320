"""The parts of a message, and how they stand in one another. RFC 2046 and RFC 2387."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ..codec import encode_text, frame, text_headers
from .blob import Blob
from .transfer import Offer, Stream, no_surrogates

__all__ = ["FilePart", "Finished", "Multipart", "Part", "Piece", "Text", "TextPart"]

#: Bytes that are there, or that come from a file.
Piece: TypeAlias = bytes | Stream

# Files up to this size are encoded at once, together with what is around them.
_SMALL = 64 * 1024


class Part(Protocol):
    """Something with a Content-Type."""

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:
        """Add its MIME header lines, the blank line and its body, for what a server takes."""


class Text(Part, Protocol):
    """A part that is a text."""

    @property
    def text(self) -> str | bytes:
        """The text, or its UTF-8."""


@dataclass(slots=True)
class TextPart:
    """A text: plain, HTML, or what else is text."""

    #: The text, or its UTF-8.
    text: str | bytes
    subtype: str
    field: str

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:  # noqa: ARG002
        """Add the text, encoded so far as it needs it."""
        try:
            encoding, charset, data = encode_text(self.text, offer.eight_bit)
        except UnicodeEncodeError as error:
            raise no_surrogates(self.field, error) from None
        pieces += (text_headers(self.subtype, charset, encoding), data)


@dataclass(slots=True)
class FilePart:
    """A file: attached, or shown in the HTML that names it."""

    blob: Blob
    #: Content-Type and what else describes it, without Content-Transfer-Encoding.
    headers: bytes

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:  # noqa: ARG002
        """Add the file, in base64 unless the server takes any bytes."""
        self.blob.measure()
        encoding = b"binary" if offer.binary else b"base64"
        pieces.append(self.headers + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n")
        stream = Stream(self.blob, raw=offer.binary)
        # Bytes that go as they are stay apart from lines, whose newlines are looked after.
        if self.blob.data is not None and len(self.blob.data) <= _SMALL and not stream.raw:
            pieces += stream.pieces()
        else:
            pieces.append(stream)


@dataclass(slots=True)
class Finished:
    """A part that came finished, and is not to be changed: a signed one, or another's message."""

    headers: bytes
    body: bytes

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:  # noqa: ARG002
        """Add it as it is."""
        pieces += (self.headers, b"\r\n", self.body)


@dataclass(slots=True)
class Multipart:
    """Parts that belong together: alternatives, related ones, or any mix."""

    subtype: str
    parts: Sequence[Part]
    #: More parameters of its Content-Type, as they are written.
    parameters: str = ""

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:
        """Add the parts between their boundaries. RFC 2046, section 5.1.1."""
        opening, between, end = frame(self.subtype, boundary, self.parameters)
        pieces.append(opening)
        for part in self.parts:
            pieces.append(between)
            part.write(pieces, offer, boundary)
        pieces.append(end)
