"""Encoded words: text in a header that ASCII cannot hold, or that would be read as something else.

Text is encoded in UTF-8 unless another charset is asked for, in B or Q, whichever is shorter, cut
between characters and never inside one. What is plain stays as it is. RFC 2047.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable

__all__ = ["encode_phrase", "encode_unstructured"]

# RFC 2047, section 2.
_WORD_LIMIT = 75
_LINE_LIMIT = 76
# Room for one character in any charset: ISO-2022-JP needs eight bytes, 24 characters in Q.
_LEAST_ROOM = 24
# A longer word could not stand on a line of 998 beside the name of its header.
_LONGEST_PLAIN_WORD = 900

# It begins with the white space: blanks at the end, which no word follows, would otherwise be gone
# through again from each of them.
_word = re.compile(r"(?<![ \t])[ \t]*+[^ \t]++")
_must_be_encoded = re.compile(r"=\?|[^\t -~]").search
_atoms = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*")
_blank = (" ", "\t")

# What RFC 2047, section 5 (3) leaves as it is even in a phrase.
_PLAIN_IN_Q = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
_Q = [chr(byte) if byte in _PLAIN_IN_Q else f"={byte:02X}" for byte in range(256)]
_Q[0x20] = "_"


def encode_unstructured(text: str, *, charset: str = "utf-8", column: int = 0) -> str:
    """Encode unstructured text, such as a subject, so far as it needs it.

    From the first word that needs it to the last one becomes encoded words; a decoder gives back
    exactly `text`, with its white space, and with what only looks like an encoded word.

    Args:
        text: without control characters but TAB; this is not checked here.
        charset: an encoding of Python under its MIME name.
        column: how much of the first line is taken by the name of the header.

    Raises:
        UnicodeEncodeError: `charset` has no such character.
    """
    if not _needs_encoding(text) and text == text.strip(" \t"):
        return text
    words = list(_word.finditer(text))
    needy = [word for word in words if _needs_encoding(word[0])]
    begin, end = (_start(needy[0]), needy[-1].end()) if needy else (len(text), 0)
    # Blanks at the edges would be lost: the first word takes them with it, or the last.
    if text.startswith(_blank):
        begin, end = 0, max(end, words[0].end() if words else len(text))
    if text.endswith(_blank):
        begin, end = min(begin, _start(words[-1]) if words else 0), len(text)
    if begin >= end:
        return text
    encoded = _encode(text[begin:end], charset, column if begin == 0 else 0)
    return text[:begin] + encoded + text[end:]


def encode_phrase(text: str, *, charset: str = "utf-8", column: int = 0) -> str:
    """Encode a display name: as atoms where that will do, else in quotes, else as encoded words.

    Raises:
        UnicodeEncodeError: `charset` has no such character.
    """
    if _needs_encoding(text):
        return _encode(text, charset, column)
    return text if _atoms.fullmatch(text) else quoted_string(text)


def quoted_string(text: str) -> str:
    """Put text between quotes, with its quotes and backslashes escaped. RFC 5322 section 3.2.4."""
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def _start(word: re.Match[str]) -> int:
    """Tell where a word begins, after the one blank that parts it from the word before."""
    return word.start() + word[0].startswith(_blank)


def _needs_encoding(text: str) -> bool:
    return len(text) > _LONGEST_PLAIN_WORD or _must_be_encoded(text) is not None


def _encode(text: str, charset: str, column: int) -> str:
    data = text.encode(charset)
    unsafe = len(data.translate(None, _PLAIN_IN_Q + b" "))
    letter, encode = ("q", _q) if len(data) + 2 * unsafe <= (len(data) + 2) // 3 * 4 else ("b", _b)
    opening = f"=?{charset}?{letter}?"
    room = _WORD_LIMIT - len(opening) - 2
    # The first word shares its line with the name of the header, if that leaves enough.
    shared = _LINE_LIMIT - column - len(opening) - 2
    first_room = shared if _LEAST_ROOM <= shared < room else room
    words: list[str] = []
    at = 0
    while at < len(text):
        taken, payload = _fill(text[at : at + room], charset, encode, room if words else first_room)
        words.append(f"{opening}{payload}?=")
        at += taken
    return " ".join(words)


def _fill(text: str, charset: str, encode: Callable[[bytes], str], room: int) -> tuple[int, str]:
    """Encode as many characters as fit; say how many."""
    count = min(len(text), room)
    payload = encode(text[:count].encode(charset))
    while len(payload) > room and count > 1:
        count = max(1, min(count - 1, count * room // len(payload)))
        payload = encode(text[:count].encode(charset))
    while count < len(text):
        longer = encode(text[: count + 1].encode(charset))
        if len(longer) > room:
            break
        count, payload = count + 1, longer
    return count, payload


def _q(data: bytes) -> str:
    return "".join([_Q[byte] for byte in data])


def _b(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")
