"""Messages of the standard library: their envelope and their bytes."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.generator import BytesGenerator
from email.header import decode_header
from email.message import Message
from io import BytesIO
from typing import Any

from ..controls import shown
from ..errors import BadValue
from ..mailboxes import parse_address, parse_address_list

__all__ = [
    "decode_words",
    "flatten",
    "header_texts",
    "header_values",
    "raw_values",
    "recipients_of",
    "sender_of",
    "unfold",
]

_is_name = re.compile(r"[^\x00-\x20:\x7f]+").fullmatch
# A line end before white space is a fold.
_breaks = re.compile(r"\0|\r\n?(?![\n \t])|\n(?![ \t])").search
_fold = re.compile(r"\r?\n(?=[ \t])")
_RECIPIENT_HEADERS = ("To", "Cc", "Bcc")


def sender_of(message: Message) -> str:
    """Give the address that the envelope names: Sender, or else the one of From.

    Raises:
        BadValue: there is neither, or several in From without a Sender. RFC 5322, section 3.6.2.
    """
    resent = _resent_prefix(message)
    sender = next(header_values(message, resent + "Sender"), None)
    if sender is not None:
        return parse_address(sender, field="Sender").spec
    found = [
        address
        for value in header_values(message, resent + "From")
        for address in parse_address_list(value, field="From")
    ]
    if len(found) != 1:
        reason = "there is none" if not found else "there are several; add a Sender header"
        raise BadValue("From", f"{reason}, or pass sender=", code=164)
    return found[0].spec


def recipients_of(message: Message) -> list[str]:
    """Give the addresses of To, Cc and Bcc, each once, in this order."""
    resent = _resent_prefix(message)
    found = [
        address.spec
        for name in _RECIPIENT_HEADERS
        for value in header_values(message, resent + name)
        for address in parse_address_list(value, field=name)
    ]
    return list(dict.fromkeys(found))


def flatten(message: Message, *, utf8: bool = False) -> bytes:
    """Give the message as bytes with CRLF line ends and without its Bcc headers.

    Args:
        utf8: whether headers may be UTF-8, which needs a server with SMTPUTF8.

    Raises:
        BadValue: a header of it, or of a part, would end its line and begin another.
    """
    for part in message.walk():
        _check_headers(part)
    # Deleting from a shallow copy replaces its list of headers; the caller's message keeps its Bcc.
    bare = copy.copy(message)
    del bare["Bcc"], bare["Resent-Bcc"]
    changes: dict[str, Any] = {"linesep": "\r\n"}
    if utf8:
        changes["utf8"] = True
    policy = message.policy.clone(**changes)
    buffer = BytesIO()
    BytesGenerator(buffer, mangle_from_=False, policy=policy).flatten(bare)
    return buffer.getvalue()


def _check_headers(part: Message) -> None:
    """Refuse what the library writes as it is under its older policy.

    Raises:
        BadValue: a name or value holds a line end that is no fold, or a NUL.
    """
    for name, value in part.raw_items():
        if not _is_name(name):
            raise BadValue("header name", f"{shown(name)} is none; write letters, digits and -")
        if found := _breaks(str(value)):
            place = found.start()
            raise BadValue(name, f"line end or NUL at position {place} in its value; remove it")


def _resent_prefix(message: Message) -> str:
    dates = message.get_all("Resent-Date") or []
    if len(dates) > 1:
        raise BadValue(
            "Resent-Date", "several blocks of resent headers; pass sender= and recipients="
        )
    return "Resent-" if dates else ""


def header_values(message: Message, name: str) -> Iterator[str]:
    """Give the values of a header, unfolded."""
    for value, _ in raw_values(message, name):
        yield value


def header_texts(message: Message, name: str) -> Iterator[str]:
    """Give the values of a header, unfolded, and decoded so far as the library did not do it."""
    for value, is_decoded in raw_values(message, name):
        yield value if is_decoded else decode_words(value)


def raw_values(message: Message, name: str) -> Iterator[tuple[str, bool]]:
    """Give the values of a header, unfolded, and whether the library has decoded them.

    It does so under its newer policies; `message_from_bytes` has an older one if none is named.
    """
    for value in message.get_all(name) or []:
        yield unfold(str(value)), hasattr(value, "defects")


def unfold(value: str) -> str:
    """Take the folds out, which a parsed message keeps: line ends before white space."""
    return _fold.sub("", value)


def decode_words(value: str) -> str:
    """Decode what is in encoded words; what cannot be decoded stays as it is. RFC 2047."""
    if "=?" not in value or not value.isascii():
        return value
    try:
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace")
            for piece, charset in decode_header(value)
        )
    except (HeaderParseError, LookupError, ValueError):
        return value
