"""Relay URLs: what each part becomes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import SMTPS, BadValue, Protocol, SSLStartMode
from smtps.url import RelayURL

NONE, STARTTLS, IMPLICIT = SSLStartMode.NONE, SSLStartMode.EXPLICIT, SSLStartMode.IMPLICIT


@pytest.mark.parametrize(
    ("url", "host", "port", "mode", "protocol"),
    [
        ("smtp://mail.example", "mail.example", 25, STARTTLS, Protocol.SMTP),
        ("smtp://u:p@mail.example", "mail.example", 587, STARTTLS, Protocol.SMTP),
        ("smtps://mail.example", "mail.example", 465, IMPLICIT, Protocol.SMTP),
        ("smtp://[::1]:2525?tls=none", "::1", 2525, NONE, Protocol.SMTP),
        ("lmtp://mail.example", "mail.example", 24, STARTTLS, Protocol.LMTP),
        ("lmtp://mail.example:2003?tls=none", "mail.example", 2003, NONE, Protocol.LMTP),
        ("lmtp://u:p@mail.example", "mail.example", 24, STARTTLS, Protocol.LMTP),
        ("lmtp:///run/dovecot/lmtp", "/run/dovecot/lmtp", 24, NONE, Protocol.LMTP),
        ("lmtp:///run/with%20space", "/run/with space", 24, NONE, Protocol.LMTP),
    ],
)
def test_a_url_says_where_to_and_how(
    url: str, host: str, port: int, mode: SSLStartMode, protocol: Protocol
) -> None:
    parts = RelayURL.parse(url)
    assert (parts.host, parts.port, parts.start_mode, parts.protocol) == (
        host,
        port,
        mode,
        protocol,
    )
    smtp = SMTPS.from_url(url)
    assert (smtp.mail_server, smtp.mail_port) == (host, port)
    assert (smtp.start_mode, smtp.protocol) == (mode, protocol)


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example",
        "mail.example",
        "smtp://",
        "smtp:///run/socket",
        "lmtp://",
        "lmtp:///",
        "lmtp://mail.example/run/socket",
        "lmtp:///run/socket#part",
        "lmtp:///run/socket?tls=perhaps",
        "smtp://mail.example:none",
        "smtp://mail.example/path",
    ],
)
def test_what_is_no_relay_is_refused(url: str) -> None:
    with pytest.raises(BadValue) as caught:
        SMTPS.from_url(url)
    assert caught.value.field in ("url", "tls")


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_smtps_is_tls_from_the_first_byte_whatever_its_query_says(tls: str) -> None:
    with pytest.raises(BadValue, match=f"tls: '{tls}' is not what smtps:// is.*write smtp://"):
        SMTPS.from_url(f"smtps://mail.example?tls={tls}")
    assert SMTPS.from_url("smtps://mail.example?tls=implicit").start_mode is IMPLICIT


@pytest.mark.parametrize("option", ["ssl_start_mode=3", "SSLStartMode=none", "ssl_provider="])
def test_tls_none_is_the_one_way_to_clear_text(option: str) -> None:
    with pytest.raises(BadValue, match=r"turns TLS off; write \?tls=none"):
        SMTPS.from_url(f"smtp://mail.example?{option}")
    assert SMTPS.from_url(f"smtp://mail.example?tls=none&{option}").start_mode is NONE


def test_an_option_stands_in_a_url_once() -> None:
    with pytest.raises(BadValue, match="timeout: stands in the URL twice"):
        SMTPS.from_url("smtp://mail.example?timeout=1&Timeout=2")


def test_the_automatic_mode_fits_the_protocol_and_the_socket() -> None:
    def mode(**options: object) -> SSLStartMode:
        return SMTPS(mail_server="mail.example", **options).start_mode

    assert mode(mail_port=24) is IMPLICIT
    assert mode(mail_port=24, protocol=Protocol.LMTP) is STARTTLS
    assert SMTPS(mail_server="/run/lmtp", protocol=Protocol.LMTP).start_mode is NONE


def test_the_repr_names_the_socket() -> None:
    assert repr(SMTPS.from_url("lmtp:///run/lmtp")) == "<SMTPS /run/lmtp, not connected>"


@pytest.mark.parametrize("url", [None, 25, b"smtp://localhost"])
def test_what_is_not_text_is_no_url(url: Any) -> None:
    with pytest.raises(BadValue, match="url: expected text, not"):
        RelayURL.parse(url)


@pytest.mark.parametrize("url", ["", "relay.example", "relay.example:587"])
def test_a_host_alone_is_told_that_a_scheme_is_missing(url: str) -> None:
    with pytest.raises(BadValue, match="no scheme; write smtp://, smtps:// or lmtp://"):
        RelayURL.parse(url)
