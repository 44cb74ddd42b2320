"""The name in EHLO, which programs configure. GHSA-vvjj-xcjg-gr5g, symfony 64710."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from smtps import SMTPS, BadValue
from smtps.testing import Sink
from tests.support.fronts import Front

#: The sample of the advisory, and what else is no name and no address literal.
BAD = [
    "x\r\nMAIL FROM:<e@e>",
    "x\nRCPT TO:<e@e>",
    "x\rQUIT",
    "x\0",
    "a b",
    "x SIZE=1",
    "<x>",
    "[127.0.0.1",
    "[127.0.0.1]x",
    "[2001:db8::1]",
    "[IPv6:192.0.2.1]",
    "[IPv6:fe80::1%eth0]",
    "[IPv6:fe80::1%x MAIL]",
    "a" * 256,
    "a..b",
    "x\u2028QUIT",
    "x\u760d\u760aQUIT",
]
WAYS: dict[str, Callable[[str], Any]] = {
    "argument": lambda hello: SMTPS(hello=hello),
    "setting": lambda hello: setattr(SMTPS().settings, "hello", hello),
    "config": lambda hello: SMTPS().config(f"Hello={hello}"),
    "url": lambda hello: SMTPS.from_url(f"smtp://h.example?hello={quote(hello)}"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hello", BAD)
def test_what_is_no_name_is_refused_when_it_is_given(way: str, hello: str) -> None:
    with pytest.raises(BadValue) as caught:
        WAYS[way](hello)
    assert "MAIL FROM" not in str(caught.value)


@pytest.mark.parametrize("hello", ["h.example", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
def test_a_name_goes_as_it_is(front: Front, hello: str) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.settings.hello = hello
        front.connect(smtp)
        assert sink.commands[0] == f"EHLO {hello}"
