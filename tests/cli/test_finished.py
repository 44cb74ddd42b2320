"""Finished messages keep every byte, lose their Bcc, and say who they are from and for."""

from __future__ import annotations

import pytest

from smtps.cli.finished import Finished, qualified
from smtps.errors import AddressError, BadValue


def test_all_but_bcc_goes_out_as_it_came_with_crlf() -> None:
    data = b"X-Odd:\ta  b \n\tc\nBcc: eve@b.example,\n more@b.example\nSubject: \xc3\xa9\n\nHi\n.\n"
    assert Finished(data).content() == (
        b"X-Odd:\ta  b \r\n\tc\r\nSubject: \xc3\xa9\r\n\r\nHi\r\n.\r\n"
    )


def test_a_bcc_behind_a_lone_cr_is_found_too() -> None:
    message = Finished(b"To: a@b.example\rBcc: eve@b.example\r\rHi")
    assert message.recipients() == ["a@b.example", "eve@b.example"]
    assert message.content() == b"To: a@b.example\r\n\r\nHi"


def test_the_line_that_a_mailbox_begins_with_is_dropped() -> None:
    data = b"From 1234 Mon Sep 17 00:00:00 2001\nFrom: a@b.example\n\nHi\n"
    assert Finished(data).content() == b"From: a@b.example\r\n\r\nHi\r\n"


def test_a_text_without_a_header_is_all_body() -> None:
    assert Finished(b"disk full\nor nearly\n").content() == b"\r\ndisk full\r\nor nearly\r\n"


def test_a_header_that_ends_without_a_blank_line_gets_one() -> None:
    assert Finished(b"Subject: x\nbody\n").content() == b"Subject: x\r\n\r\nbody\r\n"
    assert Finished(b"Subject: x").content() == b"Subject: x\r\n\r\n"


def test_the_envelope_is_what_the_headers_say() -> None:
    message = Finished(
        b'From: "A, B" <a@b.example>\nTo: x@y.example,\n Zoe <z@y.example>\n'
        b"Cc: x@y.example\nBcc: (unseen) w@y.example\n\n"
    )
    envelope = message.envelope(None, None)
    assert envelope.sender == "a@b.example"
    assert envelope.addresses == ("x@y.example", "z@y.example", "w@y.example")


def test_what_is_given_replaces_them() -> None:
    envelope = Finished(b"From: a@b.example\nTo: x@y.example\n\n").envelope("", ["w@y.example"])
    assert (envelope.sender, envelope.addresses) == ("", ("w@y.example",))


def test_a_message_sent_anew_goes_to_those_whom_resent_fields_name() -> None:
    message = Finished(
        b"Resent-From: r@b.example\nResent-To: n@b.example\nFrom: a@b.example\nTo: x@b.example\n\n"
    )
    envelope = message.envelope(None, None)
    assert (envelope.sender, envelope.addresses) == ("r@b.example", ("n@b.example",))


def test_without_an_author_or_recipient_the_argument_is_named_that_gives_one() -> None:
    with pytest.raises(BadValue, match="--sender"):
        Finished(b"To: x@y.example\n\n").envelope(None, None)
    with pytest.raises(AddressError, match="--recipient"):
        Finished(b"From: x@y.example\n\n").envelope(None, None)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("root", "root@h.example"),
        ("root (Cron Daemon)", "root@h.example (Cron Daemon)"),
        ("Ann <ann>", "Ann <ann@h.example>"),
        ("root, a@b.example,bob", "root@h.example, a@b.example,bob@h.example"),
        ("a@b.example", "a@b.example"),
    ],
)
def test_an_address_without_a_domain_gets_one(text: str, whole: str) -> None:
    assert qualified(text, "h.example") == whole


def test_a_field_is_added_only_where_it_is_missing() -> None:
    message = Finished(b"date: x\n\n")
    message.add("Date", "y")
    message.add("From", "a@b.example")
    assert message.content() == b"From: a@b.example\r\ndate: x\r\n\r\n"
