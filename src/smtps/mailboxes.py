"""Mailboxes read from text: one, a list of them, or a sender.

The standard library is not used: its parser reads `a@b(<c@d>` or `<a@b>c@d` as `a@b`, or refuses
them, differently from one Python to the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from ._pure.addresses import PLAIN, PLAIN_LIMIT
from .address import ATOM, SPECIAL, Address, checked_address, is_dot_atom, trusted_address
from .codec import plain_mailbox
from .controls import find_control, shown
from .errors import AddressError

__all__ = ["parse_address", "parse_address_list", "parse_sender", "plain_address"]

_COMMENT_DEPTH = 32

_word = re.compile(rf"[^{SPECIAL}]++").match
# What nearly every item of a list is: an address, perhaps with a name before it.
_usual_item = re.compile(
    rf' *+(?:(?:"([^"\\]*+)"|({ATOM}(?: {ATOM})*))? *+(<))?{PLAIN}(>)? *+(?=,|\Z)'
).match
_quoted = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*"').match
_quoted_pair = re.compile(r"\\(.)")
_spaces = re.compile(r" *+").match
_in_comment = re.compile(r"\\.|[()]")


def parse_address(text: str, *, field: str) -> Address:
    """Parse one mailbox: `a@b`, `<a@b>`, `Name <a@b>` or `"Name" <a@b>`.

    Comments are allowed where RFC 5322 allows them, and dropped. Source routes, unquoted dots at
    the edge of a local part and the other obsolete forms are refused. Linear in the length.

    Args:
        text: the mailbox, without line ends; only a literal space is white space.
        field: what the text is, as the caller knows it; the error names it.

    Raises:
        AddressError: not one mailbox.
    """
    if plain := plain_address(text):
        return plain
    if not isinstance(text, str):
        raise AddressError(field, f"expected text, not {type(text).__name__}")
    return _Scanner(text, field).only()


def plain_address(text: object) -> Address | None:
    """Parse one mailbox of the kind that most are; None says nothing of the others."""
    found = plain_mailbox(text)
    return None if found is None else trusted_address(*found)


def parse_address_list(text: str, *, field: str) -> list[Address]:
    """Parse mailboxes separated by commas; empty items are dropped, semicolons do not separate.

    A group (`Friends: a@b, c@d;`) stands for its members, so `undisclosed-recipients:;` gives none.

    Raises:
        AddressError: one of the items is not a mailbox.
    """
    return list(_Scanner(text, field).each())


def parse_sender(text: str, *, field: str) -> Address | None:
    """Like `parse_address`, and None for the null sender: `<>` or nothing. RFC 5321, 4.5.5."""
    if text in ("", "<>"):
        return None
    return parse_address(text, field=field)


def _unquoted(word: str) -> str:
    return _quoted_pair.sub(r"\1", word[1:-1]) if word.startswith('"') else word


class _Scanner:
    """Reads mailboxes from left to right, each character once."""

    __slots__ = ("field", "position", "start", "text")

    def __init__(self, text: str, field: str) -> None:
        self.text = text
        self.field = field
        self.position = 0
        #: Where the current item begins.
        self.start = 0
        if forbidden := find_control(text):
            self.start = max(0, forbidden.start() - 20)
            self.refuse("holds a line end or another control character; remove it")

    def only(self) -> Address:
        """Read the one mailbox that the text holds."""
        address = self.usual() or self.mailbox(self.words())
        if self.next:
            self.refuse_next()
        return address

    def each(self) -> Iterator[Address]:
        """Read every mailbox of a list."""
        in_group = False
        while self.position < len(self.text):
            if address := self.usual():
                self.position += 1
                yield address
                continue
            self.start = self.position
            words = self.words()
            if self.next == ":" and words and not in_group:
                in_group = True
                self.position += 1
                continue
            if words or self.next not in ("", ",", ";"):
                yield self.mailbox(words)
            if self.next == ";" and in_group:
                in_group = False
                self.position += 1
                self.skip()
            if self.next == ",":
                self.position += 1
            elif self.next:
                self.refuse_next()
        if in_group:
            self.refuse("begins a group that no semicolon ends; a name with a colon needs quotes")

    @property
    def next(self) -> str:
        """The character to come, or nothing at the end."""
        return self.text[self.position : self.position + 1]

    def usual(self) -> Address | None:
        """Read one item the quick way, or nothing when it needs a closer look."""
        item = _usual_item(self.text, self.position)
        if item is None:
            return None
        quoted, phrase, opened, local, domain, closed = item.groups()
        if len(local) + len(domain) >= PLAIN_LIMIT or bool(opened) != bool(closed):
            return None
        self.position = item.end()
        return trusted_address(local, domain, quoted or phrase or "")

    def mailbox(self, words: list[str]) -> Address:
        """Read what follows the words at the head of a mailbox."""
        if self.next == "<":
            self.position += 1
            name = " ".join(map(_unquoted, words))
            address = self.address(self.words(), name)
            if self.next != ">":
                self.refuse("has something after the address, or no >")
            self.position += 1
            self.skip()
            return address
        return self.address(words, "")

    def address(self, words: list[str], name: str) -> Address:
        """Read the @ and the domain that follow a local part."""
        if len(words) != 1:
            self.refuse(
                "is not an address; write name@domain, and put quotes around a part with spaces"
                if words
                else "has no address; write name@domain"
            )
        local, domain = _unquoted(words[0]), ""
        if not (words[0].startswith('"') or is_dot_atom(local)):
            self.refuse(
                'has a dot at an edge or two in a row before the @; write it "quoted"@domain'
            )
        if self.next == "@":
            self.position += 1
            domain = self.domain()
        elif self.next not in ("", ",", ";", ">"):
            self.refuse_next()
        return checked_address(local, domain, name, field=self.field)

    def domain(self) -> str:
        """Read a domain or an address literal."""
        self.skip()
        begin = self.position
        if self.next == "[":
            self.position = self.text.find("]", begin) + 1
            if not self.position:
                self.refuse("has a [ without its ]")
        elif atom := _word(self.text, begin):
            self.position = atom.end()
        else:
            self.refuse("has no domain after the @")
        domain = self.text[begin : self.position]
        self.skip()
        return domain

    def words(self) -> list[str]:
        """Read atoms and quoted strings, as they stand, up to another sign."""
        found: list[str] = []
        while True:
            self.skip()
            if self.next == '"':
                word = _quoted(self.text, self.position)
                if not word:
                    self.refuse("has a quote without its end")
            else:
                word = _word(self.text, self.position)
                if not word:
                    return found
            found.append(word[0])
            self.position = word.end()

    def skip(self) -> None:
        """Pass over white space and comments."""
        while True:
            spaces = _spaces(self.text, self.position)
            self.position = spaces.end() if spaces else self.position
            if self.next != "(":
                return
            self.comment()

    def comment(self) -> None:
        """Pass over one comment and those nested in it."""
        depth = 0
        for sign in _in_comment.finditer(self.text, self.position):
            if sign[0] == "(":
                depth += 1
            elif sign[0] == ")":
                depth -= 1
            if depth > _COMMENT_DEPTH:
                self.refuse(f"nests comments more than {_COMMENT_DEPTH} deep")
            if not depth:
                self.position = sign.end()
                return
        self.refuse("has a ( without its )")

    def refuse(self, reason: str) -> NoReturn:
        """Raise for the current item."""
        raise AddressError(self.field, f"{shown(self.text[self.start :].strip(' '))} {reason}")

    def refuse_next(self) -> NoReturn:
        """Raise because of a character that cannot follow here."""
        if self.next == ";":
            self.refuse("is followed by a semicolon; separate addresses with commas")
        self.refuse(
            f"cannot go on with {self.next!r} like this; put quotes around a name that holds it"
        )
