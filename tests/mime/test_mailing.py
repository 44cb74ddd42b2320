"""Mail merge: what changes and what does not, and rows that cannot be filled."""

from __future__ import annotations

from email import message_from_bytes
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
        "text": "Dear {{ name }},\n{{ not a field }} {literal}\n",
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
    assert text.get_content().splitlines() == ["Dear Zoë & <b>,", "{{ not a field }} {literal}"]
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
