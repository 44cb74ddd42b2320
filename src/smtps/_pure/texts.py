"""Texts as MIME carries them: as plainly as the way to the server takes them. RFC 2045, 6."""

from __future__ import annotations

from typing import NamedTuple

from .base64 import encode_base64
from .dots import normalize_newlines
from .quoted_printable import encode_quoted_printable
from .survey import survey

__all__ = ["EncodedText", "encode_text"]

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
