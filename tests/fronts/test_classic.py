"""The classic message: recipients, headers, streams, and what goes over the wire of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any

import pytest

from smtps import Error, Header, MessageRecipient, RecipientsRefused, RecipientType
from smtps.errors import AddressError, BadValue, SenderRefused
from smtps.testing import Fault, Sink
from tests.support.classic import fill, sent
from tests.support.fronts import Front


def test_every_property_becomes_its_header_in_the_stated_order(front: Front) -> None:
    content = sent(
        front,
        cc="c@y.example",
        subject="Hello",
        reply_to="r@b.example",
        importance=1,
        priority=2,
        sensitivity=3,
        read_receipt_to="read@b.example",
        delivery_notification_to="seen@b.example",
        other_headers="X-One: 1\r\nX-Two: 2",
        message_text="text\r\n",
    )
    names = [line.split(b":")[0] for line in content.split(b"\r\n\r\n")[0].split(b"\r\n")]
    assert b" ".join(names) == (
        b"From To Cc Subject Date Message-ID Reply-To Importance Priority Sensitivity"
        b" Disposition-Notification-To Return-Receipt-To X-One X-Two"
    )
    parsed = message_from_bytes(content)
    assert parsed["Importance"] == "High"
    assert parsed["Priority"] == "urgent"
    assert parsed["Sensitivity"] == "Company-Confidential"
    assert parsed["Disposition-Notification-To"] == "read@b.example"
    assert parsed["Return-Receipt-To"] == "seen@b.example"


def test_the_return_path_is_the_sender_of_the_envelope_and_no_header(front: Front) -> None:
    with Sink() as sink:
        front.send(fill(front.at(sink.url), return_path="bounces@b.example"))
        front.send(fill(front.at(sink.url), return_path="<>"))
    first, second = sink.messages
    assert (first.sender, second.sender) == ("bounces@b.example", "")
    assert b"bounces" not in first.content


def test_recipients_are_sent_in_the_order_to_cc_bcc_and_each_once(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url), bcc="b@y.example, x@y.example", cc="c@y.example")
        smtp.message_recipients.append(MessageRecipient("d@y.example", "Dora"))
        front.send(smtp)
    (message,) = sink.messages
    assert message.recipients == ("x@y.example", "d@y.example", "c@y.example", "b@y.example")
    assert message_from_bytes(message.content)["To"] == "x@y.example, Dora <d@y.example>"


def test_options_of_a_recipient_go_with_its_rcpt(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url))
        smtp.message_recipients[0].options = "NOTIFY SUCCESS,DELAY"
        front.send(smtp)
    assert "RCPT TO:<x@y.example> NOTIFY=SUCCESS,DELAY" in sink.commands


def test_options_that_the_server_cannot_be_told_are_left_out_with_an_event(front: Front) -> None:
    with Sink(extensions=["SIZE"]) as sink:
        smtp = fill(front.at(sink.url))
        smtp.message_recipients[0].options = "NOTIFY=NEVER"
        errors: list[Error] = []
        smtp.on_error = errors.append
        assert front.send(smtp).ok
    assert "RCPT TO:<x@y.example>" in sink.commands
    assert ["x@y.example" in error.description for error in errors] == [True]


def test_options_cannot_end_the_command(front: Front) -> None:
    with pytest.raises(BadValue, match="options"):
        MessageRecipient("a@b.example", options="NOTIFY=NEVER\r\nDATA")


def test_a_refused_bcc_stops_the_message_if_that_is_set(front: Front) -> None:
    with Sink(faults=[Fault(on="RCPT", when="blind@", reply="550 5.1.1 no")]) as sink:
        smtp = fill(front.at(sink.url), bcc="blind@y.example")
        smtp.settings.stop_on_bcc_errors = True
        with pytest.raises(RecipientsRefused):
            front.send(smtp)
    assert sink.count == 0


def test_without_send_to_a_message_needs_allow_empty_to(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url), send_to="", bcc="blind@y.example")
        with pytest.raises(AddressError, match="allow_empty_to") as caught:
            front.send(smtp)
        assert caught.value.code == 165
        assert sink.connections == ()
        smtp.settings.allow_empty_to = True
        front.send(smtp)
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in sink.messages[0].content


def test_without_from_nothing_is_sent_and_the_number_is_164(front: Front) -> None:
    with Sink() as sink:
        with pytest.raises(BadValue, match="from_") as caught:
            front.send(fill(front.at(sink.url), from_=""))
        assert caught.value.code == 164
    assert sink.connections == ()


def test_other_headers_replace_their_computed_namesake(front: Front) -> None:
    content = sent(front, subject="computed", other_headers="Subject: given")
    assert message_from_bytes(content).get_all("Subject") == ["given"]


def test_other_headers_that_begin_with_a_line_end_replace_all(front: Front) -> None:
    content = sent(front, subject="computed", other_headers="\r\nX: 1\r\nBcc: z@y.example")
    assert content == b"X: 1\r\n\r\n"


def test_headers_are_computed_when_they_are_read(front: Front) -> None:
    smtp = fill(front.make(), subject="one", message_date=datetime(2026, 11, 25, tzinfo=UTC))
    smtp.bcc = "blind@y.example"
    assert Header("Subject", "one") in smtp.message_headers
    smtp.subject = "two"
    assert Header("Subject", "two") in smtp.message_headers
    text = smtp.message_headers_string
    assert "Date: Wed, 25 Nov 2026 00:00:00 +0000\r\n" in text
    assert text.endswith("\r\n")
    assert not text.endswith("\r\n\r\n")
    assert "blind" not in text


def test_headers_are_read_while_sender_and_recipients_are_missing(front: Front) -> None:
    smtp = front.make(subject="Hello", message_date="")
    assert smtp.message_headers == [Header("Subject", "Hello")]
    smtp.from_ = "a@b.example"
    assert [one.field for one in smtp.message_headers] == ["From", "Subject", "Message-ID"]


def test_headers_are_folded_at_the_length_that_is_set(front: Front) -> None:
    people = ", ".join(f"person{number}@y.example" for number in range(9))
    smtp = fill(front.make(), send_to=people, message_id="", message_date="")
    assert max(map(len, smtp.message_headers_string.split("\r\n"))) <= 80
    smtp.settings.max_header_length = 40
    assert max(map(len, smtp.message_headers_string.split("\r\n"))) <= 40


@pytest.mark.parametrize("limit", [0, 998, 999, 4096])
def test_headers_fold_at_the_hard_limit_at_the_latest(front: Front, limit: int) -> None:
    smtp = fill(front.make(), send_to=", ".join(["person@y.example"] * 99))
    smtp.settings.max_header_length = limit
    assert 900 < max(map(len, smtp.message_headers_string.split("\r\n"))) <= 998


def test_a_message_keeps_its_identifier_until_it_was_sent(front: Front) -> None:
    with Sink(faults=[Fault(on="MAIL", nth=1, reply="451 4.3.0 later")]) as sink:
        smtp = fill(front.at(sink.url))
        shown = dict(smtp.message_headers)["Message-ID"]
        with pytest.raises(SenderRefused):
            front.send(smtp)
        front.send(smtp)
        assert smtp.last_message_id == shown
        front.send(smtp)
        assert smtp.last_message_id != shown
    assert message_from_bytes(sink.messages[0].content)["Message-ID"] == shown


def test_a_given_identifier_gets_its_brackets_and_an_empty_one_no_header(front: Front) -> None:
    assert b"\r\nMessage-ID: <1@b.example>\r\n" in sent(front, message_id="1@b.example")
    assert b"Message-ID" not in sent(front, message_id="")
    assert b"Date:" not in sent(front, message_date="")


def test_text_outside_ascii_goes_as_eight_bits_where_they_are_taken(front: Front) -> None:
    content = sent(front, message_text="Grüße")
    assert b"Content-Type: text/plain; charset=utf-8\r\n" in content
    assert b"Content-Transfer-Encoding: 8bit\r\n" in content
    assert content.endswith("\r\n\r\nGrüße\r\n".encode())


def test_text_outside_ascii_is_encoded_for_a_server_without_eight_bits(front: Front) -> None:
    with Sink(extensions=["SIZE"]) as sink:
        front.send(fill(front.at(sink.url), message_text="Grüße"))
    (message,) = sink.messages
    assert message.content.isascii()
    assert message_from_bytes(message.content).get_payload(decode=True) == "Grüße\r\n".encode()


def test_a_code_page_and_a_charset_choose_the_bytes_of_the_text(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url), message_text="Grüße", subject="Grüße")
        smtp.config("CodePage=1252")
        front.send(smtp)
        smtp.config("Charset=iso-8859-15")
        front.send(smtp)
        smtp.message_text = "日本"
        with pytest.raises(BadValue) as caught:
            front.send(smtp)
        assert caught.value.code == 434
    first, second = sink.messages
    assert b"charset=windows-1252" in first.content
    assert b"Subject: =?windows-1252?" in first.content
    assert "Grüße".encode("cp1252") in first.content
    assert b"charset=iso-8859-15" in second.content


def test_a_finished_message_goes_as_it_is(front: Front) -> None:
    assert sent(front, message=b"X: 1\n\nhello\n") == b"X: 1\r\n\r\nhello\r\n"


def test_resetting_the_headers_leaves_text_and_server(front: Front) -> None:
    smtp = fill(front.make(mail_server="relay.example"))
    smtp.subject, smtp.message_text, smtp.message_id = "s", "text", "<1@b.example>"
    smtp.priority, smtp.other_headers = 2, "X: 1"
    smtp.reset_headers()
    assert (smtp.from_, smtp.send_to, smtp.subject, smtp.other_headers) == ("", "", "", "")
    assert (smtp.message_id, smtp.priority, smtp.message_recipients) == ("*", 0, [])
    assert (smtp.message_text, smtp.mail_server) == ("text", "relay.example")


def test_reset_disconnects_and_sets_everything_back(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url), message_text="text")
        smtp.settings.max_header_length = 40
        front.connect(smtp)
        front.run(smtp.reset())
    assert not smtp.connected
    assert (smtp.mail_server, smtp.message_text, smtp.from_) == ("", "", "")
    assert smtp.settings.max_header_length == 80
    assert "QUIT" in sink.commands


def test_the_identifier_of_a_message_goes_with_it_at_a_reset(front: Front) -> None:
    smtp = fill(front.make())
    shown = dict(smtp.message_headers)["Message-ID"]
    front.run(smtp.reset())
    assert dict(fill(smtp).message_headers)["Message-ID"] != shown


@pytest.mark.parametrize(
    ("method", "verb"),
    [
        ("send_to_terminal_only", "SEND"),
        ("send_to_terminal_or_email", "SOML"),
        ("send_to_terminal_and_email", "SAML"),
    ],
)
def test_sending_to_terminals_has_its_own_verbs(front: Front, method: str, verb: str) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url))
        front.run(getattr(smtp, method)())
        smtp.allow_extensions = False
        with pytest.raises(BadValue, match="allow_extensions"):
            front.run(getattr(smtp, method)())
    assert sink.count == 1
    assert any(re.match(rf"{verb} FROM:<a@b.example>", line) for line in sink.commands)


def test_views_read_and_write_the_list_of_recipients(front: Front) -> None:
    smtp = front.make()
    smtp.message_recipients = [
        MessageRecipient("a@b.example", "A, the first"),
        MessageRecipient("c@b.example", type=RecipientType.CC),
    ]
    assert smtp.send_to == '"A, the first" <a@b.example>'
    assert smtp.cc == "c@b.example"
    smtp.send_to = "x@y.example, Z <z@y.example>"
    assert [(one.address, one.name, one.type.name) for one in smtp.message_recipients] == [
        ("c@b.example", "", "CC"),
        ("x@y.example", "", "TO"),
        ("z@y.example", "Z", "TO"),
    ]


def test_a_view_that_cannot_be_parsed_changes_nothing(front: Front) -> None:
    smtp = front.make(send_to="a@b.example")
    with pytest.raises(AddressError, match="send_to"):
        smtp.send_to = "a@b.example, not an address"
    assert smtp.send_to == "a@b.example"


def test_flat_names_reach_properties_and_lists(front: Front) -> None:
    smtp = front.make()
    smtp.set_mail_server("relay.example")
    smtp.set_from("a@b.example")
    smtp.b_cc = "blind@y.example"
    smtp.set_send_to("x@y.example")
    assert (smtp.get_mail_server(), smtp.get_from(), smtp.get_bcc()) == (
        *("relay.example", "a@b.example", "blind@y.example"),
    )
    assert smtp.message_recipient_count == 2
    smtp.set_message_recipient_options(1, "NOTIFY=NEVER")
    assert smtp.get_message_recipient_options(1) == "NOTIFY=NEVER"
    assert smtp.get_message_recipient_address(1) == "x@y.example"
    assert smtp.get_message_header_field(0) == "From"
    assert not hasattr(smtp, "set_last_reply")


def test_an_unknown_property_is_named_with_the_nearest(front: Front) -> None:
    with pytest.raises(AttributeError, match="mail_server"):
        front.make().mail_sever = "relay.example"


def test_the_count_of_recipients_is_assigned_as_in_flat_editions(front: Front) -> None:
    smtp = fill(front.make(), send_to="")
    smtp.set_message_recipient_count(2)
    assert smtp.get_message_recipient_count() == 2
    smtp.set_message_recipient_address(0, "x@y.example")
    smtp.set_message_recipient_address(1, "z@y.example")
    smtp.set_message_recipient_type(1, 1)
    assert (smtp.send_to, smtp.cc) == ("x@y.example", "z@y.example")
    smtp.message_recipient_count = 1
    assert (smtp.send_to, smtp.cc) == ("x@y.example", "")
    with pytest.raises(BadValue, match="message_recipient_count"):
        smtp.message_recipient_count = -1


def test_a_recipient_without_an_address_is_named_before_connecting(front: Front) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url))
        smtp.message_recipient_count = 2
        assert smtp.send_to == "x@y.example"
        with pytest.raises(AddressError, match=r"message_recipients: .*write name@domain"):
            front.send(smtp)
        assert sink.connections == ()


@pytest.mark.parametrize(
    "add",
    [
        lambda found: found.append("x@y.example"),
        lambda found: found.insert(0, "x@y.example"),
        lambda found: found.extend(["x@y.example"]),
        lambda found: found.__iadd__(["x@y.example"]),
        lambda found: found.__setitem__(0, "x@y.example"),
        lambda found: found.__setitem__(slice(None), ["x@y.example"]),
    ],
)
def test_text_among_the_recipients_is_refused_where_it_is_added(
    front: Front, add: Callable[[Any], None]
) -> None:
    smtp = fill(front.make())
    with pytest.raises(BadValue, match=r"not 'x@y.example'; write MessageRecipient\("):
        add(smtp.message_recipients)
    assert smtp.send_to == "x@y.example"
    smtp.message_recipients += [MessageRecipient("z@y.example")]
    assert smtp.send_to == "x@y.example, z@y.example"


@pytest.mark.parametrize("value", [None, 5, ["x@y.example"]])
def test_recipients_of_another_kind_are_named(front: Front, value: Any) -> None:
    with pytest.raises(BadValue, match="message_recipients: expected MessageRecipient"):
        front.make().message_recipients = value


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "message_date",
            "yesterday",
            "expected a date like Mon, 02 Jan 2006 15:04:05 +0000, not 'yesterday'",
        ),
        ("message_id", "a b", "expected <left@right> in printable ASCII without spaces, not 'a b'"),
        ("other_headers", "nonsense", "line 1 is not a header: 'nonsense'; write Name: value"),
        ("return_path", "no one", "'no one' is not an address; write name@domain"),
        ("message_text", "ab\0", "holds NUL at position 2"),
        ("message_text", "x" * 999, "has a line of 999 bytes, and a line of mail has at most 998"),
        ("reply_to", "nobody", "'nobody' has no domain; add @ and a domain"),
        ("read_receipt_to", "nobody", "'nobody' has no domain"),
        ("delivery_notification_to", "nobody", "'nobody' has no domain"),
        ("from_", "nobody", "'nobody' has no domain"),
    ],
)
def test_a_property_that_cannot_be_sent_is_named_before_connecting(
    front: Front, name: str, value: str, sentence: str
) -> None:
    with Sink() as sink:
        smtp = fill(front.at(sink.url), **{name: value})
        with pytest.raises(BadValue) as caught:
            front.send(smtp)
        assert str(caught.value).startswith(f"{name}: {sentence}")
        assert sink.connections == ()


def test_a_character_that_the_code_page_has_not_is_named(front: Front) -> None:
    smtp = fill(front.make(code_page=28591), message_text="4 €")
    with pytest.raises(BadValue, match="holds '€', which iso-8859-1") as caught:
        _ = smtp.message_headers
    assert caught.value.code == 434
