"""Addresses: refused, or written so that the same is read again and no other domain appears."""

from __future__ import annotations

from smtps.address import Address
from smtps.errors import AddressError
from smtps.mailboxes import parse_address, parse_address_list
from tests.fuzz.feeding import Feed, both

PLAIN = both("addresses")


def check(data: bytes) -> None:
    """Parse it as one address and as a list."""
    text = Feed(data).text()
    assert len({module.plain_mailbox(text) for module in PLAIN}) == 1
    assert len({module.plain_addresses(text, [text]) for module in PLAIN}) == 1
    try:
        _check_one(parse_address(text, field="to"), text)
    except AddressError as error:
        assert str(error).isprintable()
    try:
        found = parse_address_list(text, field="to")
    except AddressError as error:
        assert str(error).isprintable()
        return
    for address in found:
        _check_one(address, text)
    assert parse_address_list(", ".join(map(str, found)), field="to") == found


def _check_one(address: Address, text: str) -> None:
    assert address.domain in text
    assert parse_address(str(address), field="to") == address
    try:
        wire = address.wire(utf8=True)
    except AddressError:
        return
    assert not set(wire) & set("\r\n\0"), "it ends the command"
    if not address.domain:
        return
    again = parse_address(wire, field="to")
    assert again.local == address.local
    assert again.wire(utf8=True) == wire
    # Whoever reads to the last @ that no quotes hold finds this domain and no other.
    assert wire.rpartition("@")[2].isascii()
