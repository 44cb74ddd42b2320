"""Quadratic time and deep recursion: GHSA-2x7j-588g-ccc2, GHSA-9h6g-pr28-7cqp (nodemailer).

Whatever is read, four thousand characters or sixty-four thousand: the time grows with the
length, and nothing recurses. Addresses alone are tried in `tests/test_mailboxes.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from email import message_from_string, policy

import pytest

from smtps import SMTPS, Firewall, Mailing, Message, SMTPSError
from smtps.codec import ReplyParser
from smtps.sasl.credentials import Credentials, Responses
from smtps.sasl.digest_md5 import digest_md5
from smtps.sasl.scram import scram
from smtps.wire.capabilities import Capabilities

SMALL, TIMES = 4_000, 16
UNITS = [
    *("(", ")", '"', "<", ">", ",", ";", ":", "\\", "@", "=", "=?", "=?utf-8?q?a?=", " ", "\t"),
    *(
        "a",
        ".",
        "a@b.example, ",
        "g:",
        "{{",
        "}}",
        "{{ x }}",
        "%41",
        "&a=b",
        "é",
        "😀",
        "-",
        "\r\n ",
    ),
    *("\r\n", "\n", "X: y\r\n", "r=", 'realm="', '\\"', "a=b,"),
]
USER = Credentials("u", "S3cr3t!pass")

READERS: dict[str, Callable[[str], object]] = {
    "subject": lambda text: Message(from_="a@b.example", to="c@d.example", subject=text).render(),
    "header": lambda text: Message(
        from_="a@b.example", to="c@d.example", headers={"X-One": text}
    ).render(),
    "name of a person": lambda text: Message(from_=f'"{text}" <a@b.example>'),
    "people": lambda text: Message(from_="a@b.example", to=text).render(),
    "identifier": lambda text: Message(message_id=text),
    "date": lambda text: Message(date=text),
    "file name": lambda text: Message().attach(b"", name=text),
    "file type": lambda text: Message().attach(b"", content_type=text),
    "text": lambda text: Message(from_="a@b.example", to="c@d.example", text=text).render(),
    "classic headers": lambda text: (
        SMTPS(from_="a@b.example", send_to="c@d.example", other_headers=text).message_headers
    ),
    "classic recipients": lambda text: SMTPS(send_to=text),
    "template": lambda text: list(
        Mailing(Message(from_="a@b.example", to="c@d.example", text=text)).for_each([{"x": "y"}])
    ),
    "url": lambda text: SMTPS.from_url(f"smtp://host.example?hello={text}"),
    "firewall url": lambda text: Firewall.from_url(f"http://{text}"),
    "firewall data": lambda text: SMTPS(firewall_data=text),
    "host": lambda text: SMTPS(mail_server=text),
    "extensions": lambda text: Capabilities.parse(["x", *text.split("\n")]),
    "one extension": lambda text: Capabilities.parse(["x", f"AUTH {text}"]),
    "limits": lambda text: Capabilities.parse(["x", f"LIMITS {text}"]).limits,
    "email": lambda text: Message.from_email(
        message_from_string(f"From: a@b.example\nSubject: x\n\n{text}", policy=policy.default)
    ),
    "challenge of DIGEST-MD5": lambda text: _challenged(digest_md5(USER), text),
    "challenge of SCRAM": lambda text: _challenged(scram(USER, "sha256"), text),
}


def _challenged(exchange: Responses, text: str) -> None:
    next(exchange)
    exchange.send(text.encode())


def seconds(read: Callable[[str], object], text: str, wanted: float = 0) -> float:
    """Give the best of three times, or the first that is as good as it has to be."""
    best = float("inf")
    for _ in range(3):
        begin = time.thread_time()
        with suppress(SMTPSError, ValueError, StopIteration):
            read(text)
        best = min(best, time.thread_time() - begin)
        if best <= wanted:
            break
    return best


@pytest.mark.parametrize("reader", READERS)
def test_time_grows_with_the_length_and_not_faster(reader: str) -> None:
    read = READERS[reader]
    slow = {}
    for unit in UNITS:
        small = unit * (SMALL // len(unit))
        # Quadratic work would take 256 times as long for 16 times the length.
        most = 4 * TIMES * seconds(read, small) + 0.05
        took = seconds(read, small * TIMES, most)
        if took > most:
            slow[unit] = f"{took:.3f} s for {most / 4:.3f}"
    assert slow == {}


@pytest.mark.parametrize("unit", ["(", "250-x\r\n", "250 x\r\n", "250-", "\r\n", "2", "\n"])
def test_replies_take_no_more_time_for_their_length(unit: str) -> None:
    def read(text: str) -> None:
        parser = ReplyParser()
        for start in range(0, len(text), 512):
            parser.feed(text[start : start + 512].encode())

    small = unit * (SMALL // len(unit))
    most = 4 * TIMES * seconds(read, small) + 0.05
    assert seconds(read, small * TIMES, most) <= most
