"""Folding: a long header line becomes several, each but the first beginning with white space.

The fold goes before white space that is there already, so unfolding gives back the same text.
RFC 5322, section 2.2.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["HARD_LIMIT", "fold"]

#: The most characters of a line without its CRLF. RFC 5322, section 2.1.1.
HARD_LIMIT = 998
# RFC 2047, section 2: of a line that holds an encoded word.
_ENCODED_LIMIT = 76

# A word and the white space before it; in structured headers a quoted string is one word.
_text_words = re.compile(r"[ \t]*+[^ \t]++")
_structured_words = re.compile(r'[ \t]*+(?:"(?:[^"\\]|\\.)*+"?|[^ \t])++')


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
