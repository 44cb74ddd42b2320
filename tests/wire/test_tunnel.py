"""The head of a proxy's answer: what it means, and whether it may be different the next time."""

from __future__ import annotations

import pytest

from smtps.errors import ProxyError
from smtps.wire.tunnel import LONGEST_HEAD, TunnelHead


def refusal(answer: bytes) -> ProxyError:
    with pytest.raises(ProxyError) as caught:
        TunnelHead().feed(answer)
    return caught.value


def reason(error: ProxyError) -> str:
    return str(error.reason)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        *[(code, False) for code in (300, 400, 403, 407, 409, 428, 430, 499)],
        *[(code, True) for code in (408, 429, 500, 502, 599)],
    ],
)
def test_what_passes_with_time_is_retryable(code: int, retryable: bool) -> None:
    assert refusal(b"HTTP/1.1 %d no\r\n\r\n" % code).retryable is retryable


@pytest.mark.parametrize("code", [200, 201, 299])
def test_any_2xx_is_the_connection(code: int) -> None:
    assert TunnelHead().feed(b"HTTP/1.1 %d\r\n\r\n" % code)


def test_an_answer_that_only_says_that_one_will_come_is_none() -> None:
    head = TunnelHead()
    assert not head.feed(b"HTTP/1.1 199 soon\r\n\r\n")
    assert head.feed(b"HTTP/1.1 200 ok\r\n\r\n220 relay")
    assert head.rest == b"220 relay"


@pytest.mark.parametrize("code", [401, 407])
def test_a_login_that_is_refused_points_to_its_settings(code: int) -> None:
    said = reason(refusal(b"HTTP/1.1 %d login\r\n\r\n" % code))
    assert said.endswith(f"{code} login; check firewall_user and firewall_password")


def test_another_refusal_does_not() -> None:
    assert reason(refusal(b"HTTP/1.1 403 forbidden\r\n\r\n")).endswith("refused: 403 forbidden")


def test_what_is_not_http_is_told_at_its_first_bytes() -> None:
    assert reason(refusal(b"SSH")).endswith("the proxy does not speak HTTP")
    assert reason(refusal(b"HTTP/x\r\n\r\n")).endswith("its answer has no status line")


def test_a_reason_is_shown_printable_and_cut() -> None:
    said = reason(refusal(b"HTTP/1.1 500 \x1b[2Ja\xff" + b"x" * 300 + b"\r\n\r\n"))
    assert said.isprintable()
    assert said.endswith("500 ?[2Ja\\xff" + "x" * 191)


def test_a_head_without_an_end_is_given_up_at_its_limit() -> None:
    head = TunnelHead()
    assert not head.feed(b"HTTP/1.1 200 ok\r\n".ljust(LONGEST_HEAD - 1, b"x"))
    with pytest.raises(ProxyError, match="has no end"):
        head.feed(b"x")
