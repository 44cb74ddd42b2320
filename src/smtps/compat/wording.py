"""Addresses and command lines in smtplib's own wording, alike on every version of Python."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..codec import plain_mailbox
from ..errors import AddressError
from ..mailboxes import parse_address
from ..wire.commands import build_command

__all__ = ["bare_address", "command_line", "mail_line", "quoted_address", "rcpt_line"]

# A mailbox without a domain, which RFC 5321 wants of nobody but many a local server takes.
_local_name = re.compile(r"""[^\x00-\x20\x7f-\xa0()<>@,;:\\"\[\]]++""").fullmatch
_angle = re.compile(r"[^<>]*<([^<>]*)>\s*").fullmatch


def quoted_address(text: str, field: str = "address") -> str:
    """Give an address between `<` and `>`: `a@b`, `Name <a@b>`, `a` without a domain, or nobody.

    Raises:
        AddressError: it is not one address. It is a `ValueError`.
    """
    return f"<{bare_address(text, field)}>"


def bare_address(text: str, field: str = "address") -> str:
    """Give the address alone, quoted where it must be; the null sender is "".

    Raises:
        AddressError: it is not one address.
    """
    if plain := plain_mailbox(text):
        return f"{plain[0]}@{plain[1]}"
    if not isinstance(text, str):
        raise AddressError(field, f"expected text, not {type(text).__name__}")
    if "@" in text:
        return parse_address(text, field=field).spec
    angle = _angle(text)
    name = (angle[1] if angle else text).strip(" ")
    if name and not _local_name(name):
        raise AddressError(field, f"{name[:80]!a} is not one address; write each as user@host")
    return name


def command_line(text: str, encoding: str) -> bytes:
    """Give a command as it is sent.

    Raises:
        ValueError: it has a line end, or another control character.
        UnicodeEncodeError: it has letters that the encoding lacks, so that SMTPUTF8 is needed.
    """
    if "\r" in text or "\n" in text:
        shown = text.replace("\n", "\\n").replace("\r", "\\r")
        raise ValueError(f"command and arguments contain prohibited newline characters: {shown}")
    line = build_command(text)
    return line if text.isascii() else text.encode(encoding) + b"\r\n"


def mail_line(path: str, options: Iterable[str]) -> str:
    """Word MAIL; options are written as they are. Some servers take no capitals here."""
    return " ".join((f"mail from:{path}", *options))


def rcpt_line(path: str, options: Iterable[str]) -> str:
    """Word RCPT."""
    return " ".join((f"rcpt to:{path}", *options))
