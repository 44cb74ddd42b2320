"""Envelopes and recipients refuse what is no parameter, by its name, when it is given."""

from __future__ import annotations

import re
from typing import Any

import pytest

from smtps import AddressError, BadValue, Envelope, Recipient


def envelope(**options: Any) -> Envelope:
    return Envelope("a@x.example", ["b@x.example"], **options)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("priority", "high"),
        ("priority", 1.5),
        ("priority", True),
        ("priority", 10),
        ("deliver_by", "60"),
        ("deliver_by", 60.5),
        ("deliver_by", True),
        ("deliver_by", 0),
        ("envid", 5),
        ("envid", ""),
        ("envid", "a\tb"),
        ("envid", "\ud800"),
        ("ret", 1),
        ("ret", "full"),
        ("requiretls", "no"),
        ("requiretls", 1),
        ("requiretls", 0),
        ("requiretls", None),
        ("smtputf8", "no"),
        ("smtputf8", 0),
        ("smtputf8", ""),
    ],
)
def test_a_value_that_is_none_of_its_parameter_is_refused(field: str, value: Any) -> None:
    with pytest.raises(BadValue) as caught:
        envelope(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "value"), [("ret", "full"), ("envid", "é"), ("deliver_by", 0), ("priority", 10)]
)
def test_a_value_that_is_refused_is_shown(field: str, value: Any) -> None:
    with pytest.raises(BadValue, match=repr(value)):
        envelope(**{field: value})


@pytest.mark.parametrize("value", ["SOMETIMES", "NEVER,SUCCESS", ["DELAY", "DELAY"]])
def test_a_wish_that_is_refused_is_shown(value: Any) -> None:
    with pytest.raises(BadValue, match=f"notify: .*{re.escape(repr(value))}"):
        Recipient("b@x.example", notify=value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("notify", 5),
        ("notify", [5]),
        ("notify", [["NEVER"]]),
        ("notify", "SUCCESS;FAILURE"),
        ("orcpt", 5),
        ("orcpt", ""),
        ("orcpt", "rfc822;"),
        ("orcpt", "a\nb"),
        ("orcpt", b"a@x.example"),
    ],
)
def test_a_wish_of_a_recipient_that_is_none_is_refused(field: str, value: Any) -> None:
    with pytest.raises(BadValue) as caught:
        Recipient("b@x.example", **{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("address", [None, 5, b"a@x.example", ["a@x.example"]])
def test_an_address_that_is_no_text_is_refused(address: Any) -> None:
    with pytest.raises(AddressError, match="expected text, not"):
        Envelope(address, ["b@x.example"])
    with pytest.raises(AddressError, match="expected text, not"):
        Envelope("a@x.example", [address])
    with pytest.raises(AddressError, match="expected text, not"):
        Recipient(address)


@pytest.mark.parametrize("recipients", [None, 5, b"b@x.example"])
def test_recipients_that_are_no_list_are_refused(recipients: Any) -> None:
    with pytest.raises(AddressError, match="recipients: expected addresses, not"):
        Envelope("a@x.example", recipients)


def test_every_parameter_is_kept_as_it_was_given() -> None:
    full = envelope(
        smtputf8=True, ret="HDRS", envid="id 1", requiretls=True, deliver_by=-60, priority=-9
    )
    assert (full.smtputf8, full.ret, full.envid) == (True, "HDRS", "id 1")
    assert (full.requiretls, full.deliver_by, full.priority) == (True, -60, -9)
    person = Recipient("b@x.example", notify=["success", " Delay "], orcpt="c@x.example")
    assert (person.notify, person.orcpt) == (("SUCCESS", "DELAY"), "c@x.example")
