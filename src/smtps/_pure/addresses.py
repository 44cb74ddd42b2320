"""Addresses that go on the wire as they are, told apart from those that need a closer look."""

from __future__ import annotations

import re

__all__ = ["plain_addresses", "plain_mailbox"]

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
# Runs of characters are possessive, so that no input makes them backtrack far. Without "--" no
# label can be an A-label that would need a closer look.
PLAIN = rf"({_ATEXT}++(?:\.{_ATEXT}++)*)@([A-Za-z0-9]++(?:[-.][A-Za-z0-9]++)*)"
#: Up to this length neither the address nor its parts nor a label can be over a limit.
PLAIN_LIMIT = 64

_plain_address = re.compile(PLAIN).fullmatch
_ATOM = rf"[\x80-\ud7ff\ue000-\U0010ffff{_ATEXT[1:-1]}]++"
_plain_mailbox = re.compile(
    rf'(?:"([^"\\\x00-\x1f\x7f\ud800-\udfff]*+)" *+|({_ATOM}(?: {_ATOM})*) *+)?<{PLAIN}>'
).fullmatch


def plain_addresses(sender: object, recipients: object, /) -> tuple[str, ...] | None:
    """Give the recipients if they and the sender are plain; None sends the caller to the parser.

    A plain address is one that `Address` allows, and short, and of letters, digits and the
    other ASCII characters that need no quoting. An empty sender, which is nobody, is plain.

    Args:
        recipients: a list or tuple; anything else, and one that is empty, is not plain.
    """
    if type(recipients) not in (list, tuple) or not recipients:
        return None
    if sender != "" and not is_plain(sender):
        return None
    assert isinstance(recipients, (list, tuple))
    return tuple(recipients) if all(map(is_plain, recipients)) else None


def plain_mailbox(text: object, /) -> tuple[str, str, str] | None:
    """Take apart `a@b`, `<a@b>`, `Name <a@b>` or `"Name" <a@b>` with a plain address.

    Returns:
        The local part, the domain and the name; None sends the caller to the parser, which says the
        same of what is here, and takes more.
    """
    if type(text) is not str:
        return None
    if not text.endswith(">"):
        found = _plain_address(text) if len(text) <= PLAIN_LIMIT else None
        return None if found is None else (found[1], found[2], "")
    if not (found := _plain_mailbox(text)):
        return None
    quoted, phrase, local, domain = found.groups()
    return (local, domain, quoted or phrase or "") if is_plain(f"{local}@{domain}") else None


def is_plain(text: object) -> bool:
    """Tell whether a text is an address that is checked by now and needs neither quotes nor UTF-8.

    Of others nothing is said.
    """
    return type(text) is str and len(text) <= PLAIN_LIMIT and bool(_plain_address(text))
