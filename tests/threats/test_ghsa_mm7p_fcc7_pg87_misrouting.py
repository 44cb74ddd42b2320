"""Addresses that are read as another's: GHSA-mm7p-fcc7-pg87 (nodemailer), CVE-2025-59937 (go-mail).

And CVE-2023-27043 (CPython), symfony 61846, and domains in other scripts. The one who gets the
message is the one who is named, or nobody.
"""

from __future__ import annotations

import pytest

from smtps import AddressError, Message
from smtps.mailboxes import parse_address
from smtps.testing import Sink
from tests.support.fronts import Front

#: What is written, and the path of RCPT that it must become.
KEPT = {
    '"x@gmail.com y"@in.example': '"x@gmail.com y"@in.example',
    '"a@e> ORCPT=v"@in.example': '"a@e> ORCPT=v"@in.example',
    '"a>,<b@evil.example"@in.example': '"a>,<b@evil.example"@in.example',
    '"evil@x.example" <a@in.example>': "a@in.example",
    "evil@x.example <a@in.example>": None,
    '"a\\"@evil.example"@in.example': '"a\\"@evil.example"@in.example',
    "a(evil@x.example)@in.example": "a@in.example",
    "a@in.example (evil@x.example)": "a@in.example",
    '"a"@in.example': "a@in.example",
    "bob@t\u00ebst.example": "bob@xn--tst-jma.example",
    "bob@T\u00cbST.example": "bob@xn--tst-jma.example",
    "bob@in\uff0eexample": "bob@in.example",
    "bob@in\u3002example": "bob@in.example",
}
REFUSED = [
    "test@example.com\r\nRCPT TO:<hijacker@example.com>",
    "alice@example.org(<bob@evil.com>",
    "<a@good.com>evil@x",
    "a@g(<b@e>",
    "a@b@c.example",
    "a@b.example@c.example",
    "a@b.example>",
    "<a@b.example",
    "<<a@b.example>>",
    "<a@b.example> <c@d.example>",
    "<@evil.example:a@b.example>",
    "a%evil.example@",
    "a@",
    "@b.example",
    "a@b..example",
    "a@.b.example",
    "a@b.example..",
    "a@-b.example",
    "a@b-.example",
    f"a@{'x' * 64}.example",
    f"a@{'x.' * 128}example",
    "a@[127.0.0.1",
    "a@[127.0.0.256]",
    "a@[IPv6:::1]x",
    "a@[x\r\ny]",
    "user\uff20evil.example",
    "a@xn--a.example",
    "a@xn--zzzzzzzzzzzzzz.example",
    "a@\u05d0a.example",
    "a@a\u200db.example",
    "a@a\u202eb.example",
    "a@b\u2024example\u2025",
    "a@ex\u00adample\u2215.example",
    "a@b.example\x00",
    "a b@c.example",
    "a.@b.example",
    ".a@b.example",
]


@pytest.mark.parametrize("written", KEPT)
def test_a_message_goes_to_who_is_named(front: Front, written: str) -> None:
    wanted = KEPT[written]
    if wanted is None:
        with pytest.raises(AddressError):
            Message(from_="f@b.example", to=written)
        return
    message = Message(from_="f@b.example", to=written, text="x")
    with Sink(extensions=()) as sink:
        front.send(front.at(sink.url), message)
        assert [one.recipients for one in sink.messages] == [(wanted,)]
        assert sum(line.startswith("RCPT") for line in sink.commands) == 1


@pytest.mark.parametrize("written", REFUSED)
def test_an_address_that_could_be_two_is_refused(written: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(written, field="to").wire()
    assert str(caught.value).isprintable()
    with pytest.raises(AddressError):
        Message(from_="f@b.example", to=[written], text="x").render()
