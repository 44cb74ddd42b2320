"""MAIL and RCPT: each parameter in its form, where it is offered; nothing elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import BadValue, Capabilities, Envelope, NotOffered, Recipient
from smtps.errors import AddressError
from smtps.wire.transaction import mail_command, rcpt_command

ALL = Capabilities.parse(
    (
        "mail.example",
        "SIZE 1000000",
        "8BITMIME",
        "SMTPUTF8",
        "DSN",
        "REQUIRETLS",
        "DELIVERBY 240",
        "MT-PRIORITY MIXER",
    ),
    verified=True,
)
NONE = Capabilities()


def mail(capabilities: Capabilities = ALL, sender: str = "a@x.example", **options: Any) -> bytes:
    return mail_command(Envelope(sender, ["b@x.example"], **options), capabilities)


def rcpt(capabilities: Capabilities = ALL, **options: Any) -> bytes:
    return rcpt_command(Recipient("b@x.example", **options), capabilities)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, b""),
        ({"smtputf8": True}, b" SMTPUTF8"),
        ({"ret": "FULL"}, b" RET=FULL"),
        ({"ret": "HDRS", "envid": "a b"}, b" RET=HDRS ENVID=a+20b"),
        ({"requiretls": True}, b" REQUIRETLS"),
        ({"deliver_by": 240}, b" BY=240;R"),
        ({"deliver_by": 999_999_999}, b" BY=999999999;R"),
        ({"deliver_by": -1}, b" BY=1;N"),
        ({"priority": -9}, b" MT-PRIORITY=-9"),
        ({"priority": 0}, b" MT-PRIORITY=0"),
        ({"priority": 9}, b" MT-PRIORITY=9"),
    ],
)
def test_a_parameter_of_mail_has_its_form(options: dict[str, Any], parameters: bytes) -> None:
    assert mail(**options) == b"MAIL FROM:<a@x.example>" + parameters + b"\r\n"


@pytest.mark.parametrize(
    ("options", "extension"),
    [
        ({"smtputf8": True}, "SMTPUTF8"),
        ({"ret": "FULL"}, "DSN"),
        ({"envid": "a"}, "DSN"),
        ({"requiretls": True}, "REQUIRETLS"),
        ({"deliver_by": 1}, "DELIVERBY"),
        ({"priority": 0}, "MT-PRIORITY"),
    ],
)
def test_a_parameter_of_mail_that_is_not_offered_is_named(
    options: dict[str, Any], extension: str
) -> None:
    with pytest.raises(NotOffered) as caught:
        mail(NONE, **options)
    assert caught.value.extension == extension


def test_size_and_body_go_where_they_are_offered() -> None:
    envelope = Envelope("a@x.example", ["b@x.example"])
    line = mail_command(envelope, ALL, size=7, body="8BITMIME")
    assert line == b"MAIL FROM:<a@x.example> SIZE=7 BODY=8BITMIME\r\n"
    assert mail_command(envelope, NONE, size=7) == b"MAIL FROM:<a@x.example>\r\n"


def test_requiretls_is_not_trusted_to_who_was_not_verified() -> None:
    offered = Capabilities.parse(("mail.example", "REQUIRETLS"))
    with pytest.raises(NotOffered, match="REQUIRETLS over TLS with a verified certificate"):
        mail(offered, requiretls=True)


def test_less_time_than_the_server_promises_is_refused() -> None:
    with pytest.raises(BadValue, match=r"deliver_by: .* less than 240 seconds"):
        mail(deliver_by=239)
    # The least time is one to return in, not one to tell the sender in.
    assert b" BY=239;N" in mail(deliver_by=-239)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({}, b""),
        ({"notify": "NEVER"}, b" NOTIFY=NEVER"),
        ({"notify": ["success", "Delay"]}, b" NOTIFY=SUCCESS,DELAY"),
        ({"orcpt": "c=d@x.example"}, b" ORCPT=rfc822;c+3Dd@x.example"),
        (
            {"notify": "FAILURE", "orcpt": "c@x.example"},
            b" NOTIFY=FAILURE ORCPT=rfc822;c@x.example",
        ),
    ],
)
def test_a_parameter_of_rcpt_has_its_form(options: dict[str, Any], parameters: bytes) -> None:
    assert rcpt(**options) == b"RCPT TO:<b@x.example>" + parameters + b"\r\n"


@pytest.mark.parametrize("options", [{"notify": "NEVER"}, {"orcpt": "c@x.example"}])
def test_a_parameter_of_rcpt_that_is_not_offered_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(NotOffered, match="DSN"):
        rcpt(NONE, **options)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"ret": "ALL"}, "ret"),
        ({"envid": ""}, "envid"),
        ({"envid": "x" * 101}, "envid"),
        ({"envid": "\u00e4"}, "envid"),
        ({"envid": "a\r\nb"}, "envid"),
        ({"deliver_by": 0}, "deliver_by"),
        ({"deliver_by": 1_000_000_000}, "deliver_by"),
        ({"priority": 10}, "priority"),
        ({"priority": -10}, "priority"),
    ],
)
def test_a_value_that_no_server_takes_is_refused_when_it_is_given(
    options: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadValue) as caught:
        Envelope("a@x.example", ["b@x.example"], **options)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "notify", ["", "ALWAYS", "NEVER,SUCCESS", "SUCCESS,SUCCESS", "SUCCESS FAILURE", []]
)
def test_a_wish_that_no_server_takes_is_refused_when_it_is_given(notify: Any) -> None:
    with pytest.raises(BadValue, match="notify"):
        Recipient("b@x.example", notify=notify)


# --- internationalised addresses ------------------------------------------------------------------


def test_a_local_part_outside_ascii_needs_the_extension() -> None:
    with pytest.raises(NotOffered, match="SMTPUTF8"):
        mail(NONE, sender="b\u00f8b@x.example")
    assert (
        mail(sender="b\u00f8b@x.example") == "MAIL FROM:<b\u00f8b@x.example> SMTPUTF8\r\n".encode()
    )


def test_a_domain_outside_ascii_goes_in_ascii_to_a_server_without_the_extension() -> None:
    assert mail(NONE, sender="bob@t\u00ebst.example") == (
        b"MAIL FROM:<bob@xn--tst-jma.example>\r\n"
    )


def test_what_would_end_a_path_stays_quoted() -> None:
    line = rcpt_command(Recipient('"a@e> ORCPT=v"@t.example'), ALL)
    assert line == b'RCPT TO:<"a@e> ORCPT=v"@t.example>\r\n'


def test_what_needs_a_report_is_named_where_none_is_offered() -> None:
    recipient = Recipient("b@x.example", notify=("NEVER",))
    with pytest.raises(NotOffered, match="notify or orcpt"):
        rcpt_command(recipient, NONE, utf8=False)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"smtputf8": True}, "an address or header in UTF-8"),
        ({"ret": "FULL"}, "ret"),
        ({"envid": "a"}, "envid"),
        ({"requiretls": True}, "requiretls"),
        ({"deliver_by": 1}, "deliver_by"),
        ({"priority": 0}, "priority"),
    ],
)
def test_what_needs_an_extension_is_named(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(NotOffered) as caught:
        mail(NONE, **options)
    extension = caught.value.extension
    assert str(caught.value) == str(NotOffered(extension, sentence))


def test_requiretls_without_a_verified_certificate_is_told_as_such() -> None:
    with pytest.raises(NotOffered) as caught:
        mail(Capabilities.parse(("mail.example", "REQUIRETLS")), requiretls=True)
    said = str(NotOffered("REQUIRETLS over TLS with a verified certificate", "requiretls"))
    assert str(caught.value) == said


def test_a_report_that_is_not_offered_is_told_as_such() -> None:
    with pytest.raises(NotOffered) as caught:
        rcpt(NONE, notify="NEVER")
    assert str(caught.value) == str(NotOffered("DSN", "notify or orcpt"))


def test_an_empty_sender_is_an_empty_path() -> None:
    assert mail(sender="") == b"MAIL FROM:<>\r\n"


def test_a_recipient_has_the_parameters_of_the_program_behind_its_own() -> None:
    recipient = Recipient("b@x.example", notify="NEVER")
    line = rcpt_command(recipient, ALL, options="X=1")
    assert line == b"RCPT TO:<b@x.example> NOTIFY=NEVER X=1\r\n"
    line = rcpt_command(Recipient("b@x.example"), NONE, options="X=1")
    assert line == b"RCPT TO:<b@x.example> X=1\r\n"


def test_a_recipient_outside_ascii_is_refused_where_utf8_was_not_asked_for() -> None:
    with pytest.raises(AddressError):
        rcpt_command(Recipient("b\u00f8b@x.example"), ALL)
    line = rcpt_command(Recipient("b\u00f8b@x.example"), ALL, utf8=True)
    assert line == "RCPT TO:<b\u00f8b@x.example>\r\n".encode()
