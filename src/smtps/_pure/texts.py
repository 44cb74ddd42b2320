"""Texts as MIME carries them: as plainly as the way to the server takes them. RFC 2045, 6."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .base64 import encode_base64
from .dots import normalize_newlines
from .quoted_printable import encode_quoted_printable
from .survey import survey

__all__ = ["EncodedText", "encode_text", "text_message"]

# RFC 5322, section 2.1.1.
_LONGEST_LINE = 998


class EncodedText(NamedTuple):
    """A text as it goes."""

    #: The value of Content-Transfer-Encoding: "7bit", "8bit", "quoted-printable" or "base64".
    encoding: str
    #: "us-ascii" or "utf-8".
    charset: str
    data: bytes


def encode_text(text: str | bytes, eight_bit: bool = False) -> EncodedText:
    """Encode a text in UTF-8.

    ASCII in short lines goes as it is, and so does UTF-8 where eight bits may go. Anything else
    goes in quoted-printable, or in base64 where that is shorter or the text holds NUL. Newlines of
    any kind become CRLF.

    Args:
        text: text, or its UTF-8.
        eight_bit: whether the server takes bytes above 127.

    Raises:
        UnicodeEncodeError: the text holds half of a surrogate pair.
    """
    data = text.encode() if isinstance(text, str) else bytes(text)
    look = survey(data)
    charset = "utf-8" if look.eight_bit else "us-ascii"
    fits = look.longest_line <= _LONGEST_LINE and not look.nul
    if fits and (eight_bit or not look.eight_bit):
        encoding = "8bit" if look.eight_bit else "7bit"
        is_clean = not look.bare_cr and not look.bare_lf
        return EncodedText(encoding, charset, data if is_clean else normalize_newlines(data))
    # Each byte above 127 takes three in quoted-printable, and every byte a third more in base64.
    if look.nul or 6 * look.eight_bit > len(data):
        return EncodedText("base64", charset, encode_base64(normalize_newlines(data)))
    return EncodedText("quoted-printable", charset, encode_quoted_printable(data))


def text_message(
    head: list[bytes], boundary: str, texts: list[tuple[str, str | bytes]], eight_bit: bool = False
) -> bytes:
    """Give a whole message whose body is one text, or the same text in two forms.

    Args:
        head: the header lines, without those of MIME.
        boundary: what no text holds.
        texts: the subtype and the text of each, the one that says most last.
        eight_bit: whether the server takes bytes above 127.

    Raises:
        UnicodeEncodeError: a text holds half of a surrogate pair.
    """
    pieces = head.copy()
    if len(texts) == 1:
        pieces += _text_part(*texts[0], eight_bit)
        return b"".join(pieces)
    opening, between, end = frame("alternative", boundary)
    pieces.append(opening)
    for subtype, text in texts:
        pieces.append(between)
        pieces += _text_part(subtype, text, eight_bit)
    pieces.append(end)
    return b"".join(pieces)


def frame(subtype: str, boundary: str, parameters: str = "") -> tuple[bytes, bytes, bytes]:
    """Give the header line of a multipart, what stands before each part, and what behind the last.

    RFC 2046, section 5.1.1.

    Args:
        parameters: more parameters of its Content-Type, as they are written.
    """
    # "=_" stands in no base64 and in no quoted-printable.
    own = f"=_{subtype[:3]}_{boundary}"
    opening = f'Content-Type: multipart/{subtype}; boundary="{own}"{parameters}\r\n'
    line = f"\r\n--{own}".encode("ascii")
    return opening.encode("ascii"), line + b"\r\n", line + b"--\r\n"


def _text_part(subtype: str, text: str | bytes, eight_bit: bool) -> tuple[bytes, bytes]:
    encoding, charset, data = encode_text(text, eight_bit)
    return text_headers(subtype, charset, encoding), data


@lru_cache(maxsize=64)
def text_headers(subtype: str, charset: str, encoding: str) -> bytes:
    """Give the header lines of a text, with the blank line behind them."""
    return (
        f"Content-Type: text/{subtype}; charset={charset}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode("ascii")
