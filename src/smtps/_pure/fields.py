"""Header fields: from a text or from mailboxes to the lines that go on the wire.

A long line is folded: it becomes several, each but the first beginning with white space. The fold
goes before white space that is there already, so unfolding gives back the same text. RFC 5322,
section 2.2.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from .addresses import is_plain
from .words import encode_phrase, encode_unstructured

__all__ = ["address_field", "fold", "text_field"]

#: The most characters of a line without its CRLF. RFC 5322, section 2.1.1.
HARD_LIMIT = 998
# RFC 2047, section 2: of a line that holds an encoded word.
_ENCODED_LIMIT = 76

_field_name = re.compile(r"[!-9;-~]{1,76}").fullmatch
_forbidden = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]").search
# A word and the white space before it; in structured headers a quoted string is one word.
# It begins with all of the white space, so that blanks without a word are gone through once.
_text_words = re.compile(r"(?<![ \t])[ \t]*+[^ \t]++")
_structured_words = re.compile(r'(?<![ \t])[ \t]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*"?|[^ \t"]++)+')


class _Mailbox(Protocol):
    """What names a person: the parts of an address, and the name shown beside it."""

    @property
    def local(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def name(self) -> str: ...


def text_field(name: str, text: str, limit: int = 80) -> bytes | None:
    """Give the lines of a header that holds text for people, encoded so far as it needs it.

    Args:
        limit: see `fold`.

    Returns:
        None if the name is none, the text holds a control character or half of a surrogate pair, or
        a line would be longer than 998: then the caller says what is wrong.
    """
    if type(name) is not str or type(text) is not str:
        return None
    if not _field_name(name) or _forbidden(text):
        return None
    value = encode_unstructured(text, column=len(name) + 2)
    return _lines(f"{name}: {value}" if value else f"{name}:", limit, structured=False)


def address_field(name: str, addresses: Iterable[_Mailbox], limit: int = 80) -> bytes | None:
    """Give the lines of a header that holds mailboxes.

    Returns:
        None if there is none, an address is not a plain one, or something cannot stand in a header:
        then the caller takes a closer look.
    """
    if type(name) is not str or not _field_name(name):
        return None
    mailboxes: list[str] = []
    for address in addresses:
        spec = f"{address.local}@{address.domain}"
        shown = address.name
        if not is_plain(spec) or _forbidden(shown):
            return None
        if shown:
            column = 0 if mailboxes else len(name) + 2
            spec = f"{encode_phrase(shown, column=column)} <{spec}>"
        mailboxes.append(spec)
    if not mailboxes:
        return None
    return _lines(f"{name}: {', '.join(mailboxes)}", limit, structured=True)


def _lines(line: str, limit: int, *, structured: bool) -> bytes | None:
    lines = fold(line, limit, structured=structured)
    if len(lines) > HARD_LIMIT and max(map(len, lines.split("\r\n"))) > HARD_LIMIT:
        return None
    return f"{lines}\r\n".encode("ascii")


def fold(line: str, limit: int, *, structured: bool = False) -> str:
    """Fold `Name: value` at white space so that its lines keep to `limit` characters.

    A word that is longer is left whole, and nothing is folded away from the name unless the hard
    limit of 998 demands it. A line with encoded words keeps to 76.

    Args:
        line: without line ends, and without white space at its end.
        limit: 0 folds only what is over the hard limit.
        structured: whether the value is made of mailboxes, identifiers or parameters: then quoted
            strings stay whole, and a fold after a comma is preferred.
    """
    if limit and "=?" in line:
        limit = min(limit, _ENCODED_LIMIT)
    limit = min(limit or HARD_LIMIT, HARD_LIMIT)
    if len(line) <= limit:
        return line
    name, _, value = line.partition(":")
    words = (_structured_words if structured else _text_words).findall(value)
    lines: list[str] = []
    current = name + ":"
    bare = True
    for item in _items(words) if structured else ([word] for word in words):
        # A mailbox that is torn begins on a line of its own.
        if not bare and len(current) + sum(map(len, item)) > limit:
            lines.append(current)
            current = ""
        for word in item:
            if current and len(current) + len(word) > (HARD_LIMIT if bare else limit):
                lines.append(current)
                current = ""
            current += word
            bare = False
    lines.append(current)
    return "\r\n".join(lines)


def _items(words: list[str]) -> Iterator[list[str]]:
    """Part the words after those that end in a comma."""
    item: list[str] = []
    for word in words:
        item.append(word)
        if word.endswith(","):
            yield item
            item = []
    if item:
        yield item
