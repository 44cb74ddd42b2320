"""Header lines: every one that this package writes is built or checked here, and nowhere else.

A value that could end its line never becomes bytes: CR, LF, NUL and the other control characters
are refused in names and values alike, before encoding and once more on the finished block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ..address import Address
from ..codec import (
    HARD_LIMIT,
    address_field,
    encode_phrase,
    encode_unstructured,
    fold,
    text_field,
)
from ..controls import require_text, shown
from ..errors import BadValue

__all__ = [
    "DEFAULT_LIMIT",
    "HeaderLine",
    "address_header",
    "check_block",
    "header",
    "other_header",
    "parse_headers",
    "text_header",
]

#: MaxHeaderLength of the classic component.
DEFAULT_LIMIT = 80

# RFC 5322, section 2.2: printable ASCII but the colon.
_field_name = re.compile(r"[!-9;-~]{1,76}").fullmatch
_forbidden = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]").search
_line_end = re.compile(r"\r\n|\r|\n")
_block = re.compile(
    rb"(?:[!-9;-~]++:[\t -~\x80-\xff]*+\r\n"
    rb"(?:[ \t]++[!-~\x80-\xff][\t -~\x80-\xff]*+\r\n)*)*"
).fullmatch

# Encoded words mean nothing in these, or must stand at places that only their author knows.
_STRUCTURED = (
    *("bcc:", "cc:", "date:", "from:", "in-reply-to:", "message-id:", "mime-version:"),
    *("received:", "references:", "reply-to:", "return-path:", "sender:", "to:"),
    *("content-", "list-", "resent-"),
)
_BLANKS = " \t"
_BLANK_STARTS = (" ", "\t")


class HeaderLine(NamedTuple):
    """One header: its name, its value unfolded, and its lines as they go on the wire."""

    name: str
    value: str
    lines: bytes


def header(
    name: str,
    value: str,
    *,
    limit: int = DEFAULT_LIMIT,
    structured: bool = False,
    utf8: bool = False,
) -> bytes:
    """Return the lines of one header whose value is in its final form, with their CRLF.

    Args:
        name: printable ASCII without a colon, up to 76 characters.
        value: on one line; blanks at its edges are dropped.
        limit: the length from which it is folded; see `fold`.
        structured: see `fold`.
        utf8: whether the value may be UTF-8, which needs a server with SMTPUTF8.

    Raises:
        BadValue: the name is not one, the value holds a control character or, without `utf8`, a
            character that is not ASCII, or a word of it is longer than a line can be.
    """
    _check(name, value)
    if not utf8 and not value.isascii():
        raise BadValue(name, "holds a character outside ASCII; it must be encoded (RFC 2047)")
    line = f"{name}: {value.strip(_BLANKS)}".rstrip(_BLANKS)
    lines = fold(line, limit, structured=structured).encode("utf-8") + b"\r\n"
    check_block(lines, field=name)
    return lines


def text_header(
    name: str, text: str, *, limit: int = DEFAULT_LIMIT, charset: str = "utf-8"
) -> bytes:
    """Return a header that holds text for people, encoded so far as it needs it.

    Raises:
        BadValue: it holds a control character; error 434 when `charset` lacks a character.
    """
    if charset == "utf-8" and (lines := text_field(name, text, limit)) is not None:
        return lines
    _check(name, text)
    try:
        value = encode_unstructured(text, charset=charset, column=len(name) + 2)
    except UnicodeEncodeError:
        raise _unmappable(name, charset) from None
    return header(name, value, limit=limit)


_COMPUTED = frozenset(
    ("from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id")
)


def other_header(name: str, value: str) -> bytes:
    """Return a header that a program named, encoded so far as it needs it.

    Raises:
        BadValue: it is computed, describes the MIME structure, or cannot be sent.
    """
    folded = require_text("header name", name).lower()
    require_text(name, value)
    if folded in _COMPUTED or folded == "mime-version" or folded.startswith("content-"):
        raise BadValue("headers", f"{name} has an argument of its own, or is computed")
    if f"{folded}:".startswith(_STRUCTURED):
        return header(name, value, structured=True)
    return text_header(name, value)


def address_header(
    name: str,
    addresses: Iterable[Address],
    *,
    limit: int = DEFAULT_LIMIT,
    charset: str = "utf-8",
    utf8: bool = False,
) -> bytes:
    """Return a header that holds mailboxes, each with the very address that its envelope has.

    Raises:
        AddressError: a local part is not ASCII and `utf8` is false.
        BadValue: error 434 when `charset` lacks a character of a name.
    """
    addresses = tuple(addresses)
    if charset == "utf-8" and (lines := address_field(name, addresses, limit)) is not None:
        return lines
    mailboxes = []
    column = len(name) + 2
    for address in addresses:
        spec = address.wire(utf8=utf8, field=name)
        if address.name:
            _check(name, address.name)
            try:
                spec = f"{encode_phrase(address.name, charset=charset, column=column)} <{spec}>"
            except UnicodeEncodeError:
                raise _unmappable(name, charset) from None
        mailboxes.append(spec)
        column = 0
    return header(name, ", ".join(mailboxes), limit=limit, structured=True, utf8=utf8)


def parse_headers(text: str, *, field: str, charset: str = "utf-8") -> list[HeaderLine]:
    """Parse header lines that a program wrote: `Name: value`, folded ones as they are folded.

    Lines end in CRLF, LF or CR and in nothing else. Text outside ASCII is encoded, except in
    headers whose structure that would break.

    Raises:
        BadValue: a line is neither a header nor the continuation of one, is blank, too long, or
            holds a control character.
    """
    lines = _line_end.split(text)
    if not lines[-1]:
        lines.pop()
    folded: list[list[str]] = []
    for number, line in enumerate(lines, 1):
        if _forbidden(line):
            raise BadValue(field, f"line {number} holds a control character; remove it")
        if line.startswith(_BLANK_STARTS) and line.strip(_BLANKS) and folded:
            folded[-1].append(line)
        elif _field_name(line.partition(":")[0]) and ":" in line:
            folded.append([line])
        else:
            raise BadValue(
                field, f"line {number} is not a header: {shown(line)}; write Name: value"
            )
    return [_header_line(lines, field, charset) for lines in folded]


def check_block(block: bytes, *, field: str) -> None:
    """Check finished header lines once more, as the bytes that go out.

    Raises:
        BadValue: a line does not begin with a name and a colon, or with white space and some text
            after it; holds a control character; or is longer than 998.
    """
    if not _block(block):
        raise BadValue(field, "would break the header; it holds a line end or control character")
    if len(block) > HARD_LIMIT and max(map(len, block.split(b"\r\n"))) > HARD_LIMIT:
        raise BadValue(
            field, f"has a line of more than {HARD_LIMIT} characters; put white space into it"
        )


def _check(name: str, value: str) -> None:
    if not _field_name(name):
        raise BadValue(
            "header name",
            "expected 1 to 76 printable ASCII characters without a colon or space,"
            f" not {shown(name)}",
        )
    if found := _forbidden(value):
        code = ord(found[0])
        raise BadValue(
            name, f"holds the control character U+{code:04X} at position {found.start()}; remove it"
        )


def _header_line(lines: list[str], field: str, charset: str) -> HeaderLine:
    name = lines[0].partition(":")[0]
    value = "".join(lines)[len(name) + 1 :].strip(_BLANKS)
    raw = "".join(f"{line}\r\n" for line in lines)
    if raw.isascii():
        encoded = raw.encode("ascii")
        check_block(encoded, field=field)
    elif raw.lower().startswith(_STRUCTURED):
        raise BadValue(
            field, f"{name} holds a character outside ASCII; use the property or encode it"
        )
    else:
        encoded = text_header(name, value, charset=charset)
    return HeaderLine(name, value, encoded)


def _unmappable(name: str, charset: str) -> BadValue:
    return BadValue(name, f"holds a character that {charset} has not; use utf-8", code=434)
