"""Mailbox addresses: parsed strictly, and written so that nothing else can be read from them.

What a header shows and what the envelope says come from one parse: `Address` keeps the local part
unquoted, and `Address.wire` quotes it again. The standard library is not used: its parser reads
`a@b(<c@d>` or `<a@b>c@d` as `a@b`, or refuses them, differently from one Python to the next.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from ._pure.addresses import PLAIN, PLAIN_LIMIT
from ._pure.words import quoted_string
from .codec import plain_mailbox
from .errors import AddressError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Address",
    "domain_to_wire",
    "parse_address",
    "parse_address_list",
    "parse_sender",
    "plain_address",
    "quoted_string",
]

# RFC 5321 4.5.3.1: octets. The 256 of a path include its angle brackets.
_LOCAL_LIMIT = 64
_DOMAIN_LIMIT = 255
_ADDRESS_LIMIT = 254
_LABEL_LIMIT = 63
_COMMENT_DEPTH = 32

_plain_address = re.compile(PLAIN).fullmatch

_SPECIAL = r"""\x00-\x20\x7f()<>@,;:\\"\[\]"""
_ATOM = rf"[^.{_SPECIAL}]++"
_word = re.compile(rf"[^{_SPECIAL}]++").match
_dot_atom = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+").fullmatch
_phrase = re.compile(rf"{_ATOM}(?: {_ATOM})*+").fullmatch
# What nearly every item of a list is: an address, perhaps with a name before it.
_usual_item = re.compile(
    rf' *+(?:(?:"([^"\\]*+)"|({_ATOM}(?: {_ATOM})*+))? *+(<))?{PLAIN}(>)? *+(?=,|\Z)'
).match
_quoted = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"').match
_quoted_pair = re.compile(r"\\(.)")
_spaces = re.compile(r" *+").match
_in_comment = re.compile(r"\\.|[()]")
_ldh = re.compile(r"[A-Za-z0-9-]++").fullmatch

