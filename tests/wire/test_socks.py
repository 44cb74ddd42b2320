"""What SOCKS proxies are told, and what their codes say to people."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smtps.errors import BadValue, ProxyError
from smtps.hidden import Hidden
from smtps.wire.socks import (
    address_size,
    check_login_reply,
    check_socks4_reply,
    check_socks5_reply,
    choose_login,
    socks4_request,
    socks5_greeting,
    socks5_login,
    socks5_request,
)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "general failure"),
        (2, "not allowed by its rules"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "time to live expired"),
        (7, "command not supported"),
        (8, "address type not supported"),
        (9, "an unknown reason"),
    ],
)
def test_a_code_of_version_5_is_told_in_words(code: int, words: str) -> None:
    with pytest.raises(ProxyError, match=rf"refused: {words} \(SOCKS5 code {code}\)"):
        check_socks5_reply(bytes([5, code, 0, 1]))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (91, "request rejected or failed"),
        (92, "the proxy cannot reach identd on this host"),
        (93, "identd names another user"),
        (94, "an unknown reason"),
    ],
)
def test_a_code_of_version_4_is_told_in_words(code: int, words: str) -> None:
    with pytest.raises(ProxyError, match=rf"refused: {words} \(SOCKS4 code {code}\)"):
        check_socks4_reply(bytes([0, code, 0, 0, 0, 0, 0, 0]))


def test_a_yes_is_none() -> None:
    check_socks4_reply(b"\0\x5a\0\0\0\0\0\0")
    check_socks5_reply(b"\5\0\0\1")
    check_login_reply(b"\1\0")


@pytest.mark.parametrize("check", [check_socks4_reply, check_socks5_reply, check_login_reply])
def test_another_version_is_refused(check: object) -> None:
    assert callable(check)
    with pytest.raises(ProxyError):
        check(b"\4\0\0\0\0\0\0\0")


def test_a_wrong_password_is_not_retryable() -> None:
    with pytest.raises(ProxyError) as caught:
        check_login_reply(b"\1\1")
    assert not caught.value.retryable


def test_a_host_of_255_bytes_fits_and_a_longer_one_is_refused() -> None:
    assert socks5_request("h" * 255, 25) == b"\5\1\0\3\xff" + b"h" * 255 + b"\0\x19"
    with pytest.raises(BadValue, match="longer than the 255 bytes"):
        socks5_request("h" * 256, 25)


def test_an_address_goes_as_its_bytes() -> None:
    assert socks5_request("192.0.2.1", 587) == b"\5\1\0\1\xc0\0\2\1\2\x4b"
    assert socks5_request("::1", 25) == b"\5\1\0\4" + b"\0" * 15 + b"\1\0\x19"
    assert socks4_request("192.0.2.1", 25, "u") == b"\4\1\0\x19\xc0\0\2\1u\0"
    assert socks4_request("relay", 25, "") == b"\4\1\0\x19\0\0\0\1\0relay\0"
    with pytest.raises(BadValue, match="IPv6"):
        socks4_request("::1", 25, "")


def test_a_login_is_offered_where_there_is_a_user() -> None:
    assert socks5_greeting("") == b"\5\1\0"
    assert socks5_greeting("u") == b"\5\2\0\2"
    assert choose_login(b"\5\0", "") == 0
    assert choose_login(b"\5\2", "u") == 2
    for reply, user in ((b"\5\2", ""), (b"\5\1", "u"), (b"\5\xff", "u"), (b"\5\xff", "")):
        with pytest.raises(ProxyError):
            choose_login(reply, user)


def test_user_and_password_have_up_to_255_bytes() -> None:
    assert socks5_login("u", Hidden(b"p" * 255)) == b"\1\1u\xff" + b"p" * 255
    with pytest.raises(BadValue, match="firewall_password"):
        socks5_login("u", Hidden(b"p" * 256))
    with pytest.raises(BadValue, match="firewall_user"):
        socks5_login("u" * 256, Hidden(b"p"))


def test_the_rest_of_the_answer_has_the_size_of_its_address_and_port() -> None:
    assert (address_size(1, 0), address_size(4, 0), address_size(3, 9)) == (5, 17, 11)
    with pytest.raises(ProxyError, match="unknown type of address"):
        address_size(2, 0)


# --- to the letter --------------------------------------------------------------------------------


def reason(call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(ProxyError) as caught:
        call(*arguments)
    return str(caught.value.reason)


def test_a_proxy_that_speaks_something_else_is_told_by_version() -> None:
    assert reason(check_socks4_reply, b"\1\x5a") == "the proxy does not speak SOCKS4"
    assert reason(check_socks5_reply, b"\4\0\0\1") == "the proxy does not speak SOCKS5"
    assert reason(choose_login, b"\4\0", "u") == "the proxy does not speak SOCKS5"
    said = reason(check_login_reply, b"\5\0")
    assert said == "the proxy answered the login with something else"


@pytest.mark.parametrize(
    ("user", "hint"), [("", "; check firewall_user and firewall_password"), ("u", "")]
)
def test_a_proxy_that_wants_another_login_points_to_the_settings(user: str, hint: str) -> None:
    with pytest.raises(ProxyError) as caught:
        choose_login(b"\5\xff", user)
    words = "the proxy accepts none of the ways to log in that we know"
    assert caught.value.reason == words + hint
    assert not caught.value.retryable


@pytest.mark.parametrize(("method", "user"), [(1, "u"), (2, ""), (3, "u")])
def test_a_login_that_was_not_offered_is_named(method: int, user: str) -> None:
    said = reason(choose_login, bytes([5, method]), user)
    assert said == f"the proxy chose a way to log in that was not offered ({method})"


def test_a_refused_login_points_to_its_settings() -> None:
    said = reason(check_login_reply, b"\1\1")
    assert said == "the proxy did not accept firewall_user and firewall_password"


def test_an_unknown_type_of_address_is_named() -> None:
    said = reason(address_size, 2, 0)
    assert said == "the proxy answered with an unknown type of address (2)"


@pytest.mark.parametrize(
    ("call", "arguments", "sentence"),
    [
        (
            *(socks4_request, ("::1", 25, "")),
            "mail_server: SOCKS4 carries no IPv6 address; use SOCKS5 or a tunnel",
        ),
        (
            *(socks4_request, ("h" * 256, 25, "")),
            "mail_server: longer than the 255 bytes that SOCKS can carry",
        ),
        (
            *(socks5_request, ("", 25)),
            "mail_server: longer than the 255 bytes that SOCKS can carry",
        ),
        (
            *(socks5_login, ("u" * 256, Hidden(b""))),
            "firewall_user: longer than the 255 bytes that SOCKS5 can carry",
        ),
        (
            *(socks5_login, ("", Hidden(b"p" * 256))),
            "firewall_password: longer than the 255 bytes that SOCKS5 can carry",
        ),
    ],
)
def test_what_a_proxy_cannot_be_asked_names_field_and_reason(
    call: Callable[..., bytes], arguments: tuple[object, ...], sentence: str
) -> None:
    with pytest.raises(BadValue) as caught:
        call(*arguments)
    assert str(caught.value) == sentence


def test_a_user_of_255_bytes_fits_into_a_login() -> None:
    assert socks5_login("u" * 255, Hidden(b"")) == b"\1\xff" + b"u" * 255 + b"\0"


def test_a_name_is_asked_for_with_its_length() -> None:
    assert socks5_request("relay", 25) == b"\5\1\0\3\5relay\0\x19"
    assert socks5_request("h", 25) == b"\5\1\0\3\1h\0\x19"
