"""The people of a message: mailboxes from text or from values, and the headers that name them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from ..address import Address
from ..errors import AddressError
from ..mailboxes import parse_address, parse_address_list, plain_address
from .headers import address_header

__all__ = ["People", "parse_people", "people_header"]

#: `a@b`, `Ann <a@b>`, several of them with commas between, or a sequence of such.
People: TypeAlias = str | Address | Iterable[str | Address]

# The same people get copies of many messages.
_parse_list = lru_cache(maxsize=256)(parse_address_list)


def parse_people(value: People, field: str) -> tuple[Address, ...]:
    """Take mailboxes in any of their forms.

    Raises:
        AddressError: one is no mailbox.
    """
    if plain := plain_address(value):
        return (plain,)
    if isinstance(value, str):
        return tuple(_parse_list(value, field=field)) if value else ()
    if isinstance(value, Address):
        return (value,)
    if isinstance(value, (bytes, bytearray)) or not isinstance(value, Iterable):
        raise AddressError(field, f"expected text, not {type(value).__name__}")
    found = []
    for one in value:
        if isinstance(one, Address):
            found.append(one)
        elif isinstance(one, str):
            found.append(parse_address(one, field=field))
        else:
            raise AddressError(field, f"expected an address, not {type(one).__name__}")
    return tuple(found)


def people_header(name: str, people: tuple[Address, ...], *, utf8: bool = False) -> bytes:
    """Return the header that names these people; nothing for nobody.

    Raises:
        AddressError: a local part is not ASCII and `utf8` is false.
    """
    return address_header(name, people, utf8=utf8) if people else b""