_control = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]").search
# In a local part also: C1, the spaces and line ends that are not ASCII, marks that turn the reading
# direction, the byte order mark, and the two characters that are an @ once normalised.
_misleading = re.compile(
    "[\x00-\x1f\x7f-\xa0\u061c\u1680\u2000-\u200a\u200e\u200f\u2028-\u202f\u205f\u2066-\u2069"
    "\u3000\ud800-\udfff\ufe6b\ufeff\uff20\ufffe\uffff]"
).search


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox: an address and the name shown beside it.

    One that exists can be sent: everything but the need for SMTPUTF8 was checked when it was made.
    `str` gives the form for people, from which `parse_address` makes an equal value.

    Args:
        local: what stands before the @, unquoted.
        domain: as it was given: a name, with any letters, or a literal such as `[192.0.2.1]`. Empty
            for `postmaster` alone, which RFC 5321 section 4.5.1 wants taken without one; that
            address is for RCPT only.

    Raises:
        AddressError: it breaks the rules or the limits of RFC 5321, or could mislead its reader.
    """

    local: str
    domain: str
    name: str = ""

    def __post_init__(self) -> None:
        _check(self.local, self.domain, self.name, "address")

    def wire(self, *, utf8: bool = False, field: str = "address") -> str:
        """Return what goes between `<` and `>` in the envelope, and into a header.

        The local part is quoted where it must be. The domain is written in ASCII always (A-labels,
        UTS 46), so that the same mailbox reads the same under SMTPUTF8 and without.

        Args:
            utf8: whether the server offers SMTPUTF8.
            field: what the address is for, as the caller knows it; the error names it.

        Raises:
            AddressError: the local part is not ASCII and `utf8` is false.
        """
        spec = f"{self.local}@{self.domain}"
        if _plain_address(spec):
            return spec
        if self.needs_utf8 and not utf8:
            raise AddressError(
                field,
                f"{_shown(spec)} has letters outside ASCII before the @, which needs a server that "
                "offers SMTPUTF8; use another address of this person or another server",
            )
        if not self.domain:
            return self.local
        return f"{_local_to_wire(self.local)}@{domain_to_wire(self.domain, field=field)}"

    def named(self, name: str) -> Address:
        """Return the same address with another name.

        Raises:
            AddressError: the name holds a control character.
        """
        _check_name(name, "address")
        return _checked(self.local, self.domain, name)

    @property
    def spec(self) -> str:
        """The address without the name, as people read it."""
        local = _local_to_wire(self.local)
        return f"{local}@{self.domain}" if self.domain else local

    @property
    def needs_utf8(self) -> bool:
        """Whether only SMTPUTF8 can carry it. A domain never needs it. RFC 6531."""
        return not self.local.isascii()

    def __str__(self) -> str:
        if not self.name:
            return self.spec
        name = self.name if _phrase(self.name) else quoted_string(self.name)
        return f"{name} <{self.spec}>"


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
    return None if found is None else _checked(*found)


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


def domain_to_wire(domain: str, *, field: str) -> str:
    """Return a domain or an address literal as it goes on the wire, in ASCII.

    Raises:
        AddressError: it is neither, or it is a name outside ASCII and `idna` is not installed.
    """
    if domain.startswith("["):
        _check_literal(domain, field)
        return domain
    if len(domain) > _DOMAIN_LIMIT:
        _refuse_domain(domain, field, f"is longer than {_DOMAIN_LIMIT} characters")
    ascii_domain = domain if domain.isascii() else _a_labels(domain, field)
    for label in ascii_domain.split("."):
        _check_label(label, domain, field)
    if len(ascii_domain) > _DOMAIN_LIMIT:
        _refuse_domain(domain, field, f"is longer than {_DOMAIN_LIMIT} characters")
    return ascii_domain


# --- what a part may hold -------------------------------------------------------------------------


def _check_name(name: str, field: str) -> None:
    if _control(name):
        raise AddressError(field, f"the name {_shown(name)} holds a control character; remove it")


def _check(local: str, domain: str, name: str, field: str) -> None:
    _check_name(name, field)
    spec = f"{local}@{domain}" if domain else local
    if len(spec) <= PLAIN_LIMIT and _plain_address(spec):
        return
    if len(local) > _LOCAL_LIMIT or len(domain) > _DOMAIN_LIMIT:
        raise AddressError(
            field,
            f"{_shown(spec)} is too long: at most {_LOCAL_LIMIT} octets may stand "
            f"before the @ and {_ADDRESS_LIMIT} in all",
        )
    if not local:
        raise AddressError(field, f"{_shown('@' + domain)} has nothing before the @")
    if _misleading(local):
        raise AddressError(
            field,
            f"{_shown(spec)} holds, before the @, a control character, a space that "
            "is not ASCII or a sign that misleads the reader; type it anew",
        )
    if not domain:
        if local.lower() != "postmaster":
            raise AddressError(field, f"{_shown(local)} has no domain; add @ and a domain")
        return
    local_octets = len(_local_to_wire(local).encode())
    if local_octets > _LOCAL_LIMIT:
        raise AddressError(
            field, f"{_shown(local)} is longer than the {_LOCAL_LIMIT} octets allowed before the @"
        )
    if local_octets + 1 + len(domain_to_wire(domain, field=field)) > _ADDRESS_LIMIT:
        raise AddressError(
            field,
            f"{_shown(spec)} is longer than the {_ADDRESS_LIMIT} octets allowed",
        )


_set_local = Address.__dict__["local"].__set__
_set_domain = Address.__dict__["domain"].__set__
_set_name = Address.__dict__["name"].__set__


def _checked(local: str, domain: str, name: str = "") -> Address:
    """Make an address from parts that were checked: a third of the time of doing it again."""
    address = Address.__new__(Address)
    _set_local(address, local)
    _set_domain(address, domain)
    _set_name(address, name)
    return address


def _local_to_wire(local: str) -> str:
    return local if _dot_atom(local) else quoted_string(local)


def _check_literal(literal: str, field: str) -> None:
    """Refuse what RFC 5321, 4.1.3 does not define, and a zone (`%eth0`), which is of this host."""
    inside = literal[1:-1]
    try:
        if not literal.endswith("]") or "%" in inside or len(literal) > _DOMAIN_LIMIT:
            raise ValueError
        if inside[:5].lower() == "ipv6:":
            ipaddress.IPv6Address(inside[5:])
        else:
            ipaddress.IPv4Address(inside)
    except ValueError:
        raise AddressError(
            field,
            f"{_shown(literal)} is not an address literal; write [192.0.2.1] or [IPv6:2001:db8::1]",
        ) from None


def _check_label(label: str, domain: str, field: str) -> None:
    if not label:
        _refuse_domain(domain, field, "has an empty label: a dot too many, or no name at all")
    if len(label) > _LABEL_LIMIT:
        _refuse_domain(domain, field, f"has a label of more than {_LABEL_LIMIT} characters")
    if not _ldh(label) or label.startswith("-") or label.endswith("-"):
        _refuse_domain(
            domain, field, "may hold letters, digits, dots, and hyphens between them only"
        )
    if label[:4].lower() == "xn--":
        _check_a_label(label[4:].lower(), domain, field)


def _check_a_label(encoded: str, domain: str, field: str) -> None:
    """Refuse a label that claims to be an A-label and is not the encoding of anything."""
    try:
        decoded = encoded.encode("ascii").decode("punycode")
        genuine = not decoded.isascii() and decoded.encode("punycode").decode() == encoded
    except UnicodeError:
        genuine = False
    if not genuine:
        _refuse_domain(domain, field, "has a label that begins with xn-- and is not an A-label")
    _refuse_invisible(decoded, domain, field)


def _refuse_invisible(text: str, domain: str, field: str) -> None:
    # UTS 46 would drop some of these: the mail would go elsewhere than the eye reads.
    if any(unicodedata.category(character) in ("Cc", "Cf") for character in text):
        _refuse_domain(domain, field, "holds an invisible character; type it anew")


@lru_cache(maxsize=1024)
def _a_labels(domain: str, field: str) -> str:
    _refuse_invisible(domain, domain, field)
    try:
        import idna
    except ImportError:
        _refuse_domain(
            domain, field, "has letters outside ASCII, which needs: pip install smtps[idna]"
        )
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        _refuse_domain(domain, field, "is not an internationalised domain name (IDNA 2008)")


def _refuse_domain(domain: str, field: str, reason: str) -> NoReturn:
    raise AddressError(field, f"the domain {_shown(domain)} {reason}")


def _shown(text: str) -> str:
    """Return text for an error: nothing invisible in it, and 60 characters at most."""
    shown = repr(text[:60])
    return shown if len(text) <= 60 and len(shown) <= 60 else f"{shown[:56]}...{shown[-1]}"


def _unquoted(word: str) -> str:
    return _quoted_pair.sub(r"\1", word[1:-1]) if word.startswith('"') else word


# --- the scanner ----------------------------------------------------------------------------------


class _Scanner:
    """Reads mailboxes from left to right, each character once."""

    __slots__ = ("field", "position", "start", "text")

    def __init__(self, text: str, field: str) -> None:
        self.text = text
        self.field = field
        self.position = 0
        #: Where the current item begins.
        self.start = 0
        if forbidden := _control(text):
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
        return _checked(local, domain, quoted or phrase or "")

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
        if not (words[0].startswith('"') or _dot_atom(local)):
            self.refuse(
                'has a dot at an edge or two in a row before the @; write it "quoted"@domain'
            )
        if self.next == "@":
            self.position += 1
            domain = self.domain()
        elif self.next not in ("", ",", ";", ">"):
            self.refuse_next()
        _check(local, domain, name, self.field)
        return _checked(local, domain, name)

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
        raise AddressError(self.field, f"{_shown(self.text[self.start :].strip(' '))} {reason}")

    def refuse_next(self) -> NoReturn:
        """Raise because of a character that cannot follow here."""
        if self.next == ";":
            self.refuse("is followed by a semicolon; separate addresses with commas")
        self.refuse(
            f"cannot go on with {self.next!r} like this; put quotes around a name that holds it"
        )
