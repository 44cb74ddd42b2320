"""Mail merge: what changes and what does not, and rows that cannot be filled."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from smtps.errors import BadValue
from smtps.mime.mailing import Mailing
from smtps.mime.message import Message

ROWS = [{"name": "Ann", "mail": "ann@y.example"}, {"name": "Zoë & <b>", "mail": "zoe@y.example"}]


def template(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "from_": "news@b.example",
        "to": "{{ name }} <{{ mail }}>",
        "subject": "Hello {{name}}",
        "text": "Dear {{ name }},\n{{ not | a field }} {literal}\n",
        "html": "<p>Dear {{ name }}</p>",
    }
    return Message(**fields | changes)


def parsed(message: Message) -> Any:
    return message_from_bytes(message.render(), policy=default)


def test_every_row_is_a_message_with_its_own_values() -> None:
    first, second = Mailing(template()).for_each(ROWS)
    shown = parsed(second)
    assert shown["Subject"] == "Hello Zoë & <b>"
    assert shown["To"].addresses[0].display_name == "Zoë & <b>"
    text, html = shown.iter_parts()
    assert text.get_content().splitlines() == ["Dear Zoë & <b>,", "{{ not | a field }} {literal}"]
    assert html.get_content().strip() == "<p>Dear Zoë &amp; &lt;b&gt;</p>"
    assert second.envelope.addresses == ("zoe@y.example",)
    assert first.message_id != second.message_id


def test_rows_are_taken_as_they_are_needed() -> None:
    taken = []

    def rows() -> Any:
        for row in ROWS:
            taken.append(row)
            yield row

    messages = Mailing(template()).for_each(rows())
    next(messages)
    assert len(taken) == 1


def test_a_row_without_a_field_fails_alone_and_is_named() -> None:
    first, second, third = Mailing(template()).for_each([ROWS[0], {"mail": "x@y.example"}, ROWS[1]])
    with pytest.raises(BadValue, match=r"row 1.*name"):
        _ = second.envelope
    assert first.envelope.addresses + third.envelope.addresses == ("ann@y.example", "zoe@y.example")


def test_fields_are_named_as_columns_are() -> None:
    message = template(text="{{ First Name }}, {{größe}}, {{ a.b-c }}", html=None)
    row = ROWS[0] | {"First Name": "Ann", "größe": "XL", "a.b-c": "x"}
    (filled,) = Mailing(message).for_each([row])
    assert parsed(filled).get_content().strip() == "Ann, XL, x"


def test_rows_of_a_database_are_taken_as_they_come() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT 'Ann' AS name, 'ann@y.example' AS mail").fetchall()
    (filled,) = Mailing(template()).for_each(rows)
    assert filled.envelope.addresses == ("ann@y.example",)


@pytest.mark.parametrize("row", [5, None, ["Ann"]])
def test_what_is_no_row_fails_alone_and_is_named(row: Any) -> None:
    bad, good = Mailing(template()).for_each([row, ROWS[0]])
    with pytest.raises(BadValue, match="row 0: fields: expected a mapping, such as a dict, not"):
        _ = bad.envelope
    assert good.envelope.addresses == ("ann@y.example",)


def test_a_row_that_was_not_filled_is_not_rendered() -> None:
    (message,) = Mailing(template()).for_each([{"mail": "a@y.example"}])
    with pytest.raises(BadValue, match="row 0: name: missing"):
        message.render()


def test_a_name_that_cannot_be_filled_is_named_by_its_header() -> None:
    (message,) = Mailing(template()).for_each([{"mail": "a@y.example", "name": "x\r\ny"}])
    with pytest.raises(BadValue, match="row 0: to: the name"):
        _ = message.envelope


@pytest.mark.parametrize("rows", [None, 5, "rows", ROWS[0]])
def test_rows_are_many(rows: Any) -> None:
    with pytest.raises(BadValue, match="rows: expected mappings, one for each, not"):
        Mailing(template()).for_each(rows)


def test_only_a_message_can_be_a_mailing() -> None:
    message: Any = EmailMessage()
    with pytest.raises(
        BadValue, match=r"message: expected .*, not EmailMessage; Message.from_email"
    ):
        Mailing(message)


@pytest.mark.parametrize("field", ["from_", "cc", "bcc", "reply_to"])
@pytest.mark.parametrize("value", ["{{ name }} <news@b.example>", "{{name}}@b.example"])
def test_a_field_where_none_is_filled_is_never_sent_as_it_is(field: str, value: str) -> None:
    with pytest.raises(BadValue, match=f"{field}: .* has a field"):
        Mailing(template(**{field: value}))


@pytest.mark.parametrize("mail", ["a@y.example, v@x.example", "v@x.example> <a@y.example", "", "x"])
def test_a_value_is_never_more_than_one_recipient(mail: str) -> None:
    (message,) = Mailing(template(to="{{ mail }}")).for_each([{"mail": mail, "name": "x"}])
    with pytest.raises(BadValue, match="row 0"):
        _ = message.envelope


def test_a_value_cannot_begin_a_header() -> None:
    (message,) = Mailing(template()).for_each([{"mail": "a@y.example", "name": "x\r\nBcc: v@x"}])
    with pytest.raises(BadValue, match="row 0"):
        _ = message.envelope


def test_headers_are_filled_and_a_url_is_quoted() -> None:
    message = template(headers={"X-Reader": "{{ mail }}"})
    message.unsubscribe(url="https://b.example/u/{{ name }}")
    (filled,) = Mailing(message).for_each([{"mail": "a@y.example", "name": "a/b?c=ä>"}])
    shown = parsed(filled)
    assert shown["X-Reader"] == "a@y.example"
    assert shown["List-Unsubscribe"] == "<https://b.example/u/a%2Fb%3Fc%3D%C3%A4%3E>"


def test_files_go_with_every_message() -> None:
    message = template()
    message.attach(b"%PDF", name="a.pdf")
    for filled in Mailing(message).for_each(ROWS):
        assert [part.get_content_type() for part in parsed(filled).iter_attachments()] == [
            "application/pdf"
        ]


def test_a_template_is_not_sent_by_itself() -> None:
    with pytest.raises(BadValue, match="Mailing"):
        template().render()
    with pytest.raises(BadValue, match="Mailing"):
        _ = template().envelope


def test_a_mailing_is_apart_from_its_message() -> None:
    message = template()
    mailing = Mailing(message)
    message.subject = "changed"
    (filled,) = mailing.for_each(ROWS[:1])
    assert filled.subject == "Hello Ann"
    assert message.to_template
