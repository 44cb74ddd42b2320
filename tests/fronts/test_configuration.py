"""Options by their names in text: `config`, and what it says of them."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import Envelope
from smtps.errors import (
    BadValue,
    Locked,
)
from smtps.settings import Settings
from smtps.testing import Sink
from tests.support.fronts import Front

ITEM = (Envelope("a@b.example", ["x@y.example"]), b"Subject: x\r\n\r\nHello\r\n")


def test_a_setting_is_set_and_read_as_text_in_any_case(front: Front) -> None:
    smtp = front.make()
    assert smtp.config("maxheaderlength=0x28") == ""
    assert smtp.config("MaxHeaderLength") == "40"
    smtp.config("StopOnBccErrors=TRUE")
    assert smtp.settings.stop_on_bcc_errors is True
    assert smtp.config("StopOnBccErrors") == "true"
    smtp.config("OtherHeaders=X: a=b")
    assert smtp.other_headers == "X: a=b"
    smtp.config("ReturnPath=r@b.example")
    assert smtp.return_path == "r@b.example"


SETTINGS = {
    "Hello": "client.a.example",
    "KeepQueue": "true",
    "MaxHeaderLength": "78",
    "OtherHeaders": "X: a=b",
    "ReturnPath": "r@b.example",
    "StopOnBccErrors": "true",
    "MaxLineLength": "4096",
    "FirewallListener": "true",
    "CloseStreamAfterTransfer": "false",
    "TcpNoDelay": "false",
    "AcceptAnyServerCert": "true",
    "SSLProvider": "OpenSSL",
    "SSLCipherStrength": "128",
    "SSLEnabledProtocols": "3072",
    "SSLSecurityFlags": "2147483665",
    "ReuseSSLSession": "true",
    "OpenSSLCipherList": "HIGH",
    "OpenSSLPrngSeedData": "noise",
    "OpenSSLCAFile": "/ca.pem",
    "OpenSSLCADir": "/cas",
    "InBufferSize": "65536",
    "OutBufferSize": "65536",
    "AbsoluteTimeout": "true",
    "FirewallData": "X-Proxy: 1",
    "CodePage": "65001",
}


@pytest.mark.parametrize(("name", "text"), SETTINGS.items())
def test_each_setting_reads_as_the_text_that_was_set(front: Front, name: str, text: str) -> None:
    smtp = front.make()
    assert smtp.config(f"{name}={text}") == ""
    assert smtp.config(name) == text


def test_a_setting_that_is_a_property_too_is_one_value(front: Front) -> None:
    smtp = front.make(other_headers="X: 1", return_path="r@b.example")
    assert (smtp.settings.other_headers, smtp.settings.return_path) == ("X: 1", "r@b.example")
    smtp.settings.other_headers, smtp.settings.return_path = "Y: 2", "s@b.example"
    assert (smtp.other_headers, smtp.return_path) == ("Y: 2", "s@b.example")


def test_an_unknown_setting_is_named_with_the_nearest(front: Front) -> None:
    with pytest.raises(BadValue, match="max_header_length"):
        front.make().config("MaxHeaderLenght=40")
    with pytest.raises(BadValue):
        front.make().config("Nonsense")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello=a b", ["hello", "'a b'", "letters, digits"]),
        ("Hello=[1.2.3]", ["hello", "'[1.2.3]'", "[192.0.2.1]"]),
        ("KeepQueue=maybe", ["keep_queue", "'maybe'", "true nor false"]),
        ("MaxLineLength=255", ["max_line_length", "255", "between 256 and"]),
        ("SSLProvider=Foo", ["ssl_provider", "'Foo'", "OpenSSL"]),
        ("SSLEnabledProtocols=12", ["ssl_enabled_protocols", "0xc", "0x3000"]),
        ("CodePage=1", ["code_page", "1 is no code page"]),
        ("Charset=utf-99", ["charset", "'utf-99'", "utf-8"]),
        ("ChannelBinding=x", ["channel_binding", "'x'", "tls-exporter"]),
        ("MailServer=a b", ["mail_server", "'a b'", "the port has its own option"]),
        ("MailServer=a..b", ["mail_server", "'a..b'", "1 to 63"]),
    ],
)
def test_a_refused_value_is_named_with_its_option_and_the_way_out(
    front: Front, text: str, words: list[str]
) -> None:
    with pytest.raises(BadValue) as caught:
        front.make().config(text)
    for word in words:
        assert word in str(caught.value)


def test_a_number_of_another_type_is_named(front: Front) -> None:
    with pytest.raises(BadValue, match="mail_port: expected a whole number, not '25'"):
        front.make(mail_port="25")
    with pytest.raises(BadValue, match=r"timeout: expected a number, not \[5\]"):
        front.make(timeout=[5])


@pytest.mark.parametrize("text", ["", " ", "=x", None, 5])
def test_config_without_a_name_says_how_it_is_written(front: Front, text: Any) -> None:
    with pytest.raises(BadValue, match=r"^config: .*Hello=a.example|^config: .*Name=value"):
        front.make().config(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(1234567, "1234567"), (0.25, "0.25"), (60, "60"), (1e-07, "1e-07")]
)
def test_seconds_read_as_they_were_set(front: Front, seconds: float, text: str) -> None:
    assert front.make(timeout=seconds).config("Timeout") == text


@pytest.mark.parametrize("name", ["ssl_start_mode", "importance", "auth_mechanism"])
def test_true_is_no_choice(front: Front, name: str) -> None:
    with pytest.raises(BadValue, match=f"{name}: True is none of 0 "):
        front.make(**{name: True})


def test_an_unknown_setting_cannot_be_assigned(front: Front) -> None:
    with pytest.raises(AttributeError, match="did you mean max_header_length"):
        front.make().settings.max_header_lenght = 40


@pytest.mark.parametrize("name", Settings.options)
def test_a_setting_is_an_attribute_of_the_component_too(front: Front, name: str) -> None:
    smtp = front.make()
    value = getattr(smtp.settings, name)
    assert getattr(smtp, name) == value
    setattr(smtp, name, value)
    assert Settings.options[name].is_set(smtp if name in smtp.options else smtp.settings)


def test_a_setting_is_checked_where_it_is_assigned(front: Front) -> None:
    smtp = front.at("smtp://mail.example?timeout=10&max_line_length=4096")
    assert (smtp.timeout, smtp.max_line_length) == (10, 4096)
    with pytest.raises(BadValue, match="max_line_length: 5 is not between"):
        smtp.max_line_length = 5
    assert smtp.max_line_length == smtp.settings.max_line_length == 4096


def test_what_is_no_property_is_neither_read_nor_assigned(front: Front) -> None:
    smtp = front.make()
    with pytest.raises(AttributeError, match="did you mean max_header_length"):
        smtp.max_header_lenght = 40
    with pytest.raises(AttributeError, match="did you mean max_header_length"):
        _ = smtp.max_header_lenght


def test_a_secret_is_not_read_back(front: Front) -> None:
    assert "S3cr3t" not in front.make(password="S3cr3t").config("Password")


def test_a_locked_setting_says_so_with_its_number(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(Locked) as caught:
            smtp.config("MaxLineLength=512")
        assert caught.value.code == 112
        for name, value, code in (("mail_port", 26, 100), ("mail_server", "x.example", 101)):
            with pytest.raises(Locked) as caught:
                setattr(smtp, name, value)
            assert caught.value.code == code
