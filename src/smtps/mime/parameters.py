"""Parameters of MIME headers, such as the name of an attached file. RFC 2045 and RFC 2231."""

from __future__ import annotations

import re
from urllib.parse import quote

from .._pure.words import quoted_string
from ..controls import require_text, shown
from ..errors import BadValue

__all__ = ["file_name", "format_parameters"]

# RFC 2045, section 5.1, without what RFC 2231 gives a meaning.
_token = re.compile(r"[A-Za-z0-9!#$&+.^_`{|}~-]{1,40}").fullmatch
# No quotes or backslashes: there are readers that get them wrong. No encoded words: there are
# readers that decode them even here.
_plain = re.compile(r"(?!.*=\?)[ !#-\[\]-~]{0,60}").fullmatch
# RFC 2231, section 7: attribute-char. `quote` leaves letters, digits and "_.-~" alone by itself.
_UNQUOTED = "!#$&+^`{|}"
# With the blank before it, the semicolon after it and its name, a segment fits a line of 76.
_SEGMENT = 70

_control = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search
_turning = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]").search


def format_parameters(value: str, parameters: dict[str, str]) -> str:
    """Return `value` with its parameters after it: `attachment; filename="a.pdf"`.

    A parameter that is not short and plain is percent-encoded, in as many segments as it needs.

    Raises:
        BadValue: a name is not a token, or a value holds a control character.
    """
    parts = [value]
    for name, text in parameters.items():
        parts += _parameter(name, text)
    return "; ".join(parts)


def file_name(text: str, *, field: str) -> str:
    """Return the name of a file without its folders, of any system.

    Raises:
        BadValue: nothing is left, or it holds a control character or a sign that turns the reading
            direction, by which `exe.jpg` can look like `gpj.exe`.
    """
    if _control(require_text(field, text)):
        raise BadValue(field, f"the file name {shown(text)} holds a control character; rename it")
    if _turning(text):
        raise BadValue(
            field, f"the file name {text!a} turns the reading direction to mislead; rename it"
        )
    name = re.split(r"[/\\]", text)[-1].strip(" ")
    if name in ("", ".", ".."):
        raise BadValue(field, f"{shown(text)} is no file name; give one such as report.pdf")
    return name


def _parameter(name: str, text: str) -> list[str]:
    if not _token(name):
        raise BadValue("parameter name", "expected a token of up to 40 characters")
    if _control(text):
        raise BadValue(name, "holds a control character; remove it")
    if _plain(text):
        return [f"{name}={quoted_string(text)}"]
    segments = _segments(text, _SEGMENT - len(name) - len("*00*="))
    if len(segments) == 1:
        return [f"{name}*={segments[0]}"]
    return [f"{name}*{number}*={segment}" for number, segment in enumerate(segments)]


def _segments(text: str, room: int) -> list[str]:
    """Percent-encode, cut between characters: some readers decode each segment by itself."""
    segments = ["utf-8''"]
    for character in text:
        encoded = quote(character, safe=_UNQUOTED)
        if len(segments[-1]) + len(encoded) > room:
            segments.append("")
        segments[-1] += encoded
    return segments
