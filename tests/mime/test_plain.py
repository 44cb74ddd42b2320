"""The classic component's message: its headers in their order, its body, and who wins."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.address import Address
from smtps.errors import AddressError, BadValue
from smtps.mime.plain import ComposedMessage, PlainMessage

LEAST = {"from_": "a@b.example", "send_to": "c@d.example"}


def compose(*, eight_bit_mime: bool = True, utf8: bool = False, **changes: Any) -> ComposedMessage:
    return with_fields(changes).compose(eight_bit_mime=eight_bit_mime, utf8=utf8)


def with_fields(changes: dict[str, Any]) -> PlainMessage:
    return PlainMessage(**LEAST | changes)


def text_of(composed: ComposedMessage) -> str:
    content = read(composed).get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def read(composed: ComposedMessage) -> EmailMessage:
    message = message_from_bytes(composed.content, policy=email_policy)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def names(composed: ComposedMessage) -> list[str]:
    return list(read(composed).keys())


# --- headers --------------------------------------------------------------------------------------


def test_headers_come_in_the_order_of_the_component() -> None:
    composed = compose(
        cc="e@f",
        subject="Hello",
        reply_to="g@h",
        importance=1,
        priority=2,
        sensitivity=3,
        read_receipt_to="i@j",
        delivery_notification_to="k@l",
        message_text="é",
        other_headers="X-A: b\r\n",
    )
    assert names(composed) == [
        *("From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To"),
        *("Importance", "Priority", "Sensitivity"),
        *("Disposition-Notification-To", "Return-Receipt-To"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding", "X-A"),
    ]


def test_what_is_empty_writes_no_header() -> None:
    assert names(compose(message_date="", message_id="")) == ["From", "To"]


def test_the_whole_message_is_headers_a_blank_line_and_the_body() -> None:
    composed = compose(message_date="", message_id="", subject="Hi", message_text="One\n")
    assert composed.content == (
        b"From: a@b.example\r\nTo: c@d.example\r\nSubject: Hi\r\n\r\nOne\r\n"
    )


def test_the_sender_is_required() -> None:
    with pytest.raises(BadValue) as caught:
        compose(from_="")
    assert caught.value.code == 164


def test_a_sender_without_a_domain_is_refused() -> None:
    with pytest.raises(AddressError):
        compose(from_="postmaster")


def test_several_authors_are_all_named_and_the_first_is_the_sender() -> None:
    message = read(compose(from_="a@b, C <c@d>"))
    assert message["From"] == "a@b, C <c@d>"
    assert message["Sender"] == "a@b"


def test_without_visible_recipients_they_are_undisclosed() -> None:
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in compose(send_to="").headers


def test_with_cc_only_there_is_no_to() -> None:
    assert "To" not in names(compose(send_to="", cc="e@f"))


def test_addresses_may_be_parsed_already() -> None:
    composed = compose(send_to=[Address("x@y", "z", "A, B")])
    assert b'To: "A, B" <"x@y"@z>\r\n' in composed.headers


def test_names_and_subject_outside_ascii_come_back() -> None:
    message = read(compose(from_="Zoë <a@tëst>", subject="Grüße aus Köln"))
    assert message["From"].addresses[0].display_name == "Zoë"
    assert message["From"].addresses[0].domain == "xn--tst-jma"
    assert message["Subject"] == "Grüße aus Köln"


@pytest.mark.parametrize(
    ("field", "header", "values"),
    [
        ("importance", "Importance", ["High", "Normal", "Low"]),
        ("priority", "Priority", ["normal", "urgent", "non-urgent"]),
        ("sensitivity", "Sensitivity", ["Personal", "Private", "Company-Confidential"]),
    ],
)
def test_a_grade_is_written_by_its_number(field: str, header: str, values: list[str]) -> None:
    assert header not in names(with_fields({field: 0}).compose())
    assert [read(with_fields({field: n}).compose())[header] for n in (1, 2, 3)] == values
    for number in (-1, 4):
        with pytest.raises(BadValue):
            with_fields({field: number}).compose()


def test_headers_are_folded_at_the_limit() -> None:
    team = ", ".join(f"person{n}@example.org" for n in range(10))
    headers = compose(send_to=team, message_id="", max_header_length=50).headers
    assert max(map(len, headers.split(b"\r\n"))) <= 50


def test_no_limit_folds_nothing() -> None:
    team = ", ".join(f"person{n}@example.org" for n in range(10))
    assert b"\r\n " not in compose(send_to=team, max_header_length=0).headers


ONE_LINE = {
    *("from_", "send_to", "cc", "reply_to", "subject", "message_date", "message_id"),
    *("read_receipt_to", "delivery_notification_to", "charset"),
}
BAD = [
    *((field, bad) for field in sorted(ONE_LINE) for bad in ("\r\nBcc: v@x", "\n", "\r", "\t\0")),
    *((field, bad) for field in sorted(ONE_LINE) for bad in ("\x0b", "\x7f", "\ud800")),
    *(("other_headers", bad) for bad in ("\r\nno colon", "\0", "\x0b", "\x7f", "\ud800")),
    *(("message_text", bad) for bad in ("\0", "\ud800")),
]


def test_every_property_of_text_is_tried_with_control_characters() -> None:
    texts = {field.name for field in fields(PlainMessage) if "str" in str(field.type)}
    assert texts == {field for field, _ in BAD}


@pytest.mark.parametrize(("field", "bad"), BAD)
def test_a_control_character_in_any_property_is_refused(field: str, bad: str) -> None:
    value = "X-A: b" if field == "other_headers" else "a@b"
    with pytest.raises(BadValue) as caught:
        with_fields({field: f"{value}{bad}"}).compose()
    assert str(caught.value).isprintable()


def test_an_address_that_needs_smtputf8_needs_it_here_too() -> None:
    with pytest.raises(AddressError, match="SMTPUTF8"):
        compose(send_to="bøb@t")
    assert "To: bøb@t\r\n".encode() in compose(send_to="bøb@t", utf8=True).headers


# --- Date and Message-ID --------------------------------------------------------------------------


def test_each_message_gets_its_own_id_at_the_domain_of_its_author() -> None:
    first, second = compose(from_="a@tëst"), compose(from_="a@tëst")
    assert first.message_id != second.message_id
    assert first.message_id
    assert first.message_id.endswith("@xn--tst-jma>")
    assert f"Message-ID: {first.message_id}\r\n".encode() in first.headers


def test_a_given_id_gets_its_brackets() -> None:
    composed = compose(message_id="x@y")
    assert composed.message_id == "<x@y>"
    assert b"Message-ID: <x@y>\r\n" in composed.headers


def test_without_an_id_there_is_none() -> None:
    assert compose(message_id="").message_id is None


def test_a_date_is_taken_as_text_or_as_a_datetime() -> None:
    text = "Mon, 02 Jan 2006 15:04:05 +0000"
    for date in (text, datetime(2006, 1, 2, 15, 4, 5, tzinfo=UTC)):
        assert f"Date: {text}\r\n".encode() in compose(message_date=date).headers


# --- OtherHeaders ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "From: x@y",
        "To: x@y",
        "Cc: x@y",
        "Subject: theirs",
        "Date: Mon, 02 Jan 2006 15:04:05 +0000",
        "Message-ID: <x@y>",
        "Reply-To: x@y",
        "Importance: low",
        "MIME-Version: 1.0",
        "Content-Type: text/html; charset=utf-8",
        "content-transfer-encoding: 8bit",
    ],
)
def test_a_given_header_wins_over_the_computed_one(line: str) -> None:
    composed = compose(
        cc="e@f", subject="ours", reply_to="g@h", importance=1, message_text="é", other_headers=line
    )
    name = line.partition(":")[0]
    found = [name for name in names(composed) if name.lower() == line.partition(":")[0].lower()]
    assert len(found) == 1
    assert f"\r\n{line}\r\n".encode() in b"\r\n" + composed.headers
    assert names(composed)[-1] == name


def test_given_headers_of_one_name_may_repeat() -> None:
    assert names(compose(other_headers="X-A: 1\r\nX-A: 2")).count("X-A") == 2


def test_a_given_message_id_is_the_one_reported() -> None:
    assert compose(other_headers="Message-Id: <x@y>").message_id == "<x@y>"


def test_a_given_author_stands_in_for_the_property() -> None:
    composed = compose(from_="", other_headers="From: Anna <x@y.example>")
    assert composed.message_id
    assert composed.message_id.endswith("@y.example>")


@pytest.mark.parametrize("name", ["Bcc", "bcc", "BCC", "Resent-Bcc"])
def test_a_given_bcc_is_left_out(name: str) -> None:
    composed = compose(other_headers=f"X-A: 1\r\n{name}: secret@x,\r\n more@x\r\nX-B: 2")
    assert names(composed)[-2:] == ["X-A", "X-B"]
    assert b"secret" not in composed.content
    assert b"more" not in composed.content


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_given_headers_after_a_line_end_replace_all(end: str) -> None:
    composed = compose(
        subject="x", message_text="é", other_headers=f"{end}X-A: 1{end}Message-ID: <x@y>"
    )
    assert composed.headers == b"X-A: 1\r\nMessage-ID: <x@y>\r\n"
    assert composed.message_id == "<x@y>"
    assert composed.body == "é".encode()


def test_headers_that_replace_all_need_no_sender() -> None:
    assert compose(from_="", other_headers="\r\nX-A: 1").headers == b"X-A: 1\r\n"


def test_a_blank_line_cannot_end_the_headers_early() -> None:
    with pytest.raises(BadValue):
        compose(other_headers="X-A: 1\r\n\r\nbody")


# --- body -----------------------------------------------------------------------------------------


def test_an_ascii_body_needs_no_mime_headers() -> None:
    composed = compose(message_text="One\nTwo\rThree\r\n.dot")
    assert composed.body == b"One\r\nTwo\r\nThree\r\n.dot"
    assert not any(name.startswith(("MIME", "Content")) for name in names(composed))
    assert not composed.eight_bit


def test_other_text_goes_as_8bit_utf8() -> None:
    composed = compose(message_text="Grüße\n")
    assert composed.body == "Grüße\r\n".encode()
    assert composed.eight_bit
    message = read(composed)
    assert message["Content-Transfer-Encoding"] == "8bit"
    assert text_of(composed) == "Grüße\n"


def test_without_8bitmime_it_goes_as_quoted_printable() -> None:
    composed = compose(message_text="Grüße\n" * 100, eight_bit_mime=False)
    assert composed.body.isascii()
    assert not composed.eight_bit
    assert text_of(composed) == "Grüße\n" * 100


def test_lines_too_long_for_the_wire_are_encoded_where_that_is_ours_to_choose() -> None:
    text = "é" * 1000 + "\n"
    composed = compose(message_text=text)
    assert max(map(len, composed.body.split(b"\r\n"))) <= 76
    assert text_of(composed) == text


@pytest.mark.parametrize("text", ["x" * 999, "a\0b"])
def test_a_plain_body_that_cannot_go_is_refused(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        compose(message_text=text)
    assert caught.value.field == "message_text"


def test_a_line_of_998_bytes_goes() -> None:
    assert compose(message_text="x" * 998).body == b"x" * 998


def test_a_given_content_type_chooses_the_charset() -> None:
    composed = compose(
        message_text="Grüße", other_headers='Content-Type: text/html; charset="iso-8859-1"'
    )
    assert composed.body == "Grüße".encode("iso-8859-1")
    message = read(composed)
    assert message.get_content_type() == "text/html"
    assert message["Content-Transfer-Encoding"] == "8bit"
    assert message["MIME-Version"] == "1.0"


def test_a_body_that_is_described_already_is_not_encoded_again() -> None:
    for described in ("Content-Type: text/html", "Content-Transfer-Encoding: 8bit"):
        composed = compose(message_text="Grüße", other_headers=described, eight_bit_mime=False)
        assert composed.body == "Grüße".encode()
        assert composed.eight_bit


def test_another_charset_is_used_and_named() -> None:
    composed = compose(message_text="日本語\n", subject="日本語", charset="iso-2022-jp")
    message = read(composed)
    assert message["Content-Type"].params["charset"] == "iso-2022-jp"
    assert message["Content-Transfer-Encoding"] == "7bit"
    assert text_of(composed) == "日本語\n"
    assert message["Subject"] == "日本語"


@pytest.mark.parametrize("field", ["message_text", "subject"])
def test_text_that_the_charset_lacks_is_error_434(field: str) -> None:
    with pytest.raises(BadValue) as caught:
        with_fields({"charset": "iso-8859-1", field: "漢"}).compose()
    assert caught.value.code == 434


@pytest.mark.parametrize("charset", ["utf-16", "no-such", "rot13", "punycode", "", "a b", "é"])
def test_what_is_not_a_charset_of_mail_is_refused(charset: str) -> None:
    with pytest.raises(BadValue):
        compose(charset=charset)
    if charset:
        with pytest.raises(BadValue):
            compose(other_headers=f"Content-Type: text/plain; charset={charset}")


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n. é="), max_size=300)


@given(TEXT, st.booleans())
def test_any_text_is_refused_or_arrives(text: str, eight_bit_mime: bool) -> None:
    try:
        composed = compose(message_text=text, eight_bit_mime=eight_bit_mime)
    except BadValue:
        assert "\0" in text
        return
    body = composed.body
    assert body.count(b"\r\n") == body.count(b"\r") == body.count(b"\n")
    message = message_from_bytes(composed.content, policy=email_policy)
    arrived = message.get_payload(decode=True)
    assert isinstance(arrived, bytes)
    assert arrived.decode() == "\r\n".join(
        text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
