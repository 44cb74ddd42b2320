"""A mailbox address: checked when it is made, and written so that nothing else can be read from it.

What a header shows and what the envelope says come from one value: `Address` keeps the local part
unquoted, and `Address.wire` quotes it again. `mailboxes` reads addresses from text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._pure.addresses import PLAIN, PLAIN_LIMIT
from ._pure.words import quoted_string
from .controls import find_control, shown
from .domain import DOMAIN_LIMIT, domain_to_wire
from .errors import AddressError

__all__ = ["Address", "checked_address", "trusted_address"]

# RFC 5321 4.5.3.1: octets. The 256 of a path include its angle brackets.
_LOCAL_LIMIT = 64
_ADDRESS_LIMIT = 254

#: What no atom holds, as the inside of a set of characters; the dot is apart. RFC 5322, 3.2.3.
SPECIAL = r"""\x00-\x20\x7f()<>@,;:\\"\[\]"""
#: The pattern of an atom.
ATOM = rf"[^.{SPECIAL}]++"

is_dot_atom = re.compile(rf"{ATOM}(?:\.{ATOM})*").fullmatch
_is_plain = re.compile(PLAIN).fullmatch
_is_phrase = re.compile(rf"{ATOM}(?: {ATOM})*").fullmatch

# C0 and C1, the spaces and line ends that are not ASCII, marks that turn the reading direction, the
# byte order mark, and the two characters that are an @ once normalised.
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
        if _is_plain(spec):
            return spec
        if self.needs_utf8 and not utf8:
            raise AddressError(
                field,
                f"{shown(spec)} has letters outside ASCII before the @, which needs a server that "
                "offers SMTPUTF8; use another address of this person or another server",
            )
        if not self.domain:
            return self.local
        return f"{_local_to_wire(self.local)}@{domain_to_wire(self.domain, field=field)}"

    def named(self, name: str, *, field: str = "name") -> Address:
        """Return the same address with another name.

        Raises:
            AddressError: the name holds a control character.
        """
        _check_name(name, field)
        return trusted_address(self.local, self.domain, name)

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
        name = self.name if _is_phrase(self.name) else quoted_string(self.name)
        return f"{name} <{self.spec}>"


def checked_address(local: str, domain: str, name: str, *, field: str) -> Address:
    """Make an address from parts that were not checked.

    Args:
        field: what the address is for, as the caller knows it; the error names it.

    Raises:
        AddressError: as for `Address`.
    """
    _check(local, domain, name, field)
    return trusted_address(local, domain, name)


_set_local = Address.__dict__["local"].__set__
_set_domain = Address.__dict__["domain"].__set__
_set_name = Address.__dict__["name"].__set__


def trusted_address(local: str, domain: str, name: str = "") -> Address:
    """Make an address from parts that were checked: a third of the time of doing it again."""
    address = Address.__new__(Address)
    _set_local(address, local)
    _set_domain(address, domain)
    _set_name(address, name)
    return address


def _check_name(name: str, field: str) -> None:
    if find_control(name):
        raise AddressError(field, f"the name {shown(name)} holds a control character; remove it")


def _check(local: str, domain: str, name: str, field: str) -> None:
    _check_name(name, field)
    spec = f"{local}@{domain}" if domain else local
    if len(spec) <= PLAIN_LIMIT and _is_plain(spec):
        return
    if len(local) > _LOCAL_LIMIT or len(domain) > DOMAIN_LIMIT:
        raise AddressError(
            field,
            f"{shown(spec)} is too long: at most {_LOCAL_LIMIT} octets may stand "
            f"before the @ and {_ADDRESS_LIMIT} in all",
        )
    if not local:
        raise AddressError(field, f"{shown('@' + domain)} has nothing before the @")
    if _misleading(local):
        raise AddressError(
            field,
            f"{shown(spec)} holds, before the @, a control character, a space that "
            "is not ASCII or a sign that misleads the reader; type it anew",
        )
    if not domain:
        if local.lower() != "postmaster":
            raise AddressError(field, f"{shown(local)} has no domain; add @ and a domain")
        return
    local_octets = len(_local_to_wire(local).encode())
    if local_octets > _LOCAL_LIMIT:
        raise AddressError(
            field, f"{shown(local)} is longer than the {_LOCAL_LIMIT} octets allowed before the @"
        )
    if local_octets + 1 + len(domain_to_wire(domain, field=field)) > _ADDRESS_LIMIT:
        raise AddressError(
            field,
            f"{shown(spec)} is longer than the {_ADDRESS_LIMIT} octets allowed",
        )


def _local_to_wire(local: str) -> str:
    return local if is_dot_atom(local) else quoted_string(local)
