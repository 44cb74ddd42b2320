"""The head of a proxy's answer: what it means, and whether it may be different the next time."""

from __future__ import annotations

import pytest

from smtps.errors import BadValue, ProxyError
from smtps.hidden import Hidden
from smtps.wire.tunnel import LONGEST_HEAD, TunnelHead, connect_request


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


# --- the request ----------------------------------------------------------------------------------


def request(user: str = "", password: bytes = b"", more: bytes = b"") -> bytes:
    return bytes(connect_request("relay.example", 25, user, Hidden(password), Hidden(more)))


PLAIN = b"CONNECT relay.example:25 HTTP/1.1\r\nHost: relay.example:25\r\n"


def test_without_a_user_a_tunnel_is_only_asked_for_the_place() -> None:
    assert request(password=b"p") == PLAIN + b"\r\n"


def test_a_user_is_sent_by_basic() -> None:
    assert request("Aladdin", b"open sesame") == (
        PLAIN + b"Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
    )


def test_header_lines_of_the_program_come_last_and_replace_ours() -> None:
    more = b"X-Who: me\r\n\r\nhOST: other\r\nPROXY-authorization: Bearer x\r\n"
    assert request("u", b"p", more) == (
        b"CONNECT relay.example:25 HTTP/1.1\r\n"
        b"X-Who: me\r\nhOST: other\r\nPROXY-authorization: Bearer x\r\n\r\n"
    )
    assert request(more=b"X-Host: me") == PLAIN + b"X-Host: me\r\n\r\n"


def test_a_user_with_a_colon_is_refused() -> None:
    with pytest.raises(BadValue) as caught:
        request("a:b")
    assert str(caught.value) == "firewall_user: a colon cannot be sent to a tunnel proxy"


# --- its answer, in pieces ------------------------------------------------------------------------


def test_a_head_in_any_two_pieces_is_the_same() -> None:
    answer = b"HTTP/1.1 100 wait\r\n\r\nHTTP/1.0 200 ok\r\nX: y\n\n220 relay"
    for cut in range(len(answer) + 1):
        head = TunnelHead()
        first = head.feed(answer[:cut])
        rest = head.rest + answer[cut:] if first else b""
        if not first:
            assert head.rest == b""
            assert head.feed(answer[cut:]) is True
            rest = head.rest
        assert rest == b"220 relay"


def test_a_head_byte_by_byte_ends_with_its_last_byte() -> None:
    answer = b"HTTP/1.1 200 ok\r\nX: y\r\n\r\n"
    head = TunnelHead()
    assert [head.feed(answer[at : at + 1]) for at in range(len(answer))] == (
        [False] * (len(answer) - 1) + [True]
    )


def test_a_head_of_just_the_limit_is_taken() -> None:
    answer = b"HTTP/1.1 200 ok\r\nX: ".ljust(LONGEST_HEAD - 4, b"x") + b"\r\n\r\n"
    assert TunnelHead().feed(answer)
    said = reason(refusal(answer[:-4] + b"x\r\n\r\n"))
    assert said == "the head of the proxy's answer has no end"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"HTTP/1.1 500", "the proxy refused: 500"),
        (b"HTTP/1.1 404 ", "the proxy refused: 404"),
        (b"HTTP/1.1 503  down ", "the proxy refused: 503 down"),
    ],
)
def test_a_refusal_has_the_code_and_the_words_of_the_proxy(line: bytes, said: str) -> None:
    assert reason(refusal(line + b"\r\n\r\n")) == said


def test_the_settings_are_pointed_to_without_words_of_the_proxy_too() -> None:
    said = reason(refusal(b"HTTP/1.1 407\r\n\r\n"))
    assert said == "the proxy refused: 407; check firewall_user and firewall_password"
