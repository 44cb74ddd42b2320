"""An address: what it may hold, and that nothing else can be read from what goes on the wire."""

from __future__ import annotations

import sys

import pytest

from smtps._pure.words import quoted_string
from smtps.address import Address
from smtps.domain import domain_to_wire
from smtps.errors import AddressError
from smtps.mailboxes import parse_address

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F)]


def one(text: str) -> Address:
    return parse_address(text, field="To")


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("part", ["local", "domain", "name"])
def test_an_address_cannot_be_made_with_a_control_character(part: str, control: str) -> None:
    parts = {"local": "a", "domain": "b", "name": "c"}
    with pytest.raises(AddressError):
        Address(**parts | {part: f"x{control}y"})


def test_letters_whose_low_byte_is_a_newline_stay_letters() -> None:
    # A narrowing cast would make CR and LF of these two.
    spec = Address("a\u760d\u760aRCPT", "x").wire(utf8=True)
    assert b"\r" not in spec.encode()
    assert b"\n" not in spec.encode()


def test_only_postmaster_may_lack_a_domain() -> None:
    with pytest.raises(AddressError, match="no domain"):
        Address("webmaster", "")


# --- on the wire ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("Anna <anna@example.org>", "anna@example.org"),
        ('"plain"@c', "plain@c"),
        ('"x@gmail.com y"@in.test', '"x@gmail.com y"@in.test'),
        ('"a@e> ORCPT=v"@t', '"a@e> ORCPT=v"@t'),
        (r'"a\"b\\"@c', r'"a\"b\\"@c'),
        ('".a"@b', '".a"@b'),
        ("bob@tëst", "bob@xn--tst-jma"),
        ("bob@TËST", "bob@xn--tst-jma"),
        ("bob@faß.de", "bob@xn--fa-hia.de"),
        ("bob@ex\uff0eample", "bob@ex.ample"),
        ("bob@ex。ample", "bob@ex.ample"),
        ("bob@[IPv6:::1]", "bob@[IPv6:::1]"),
        ("Postmaster", "Postmaster"),
    ],
)
def test_the_envelope_form_quotes_again_and_is_ascii(text: str, wire: str) -> None:
    assert one(text).wire() == wire


def test_a_local_part_outside_ascii_needs_smtputf8() -> None:
    address = one("bøb@tëst")
    assert address.needs_utf8
    with pytest.raises(AddressError, match="SMTPUTF8") as caught:
        address.wire(field="recipient")
    assert caught.value.field == "recipient"
    assert address.wire(utf8=True) == "bøb@xn--tst-jma"


def test_a_domain_outside_ascii_does_not_need_smtputf8() -> None:
    assert not one("bob@tëst").needs_utf8


def test_a_domain_outside_ascii_without_idna_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    with pytest.raises(AddressError, match=r"pip install smtps\[idna\]"):
        one("bob@nöt-yet-seen.example")


def test_the_domain_is_kept_as_given_for_display() -> None:
    assert str(one("Bob <bob@tëst>")) == "Bob <bob@tëst>"


@pytest.mark.parametrize(
    ("domain", "wire"),
    [("mail.example", "mail.example"), ("[192.0.2.1]", "[192.0.2.1]"), ("tëst", "xn--tst-jma")],
)
def test_a_domain_alone_goes_on_the_wire_in_ascii(domain: str, wire: str) -> None:
    assert domain_to_wire(domain, field="Hello") == wire


def test_a_quoted_string_escapes_quotes_and_backslashes() -> None:
    assert quoted_string('a"b\\c') == r'"a\"b\\c"'
