"""A program sees the same as with smtplib, whatever the server says, and however it is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from smtps.testing import Fault
from tests.compat.modules import PEOPLE, both

MESSAGE = b"Subject: x\r\n\r\n.\r\nlast\r\n"


def on(place: str, reply: str, **more: Any) -> Callable[[], Fault]:
    return lambda: Fault(on=place, reply=reply, **more)


def gone(place: str, **more: Any) -> Callable[[], Fault]:
    return lambda: Fault(on=place, **{"drop": True, **more})


#: What goes wrong while a message is sent.
MISHAPS: dict[str, list[Callable[[], Fault]]] = {
    "nothing": [],
    "sender refused": [on("MAIL", "550 5.7.1 not you")],
    "sender deferred": [on("MAIL", "451 4.3.0 later")],
    "sender refused in lines": [on("MAIL", "550-5.7.1 not\r\n550 5.7.1 you")],
    "sender refused and gone": [on("MAIL", "554 5.7.1 no", drop=True)],
    "sender and 421": [on("MAIL", "421 4.3.2 bye", drop=True)],
    "first refused": [on("RCPT", "550 5.1.1 unknown", nth=1)],
    "last deferred": [on("RCPT", "450 4.2.1 busy", nth=3)],
    "two refused": [on("RCPT", "550 5.1.1 unknown", nth={1, 3})],
    "251 to one": [on("RCPT", "251 forwarded", nth=2)],
    "all refused": [on("RCPT", "550 5.1.1 unknown")],
    "all refused, RSET too": [on("RCPT", "550 5.1.1 unknown"), gone("RSET")],
    "second and 421": [on("RCPT", "421 4.3.2 bye", nth=2, drop=True)],
    "content not wanted": [on("DATA", "451 4.3.0 later")],
    "content refused": [on(".", "554 5.6.0 no")],
    "content deferred": [on(".", "452 4.3.1 full")],
    "content and 421": [on(".", "421 4.3.2 bye", drop=True)],
    "gone at MAIL": [gone("MAIL")],
    "gone at RCPT": [gone("RCPT", nth=2)],
    "gone at DATA": [gone("DATA")],
    "gone at the end": [gone(".")],
    "torn down at RCPT": [lambda: Fault(on="RCPT", nth=1, reset=True)],
    "EHLO unknown": [on("EHLO", "502 5.5.1 what?")],
    "EHLO and HELO unknown": [on("EHLO", "502 no"), on("HELO", "502 no")],
    "no greeting for anybody": [gone("EHLO")],
}


def send(smtp: Any) -> Any:
    return smtp.sendmail("s@x.example", PEOPLE, MESSAGE)


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "one-by-one"])
@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_message_ends_alike(mishap: str, pipelining: bool) -> None:
    expected, seen = both(send, *MISHAPS[mishap], pipelining=pipelining)
    if mishap == "content not wanted":
        # smtplib leaves the message open here, so that the next one fails.
        assert (seen.raised, seen.arguments) == (expected.raised, expected.arguments)
        return
    assert seen == expected


@pytest.mark.parametrize("place", ["EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_server_that_hangs_is_left_alike(place: str) -> None:
    def call(smtp: Any) -> Any:
        smtp.sock.settimeout(0.1)
        return send(smtp)

    expected, seen = both(call, lambda: Fault(on=place, stall=True), pipelining=True)
    assert seen == expected
    assert not seen.connected


@pytest.mark.parametrize(
    "call",
    [
        lambda smtp: (smtp.ehlo(), smtp.esmtp_features, smtp.ehlo_resp, smtp.does_esmtp),
        lambda smtp: (smtp.ehlo("me"), smtp.has_extn("SiZe"), smtp.has_extn("x-none")),
        lambda smtp: (smtp.helo(), smtp.helo_resp, smtp.esmtp_features, smtp.does_esmtp),
        lambda smtp: (smtp.ehlo_or_helo_if_needed(), smtp.ehlo_resp),
        lambda smtp: (smtp.noop(), smtp.rset(), smtp.docmd("NOOP", "x"), smtp.help()),
        lambda smtp: (smtp.vrfy("user"), smtp.verify("a@x.example"), smtp.expn("list")),
        lambda smtp: smtp.docmd("UNKNOWN"),
        lambda smtp: (smtp.putcmd("NOOP"), smtp.getreply()),
        lambda smtp: (smtp.send(b"NOOP\r\nNOOP\r\n"), smtp.getreply(), smtp.getreply()),
        lambda smtp: (smtp.send("NOOP\r\n"), smtp.getreply()),
        lambda smtp: (smtp.sock.sendall(b"NOOP\r\n"), smtp.getreply()),
        lambda smtp: (smtp.ehlo(), smtp.mail("s@x.example", ["size=5"]), smtp.rcpt("a@x.example")),
        lambda smtp: (
            smtp.ehlo(),
            smtp.mail("s@x.example"),
            smtp.rcpt("a@x.example", ["NOTIFY=NEVER"]),
            smtp.data("x\n.\n"),
            smtp.quit(),
        ),
        lambda smtp: (
            smtp.ehlo(),
            smtp.docmd("mail from:<>"),
            smtp.docmd("rcpt to:<a@x.example>"),
            smtp.docmd("data"),
            smtp.send(b"one\r\ntwo\r\n"),
            smtp.send(b".\r\n"),
            smtp.getreply(),
        ),
        lambda smtp: (smtp.ehlo(), smtp.data(b"x")),
        lambda smtp: (smtp.login("user", "secret"), smtp.login("user", "secret")),
        lambda smtp: smtp.login("user", "wrong"),
        lambda smtp: (smtp.quit(), smtp.quit()),
        lambda smtp: (smtp.close(), smtp.noop()),
        lambda smtp: smtp.sendmail("s@x.example", [], b"x"),
        lambda smtp: smtp.sendmail("s@x.example", "a@x.example", "text\nof two lines"),
        lambda smtp: smtp.sendmail("s@x.example", "a@x.example", "s\u00fc\u00df"),
        lambda smtp: smtp.sendmail("s\u00fc@x.example", "a@x.example", "x"),
        lambda smtp: smtp.sendmail("s@x.example", "a@x.example", "x", ["BODY=8BITMIME"]),
        lambda smtp: smtp.sendmail("s@x.example", ["a@x.example"], "x", rcpt_options=["X=1"]),
        lambda smtp: smtp.docmd("NOOP\nRSET"),
        lambda smtp: smtp.starttls(),
    ],
)
def test_a_call_gives_the_same(call: Callable[[Any], Any]) -> None:
    expected, seen = both(call, pipelining=True, lax=True)
    assert seen.raised is expected.raised or issubclass(
        seen.raised or int, expected.raised or float
    )
    assert (seen.returned, seen.arguments) == (expected.returned, expected.arguments)
    assert seen.connected is expected.connected


@pytest.mark.parametrize(
    "greeting", ["554 no service", "421 4.3.2 busy", "220-many\r\n220 words", "199 what"]
)
def test_a_greeting_is_answered_alike(greeting: str) -> None:
    # The object is made anew, since the first one is connected by then.
    def call(smtp: Any) -> Any:
        host, port = smtp.sock.getpeername()
        with closing(type(smtp)(host, port, "client.example")) as again:
            return again.noop()

    expected, seen = both(call, on("greeting", greeting, connection=2), pipelining=True)
    assert seen.raised is expected.raised
    if greeting != "199 what":
        assert (seen.returned, seen.arguments) == (expected.returned, expected.arguments)


def test_lmtp_gives_the_same_for_one_recipient() -> None:
    expected, seen = both(
        lambda smtp: smtp.sendmail("s@x.example", ["a@x.example"], b"x"),
        on(".", "552 5.2.2 full"),
        pipelining=True,
        lmtp=True,
    )
    assert seen == expected
