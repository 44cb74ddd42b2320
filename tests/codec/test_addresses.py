"""The short way to a plain mailbox: it says what the strict parser says, or nothing."""

from __future__ import annotations

from dataclasses import astuple
from importlib import import_module

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smtps.address import Address
from smtps.codec import implementation as compiled
from smtps.codec import plain_mailbox
from smtps.errors import AddressError
from smtps.mailboxes import _Scanner

PARTS = st.lists(
    st.sampled_from(
        (
            *("a", "b.c", "Anna", "Zoë", " ", "  ", "@", "<", ">", '"', ".", ",", "(", ")", "\\"),
            *("-", "--", "x@y.example", "<x@y.example>", '"Doe, J" <', "\t", "\0", "\ud800", "é@"),
            *("w" * 61, ":", "漢"),
        )
    ),
    max_size=9,
).map("".join)


def strictly(text: str) -> Address | None:
    try:
        return _Scanner(text, "To").only()
    except AddressError:
        return None


@pytest.mark.parametrize("implementation", ["pure", "fast"])
@given(PARTS | st.text(max_size=30))
@example("a@b")
@example("<a@b>")
@example('"" <a@b>')
@example("Anna  <a@b>")
@example(" <a@b>")
@example("Anna <a@b")
@example("<" + "w" * 62 + "@b>")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_short_way_says_what_the_strict_parser_says(implementation: str, text: str) -> None:
    if implementation == "fast" and compiled == "pure":
        return
    short = import_module(f"smtps._{implementation}.addresses").plain_mailbox(text)
    plain = import_module("smtps._pure.addresses").plain_mailbox(text)
    assert short == plain
    if short is not None:
        assert strictly(text) == Address(*short)


@pytest.mark.parametrize(
    "text", ["a@b.example", "<a@b>", "Anna Maria <a@b>", '"Doe, J." <a@b>', "Zoë<a@b>"]
)
def test_usual_mailboxes_go_the_short_way(text: str) -> None:
    assert plain_mailbox(text) == astuple(strictly(text) or Address("x", "x"))


@pytest.mark.parametrize("implementation", ["pure", "fast"])
def test_a_bare_address_is_taken_apart(implementation: str) -> None:
    if compiled != "fast" and implementation == "fast":
        implementation = "pure"
    module = import_module(f"smtps._{implementation}.addresses")
    assert module.plain_mailbox("a@b.example") == ("a", "b.example", "")
    assert module.plain_mailbox("Ann <a@b.example>") == ("a", "b.example", "Ann")
    assert module.plain_mailbox("a b@c") is None
