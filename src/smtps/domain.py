"""Domains and address literals: checked, and written in ASCII for the wire."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import NoReturn

from .controls import shown
from .errors import AddressError

__all__ = ["DOMAIN_LIMIT", "domain_to_wire"]

#: Octets of a domain or an address literal. RFC 5321, section 4.5.3.1.2.
DOMAIN_LIMIT = 255
_LABEL_LIMIT = 63

_is_ldh = re.compile(r"[A-Za-z0-9-]++").fullmatch


def domain_to_wire(domain: str, *, field: str) -> str:
    """Return a domain or an address literal as it goes on the wire, in ASCII.

    Raises:
        AddressError: it is neither, or it is a name outside ASCII and `idna` is not installed.
    """
    if not isinstance(domain, str):
        raise AddressError(field, f"expected text, not {type(domain).__name__}")
    if domain.startswith("["):
        _check_literal(domain, field)
        return domain
    if len(domain) > DOMAIN_LIMIT:
        _refuse_domain(domain, field, f"is longer than {DOMAIN_LIMIT} characters")
    ascii_domain = domain if domain.isascii() else _a_labels(domain, field)
    for label in ascii_domain.split("."):
        _check_label(label, domain, field)
    if len(ascii_domain) > DOMAIN_LIMIT:
        _refuse_domain(domain, field, f"is longer than {DOMAIN_LIMIT} characters")
    return ascii_domain


def _check_literal(literal: str, field: str) -> None:
    """Refuse what RFC 5321, 4.1.3 does not define, and a zone (`%eth0`), which is of this host."""
    inside = literal[1:-1]
    try:
        if not literal.endswith("]") or "%" in inside or len(literal) > DOMAIN_LIMIT:
            raise ValueError
        if inside[:5].lower() == "ipv6:":
            ipaddress.IPv6Address(inside[5:])
        else:
            ipaddress.IPv4Address(inside)
    except ValueError:
        raise AddressError(
            field,
            f"{shown(literal)} is not an address literal; write [192.0.2.1] or [IPv6:2001:db8::1]",
        ) from None


def _check_label(label: str, domain: str, field: str) -> None:
    if not label:
        _refuse_domain(domain, field, "has an empty label: a dot too many, or no name at all")
    if len(label) > _LABEL_LIMIT:
        _refuse_domain(domain, field, f"has a label of more than {_LABEL_LIMIT} characters")
    if not _is_ldh(label) or label.startswith("-") or label.endswith("-"):
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
    raise AddressError(field, f"the domain {shown(domain)} {reason}")
