"""The messages of a mailing before and after somebody looks at them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtps.errors import BadValue
from smtps.mime.mailing import Mailing
from smtps.mime.message import Message
from smtps.mime.row import Row
from smtps.mime.transfer import Offer

ROW = {"name": "Ann", "mail": "ann@y.example"}


def mailing(**changes: Any) -> Mailing:
    fields: dict[str, Any] = {
        "from_": "News <news@b.example>",
        "to": "{{ name }} <{{ mail }}>",
        "subject": "Hello {{ name }}",
        "text": "Dear {{ name }},\nyours.\n",
        "html": "<p>Dear {{ name }}</p>",
        "reply_to": "desk@b.example",
        "headers": {"X-List": "news"},
    }
    return Mailing(Message(**fields | changes))


def row_of(values: Any = None, **changes: Any) -> Row:
    (row,) = mailing(**changes).for_each([values or ROW])
    assert isinstance(row, Row)
    return row


@given(
    name=st.text(max_size=20) | st.sampled_from(["Zoë & <b>", "a\nb", " x ", '"q"', "日本 " * 30]),
    mail=st.sampled_from(["a@y.example", "Bo <a@y.example>", "a.b+c@y.example", "nobody", "ä@y.x"]),
    text=st.sampled_from([None, "", "Hi", "Hi {{ name }}", "{{ name }}\r\n", "a\rb{{ name }}\nc"]),
    html=st.sampled_from([None, "<p>{{name}}</p>{{ name }}\n", "Grüße"]),
    to=st.sampled_from(["{{ mail }}", "{{ name }} <{{ mail }}>", "Dr {{ name }} <{{ mail }}>"]),
    subject=st.sampled_from(["", "Hi", "Hi {{ name }}", "Grüße, und alles " * 9 + "{{ name }}"]),
    eight_bit=st.booleans(),
)
@settings(deadline=None, max_examples=400)
def test_what_goes_is_the_message_that_it_becomes(eight_bit: bool, **fields: Any) -> None:
    values = {"name": fields.pop("name"), "mail": fields.pop("mail")}
    row, *_ = mailing(**fields).for_each([values])
    filled = row.filled(eight_bit) if isinstance(row, Row) else None
    if filled is None:
        return
    content = filled.whole()
    assert len(filled) == len(content)
    assert filled.eight_bit == (not content.isascii())
    made = row.rendering(Offer(eight_bit=eight_bit)).whole()
    assert content == (made if made.endswith(b"\r\n") else made + b"\r\n")
    assert filled.envelope == row.envelope
    assert filled.message_id == row.message_id


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": None},
        {"html": None, "text": "Hi"},
        {"headers": {"X-Reader": "{{ mail }}"}},
        {"to": "{{ mail }}"},
        {"subject": ""},
        {"date": "Mon, 02 Jan 2006 15:04:05 +0000", "message_id": "<own@b.example>"},
    ],
)
def test_a_usual_row_is_made_at_once(changes: dict[str, Any]) -> None:
    row = row_of(**changes)
    filled = row.filled(True)
    assert filled is not None
    assert type(row) is Row
    made = row.rendering(Offer(eight_bit=True)).whole()
    assert filled.whole().removesuffix(b"\r\n") == made.removesuffix(b"\r\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"cc": "c@y.example"},
        {"bcc": "c@y.example"},
        {"from_": "ä@b.example"},
        {"text": "x" * 999},
        {"to": "always@y.example"},
    ],
)
def test_another_row_becomes_a_message_first(changes: dict[str, Any]) -> None:
    row = row_of(**changes)
    assert row.filled(True) is None
    assert b"Ann" in row.rendering(Offer(utf8=True)).whole()


def test_a_row_keeps_its_identity() -> None:
    row = row_of()
    first, second = row.filled(True), row.filled(True)
    assert first is second
    assert first is not None
    assert row.date == first.date
    assert first.boundary.encode() in row.render()


def test_a_row_with_8_bits_becomes_a_message_for_a_server_that_takes_7() -> None:
    row = row_of({"name": "Zoë", "mail": "z@y.example"})
    filled = row.filled(True)
    assert filled is not None
    assert row.filled(False) is None
    assert row.message_id == filled.message_id


def test_a_row_is_its_values_when_it_came() -> None:
    values = dict(ROW)
    row = row_of(values)
    values["name"] = "Bob"
    assert row.subject == "Hello Ann"


def test_a_row_can_be_changed_like_any_message() -> None:
    row = row_of()
    row.subject = "Other"
    row.attach(b"%PDF", name="a.pdf")
    assert type(row) is Message
    assert row.subject == "Other"
    assert row.to[0].name == "Ann"


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda row: row.copy()])
def test_a_row_can_be_copied(how: Any) -> None:
    other = how(row_of())
    assert type(other) is Message
    assert other.subject == "Hello Ann"


def test_a_copy_of_a_row_has_an_identity_of_its_own() -> None:
    row = row_of()
    assert row.copy().message_id != row.message_id


def test_a_row_can_be_shown() -> None:
    assert repr(row_of()) == "<Message 'Hello Ann' to 1>"


def test_a_row_without_an_attribute_says_so() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        row_of().nothing  # noqa: B018


def test_a_row_that_fails_names_itself_however_it_is_used() -> None:
    row = row_of({"name": "x", "mail": "nobody"})
    assert row.filled(True) is None
    for _ in range(2):
        with pytest.raises(BadValue, match=r"row 0.*nobody"):
            row.envelope  # noqa: B018


def test_half_of_a_surrogate_pair_names_row_and_field() -> None:
    (message,) = mailing().for_each([{"name": "\ud800", "mail": "a@y.example"}])
    with pytest.raises(BadValue, match=r"row 0.*name.*surrogate"):
        message.envelope  # noqa: B018


def test_values_that_are_no_text_are_put_in_as_text() -> None:
    (message,) = mailing().for_each([{"name": 7, "mail": "a@y.example"}])
    assert isinstance(message, Row)
    filled = message.filled(True)
    assert filled is not None
    assert b"Dear 7,\r\n" in filled.whole()
