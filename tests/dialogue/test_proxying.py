"""Asking proxies for a connection, byte by byte and without a socket."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.dialogue.proxying import ask_proxy, proxy_requests
from smtps.enumerations import FirewallType
from smtps.errors import BadValue, ConnectionLost, ProxyError
from smtps.firewall import Firewall
from smtps.hidden import Hidden
from smtps.ops import Deadline, Read, Write
from smtps.wire.tunnel import LONGEST_HEAD

NAME = "relay.example"
TUNNEL, SOCKS4, SOCKS5 = FirewallType.TUNNEL, FirewallType.SOCKS4, FirewallType.SOCKS5
BOUND = b"\x01\x7f\x00\x00\x01\x04\x38"


class Talk:
    """What was written to the proxy, and what came behind its answer."""

    def __init__(
        self,
        answers: Iterable[bytes],
        kind: FirewallType = SOCKS5,
        *,
        host: str = NAME,
        port: int = 587,
        user: str = "",
        password: str = "",
        more: str = "",
    ) -> None:
        firewall = Firewall(kind, "proxy.example", user=user, password=password)
        self.written: list[bytes] = []
        waiting = iter(answers)
        requests = proxy_requests(firewall, host, port, Hidden(more.encode()))
        dialogue = ask_proxy(firewall, requests, Deadline())
        result: object = None
        try:
            while True:
                match dialogue.send(result):
                    case Write() as op:
                        self.written.append(bytes(op.data))
                        result = False
                    case Read():
                        result = next(waiting, b"")
        except StopIteration as stop:
            self.rest: bytes = stop.value + b"".join(waiting)


def refusal(answers: Iterable[bytes], kind: FirewallType = SOCKS5, **options: str) -> ProxyError:
    with pytest.raises(ProxyError) as caught:
        Talk(answers, kind, **options)  # type: ignore[arg-type]
    assert caught.value.code == 118
    assert caught.value.phase == "asking the proxy to connect"
    return caught.value


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


# --- HTTP CONNECT ---------------------------------------------------------------------------------


def test_a_tunnel_is_asked_for_host_and_port() -> None:
    talk = Talk([b"HTTP/1.1 200 Connection established\r\n\r\n"], TUNNEL)
    assert talk.written == [
        b"CONNECT relay.example:587 HTTP/1.1\r\nHost: relay.example:587\r\n\r\n"
    ]


def test_an_ipv6_target_stands_in_brackets() -> None:
    talk = Talk([b"HTTP/1.1 200 ok\r\n\r\n"], TUNNEL, host="2001:db8::1")
    assert talk.written[0].startswith(b"CONNECT [2001:db8::1]:587 HTTP/1.1\r\n")


def test_user_and_password_go_by_basic_in_utf8() -> None:
    talk = Talk([b"HTTP/1.1 200 ok\r\n\r\n"], TUNNEL, user="ann", password="pä:ss")
    login = base64.b64encode("ann:pä:ss".encode())
    assert b"\r\nProxy-Authorization: Basic " + login + b"\r\n" in talk.written[0]


def test_firewall_data_adds_headers_and_replaces_those_of_its_name() -> None:
    more = "User-Agent: me\r\nhost: other.example\r\n"
    talk = Talk([b"HTTP/1.1 200 ok\r\n\r\n"], TUNNEL, more=more)
    assert talk.written == [
        b"CONNECT relay.example:587 HTTP/1.1\r\nUser-Agent: me\r\nhost: other.example\r\n\r\n"
    ]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 Connection established\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 204 No Content\n\n",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nVia: x\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 8000 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_what_stands_behind_the_head_belongs_to_the_relay(head: bytes, split: bool) -> None:
    greeting = b"220 relay\r\n\r\n220 more\r\n"
    answer = head + greeting
    assert Talk(bytewise(answer) if split else [answer], TUNNEL).rest == greeting


@pytest.mark.parametrize(
    ("answer", "words", "retryable"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required", "407 Proxy Authentication Required", False),
        (b"HTTP/1.1 403 Forbidden", "403 Forbidden", False),
        (b"HTTP/1.1 503 Service\x1b[31m \xffdown", "503 Service?[31m \\xffdown", True),
        (b"HTTP/1.1 301 Moved", "301 Moved", False),
        (b"HTTP/1.1 502", "502", True),
    ],
)
def test_a_refusal_has_the_words_of_the_proxy(answer: bytes, words: str, retryable: bool) -> None:
    error = refusal([answer + b"\r\nX: y\r\n\r\n<html>"], TUNNEL)
    assert f"the proxy refused: {words}" in str(error)
    assert error.retryable is retryable


def test_a_demand_for_a_login_names_the_properties() -> None:
    error = refusal([b"HTTP/1.1 407 Who\r\n\r\n"], TUNNEL)
    assert "check firewall_user and firewall_password" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        b"220 relay.example ESMTP\r\n",
        b"\x00\x5a\x00\x00",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 999 OK\r\n\r\n",
        b"HTTP/x 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\rX: y\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(answer: bytes) -> None:
    assert "does not speak HTTP" in str(refusal([answer], TUNNEL))


def test_a_head_without_an_end_is_given_up() -> None:
    line = b"X-Filler: " + b"x" * 1000 + b"\r\n"
    # One line more than is looked at, and the dialogue would wait at the end of the list.
    answers = [b"HTTP/1.1 200 OK\r\n", *[line] * (LONGEST_HEAD // len(line) + 1)]
    assert "no end" in str(refusal(answers, TUNNEL))


# --- SOCKS 4 --------------------------------------------------------------------------------------


def test_socks4_carries_an_address_and_the_user() -> None:
    talk = Talk([b"\0\x5a" + bytes(6)], SOCKS4, host="192.0.2.1", port=25, user="ann")
    assert talk.written == [b"\x04\x01\x00\x19\xc0\x00\x02\x01ann\x00"]


def test_socks4a_hands_the_name_over() -> None:
    talk = Talk([b"\0\x5a" + bytes(6)], SOCKS4, port=25)
    assert talk.written == [b"\x04\x01\x00\x19\x00\x00\x00\x01\x00relay.example\x00"]


@pytest.mark.parametrize("split", [False, True])
def test_what_stands_behind_a_socks4_answer_belongs_to_the_relay(split: bool) -> None:
    answer = b"\0\x5a\x00\x00\x00\x00\x00\x00220 relay\r\n"
    assert Talk(bytewise(answer) if split else [answer], SOCKS4).rest == b"220 relay\r\n"


def test_socks4_has_no_room_for_ipv6() -> None:
    with pytest.raises(BadValue, match="SOCKS4 carries no IPv6 address"):
        Talk([], SOCKS4, host="::1")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\0\x5b" + bytes(6), "request rejected or failed (SOCKS4 code 91)"),
        (b"\0\x5d" + bytes(6), "identd names another user"),
        (b"\0\x00" + bytes(6), "SOCKS4 code 0"),
        (b"\x05\xff" + bytes(6), "does not speak SOCKS4"),
        (b"HTTP/1.1", "does not speak SOCKS4"),
    ],
)
def test_a_refusal_by_socks4_says_why(answer: bytes, words: str) -> None:
    assert words in str(refusal([answer], SOCKS4))


# --- SOCKS 5 --------------------------------------------------------------------------------------

GRANTED = b"\x05\x00\x00" + BOUND


def test_socks5_hands_the_name_over() -> None:
    talk = Talk([b"\x05\x00", GRANTED])
    assert talk.written == [b"\x05\x01\x00", b"\x05\x01\x00\x03\x0drelay.example\x02\x4b"]


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("192.0.2.1", b"\x01\xc0\x00\x02\x01"),
        ("::1", b"\x04" + bytes(15) + b"\x01"),
        ("x" * 63 + ".example", b"\x03\x47" + b"x" * 63 + b".example"),
    ],
)
def test_socks5_carries_addresses_of_both_kinds(host: str, target: bytes) -> None:
    talk = Talk([b"\x05\x00", GRANTED], host=host, port=25)
    assert talk.written[1] == b"\x05\x01\x00" + target + b"\x00\x19"


def test_socks5_logs_in_when_the_proxy_wants_it() -> None:
    talk = Talk([b"\x05\x02", b"\x01\x00", GRANTED], user="änn", password="secret")
    assert talk.written[:2] == [b"\x05\x02\x00\x02", b"\x01\x04" + "änn".encode() + b"\x06secret"]


def test_socks5_keeps_the_password_to_itself_when_the_proxy_does_not_want_it() -> None:
    talk = Talk([b"\x05\x00", GRANTED], user="ann", password="secret")
    assert b"secret" not in b"".join(talk.written)


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    "bound", [BOUND, b"\x04" + bytes(18), b"\x03\x05a.b.c\x00\x19", b"\x03\x00\x00\x19"]
)
def test_what_stands_behind_a_socks5_answer_belongs_to_the_relay(bound: bytes, split: bool) -> None:
    answer = b"\x05\x00\x05\x00\x00" + bound + b"220 relay\r\n"
    assert Talk(bytewise(answer) if split else [answer]).rest == b"220 relay\r\n"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b"\x05\xff"], "none of the ways to log in"),
        ([b"\x05\x02"], "not offered (2)"),
        ([b"\x05\x01"], "not offered (1)"),
        ([b"\x04\x00"], "does not speak SOCKS5"),
        ([b"HTTP/1.1 400 Bad\r\n"], "does not speak SOCKS5"),
        ([b"\x05\x00", b"\x05\x02\x00\x01"], "not allowed by its rules (SOCKS5 code 2)"),
        ([b"\x05\x00", b"\x05\x05\x00\x01"], "connection refused"),
        ([b"\x05\x00", b"\x05\x63\x00\x01"], "unknown reason (SOCKS5 code 99)"),
        ([b"\x05\x00", b"\x04\x00\x00\x01"], "does not speak SOCKS5"),
        ([b"\x05\x00", b"\x05\x00\x00\x02\x00"], "unknown type of address (2)"),
    ],
)
def test_a_refusal_by_socks5_says_why(answers: list[bytes], words: str) -> None:
    assert words in str(refusal(answers))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b"\x05\x02", b"\x01\x01"], "did not accept firewall_user and firewall_password"),
        ([b"\x05\x02", b"\x05\x00"], "answered the login with something else"),
    ],
)
def test_a_login_that_is_refused_says_so_without_the_secret(
    answers: list[bytes], words: str
) -> None:
    error = refusal(answers, user="ann", password="S3cr3t!")
    assert words in str(error)
    assert "S3cr3t" not in str(error)


@pytest.mark.parametrize(("field", "value"), [("user", "u" * 256), ("password", "ü" * 128)])
def test_a_login_that_is_too_long_is_refused_and_not_cut(field: str, value: str) -> None:
    with pytest.raises(BadValue, match=f"firewall_{field}: longer than the 255 bytes"):
        Talk([], **{"user": "u", field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [SOCKS4, SOCKS5])
def test_a_name_that_is_too_long_is_refused_and_not_cut(kind: FirewallType) -> None:
    with pytest.raises(BadValue, match="mail_server: longer than the 255 bytes"):
        Talk([], kind, host="a." * 128)


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        (TUNNEL, [b"HTTP/1.1 200 OK\r\n"]),
        (TUNNEL, []),
        (SOCKS4, [b"\0\x5a\0\0"]),
        (SOCKS5, []),
        (SOCKS5, [b"\x05"]),
        (SOCKS5, [b"\x05\x00", b"\x05\x00\x00\x01\x7f"]),
        (SOCKS5, [b"\x05\x00", b"\x05\x00\x00\x03\xff" + b"a" * 200]),
    ],
)
def test_an_answer_that_breaks_off_is_a_lost_connection(
    kind: FirewallType, answers: list[bytes]
) -> None:
    with pytest.raises(ConnectionLost):
        Talk(answers, kind)


def test_a_colon_in_the_user_cannot_go_by_basic() -> None:
    with pytest.raises(BadValue, match="firewall_user"):
        Talk([], TUNNEL, user="a:b", password="x")


@pytest.mark.parametrize("kind", [TUNNEL, SOCKS4, SOCKS5])
def test_a_zone_of_this_host_is_not_sent_to_a_proxy(kind: FirewallType) -> None:
    with pytest.raises(BadValue, match="mail_server: its zone"):
        Talk([], kind, host="fe80::1%eth0")


WORDS = [
    *(b"HTTP/1.1 ", b"200", b"102", b"407", b" ", b"ok", b"\r", b"\n", b"\r\n\r\n", b"220 relay"),
    *(b"\0\x5a", bytes(6), b"\x05", b"\x02", b"\x01", b"\0", b"\x03"),
]


def outcome(kind: FirewallType, answers: list[bytes]) -> object:
    try:
        return Talk(answers, kind, user="ann", password="secret").rest
    except (ProxyError, ConnectionLost) as error:
        return str(error)


@given(
    kind=st.sampled_from([TUNNEL, SOCKS4, SOCKS5]),
    answer=st.one_of(
        st.binary(max_size=40),
        st.lists(
            st.sampled_from(WORDS),
            max_size=14,
        ).map(b"".join),
    ),
    cuts=st.lists(st.integers(1, 5), max_size=40),
)
def test_an_answer_means_the_same_however_it_is_cut(
    kind: FirewallType, answer: bytes, cuts: list[int]
) -> None:
    pieces, rest = [], answer
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    pieces = [piece for piece in [*pieces, rest] if piece]
    assert outcome(kind, pieces) == outcome(kind, [answer] if answer else [])
