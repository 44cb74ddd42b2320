"""Letters whose low byte is a line end: CVE-2025-7962 (Jakarta Mail), which cut them to bytes.

U+760D and U+760A are two Chinese characters; nothing of what holds them is a line of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from smtps import Envelope, Message, SMTPSError
from smtps.testing import Sink
from tests.support.fronts import Front

#: Low bytes of CR, LF, NUL, a blank and a dot; and line ends that only Python knows.
LETTERS = "\u760d\u760a"
SPELLINGS = {
    "han": f"a{LETTERS}RCPT TO:<evil@x.example>",
    "latin extended": "a\u010d\u010aRCPT TO:<evil@x.example>",
    "nul and dot": "a\u0100\u760d\u760a\u012e\u760d\u760a",
    "astral": "a\U0001f60d\U0001f60aRCPT TO:<evil@x.example>",
    "separators": "a\u2028\u2029\u0085RCPT TO:<evil@x.example>",
}


def lines_of(sink: Sink) -> list[str]:
    return [line for one in sink.connections for line in one.commands]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("extensions", [("SMTPUTF8", "8BITMIME"), ()])
def test_no_argument_becomes_a_line_of_its_own(
    front: Front, spelling: str, extensions: tuple[str, ...]
) -> None:
    text = SPELLINGS[spelling]
    with Sink(extensions=extensions, users={"joe": "secret"}) as sink:
        smtp = front.at(sink.url)
        attempts: list[Callable[[], object]] = [
            lambda: front.send(smtp, (Envelope(f'"{text}"@b.example', ["c@d.example"]), b"x\r\n")),
            lambda: front.send(smtp, (Envelope("", [f'"{text}"@b.example']), b"x\r\n")),
            lambda: front.run(smtp.verify(text)),
            lambda: front.run(smtp.send_command(f"NOOP {text}")),
            lambda: setattr(smtp.settings, "hello", text),
            lambda: setattr(smtp, "local_host", text),
        ]
        for attempt in attempts:
            with suppress(SMTPSError):
                attempt()
        for line in lines_of(sink):
            assert not line.startswith("RCPT TO:<evil")
        assert sum(one.bare_newlines for one in sink.connections) == 0
        assert all("evil@x.example" not in message.recipients for message in sink.messages)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_field_becomes_another(spelling: str) -> None:
    text = SPELLINGS[spelling].replace("RCPT TO", "Bcc")
    message = Message(from_="a@b.example", to="c@d.example", text=text, subject="x")
    with suppress(SMTPSError):
        message.subject = text
    with suppress(SMTPSError):
        message.add_header("X-One", text)
    with suppress(SMTPSError):
        message.attach(b"x", name=text)
    content = message.render()
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")
    head = content.partition(b"\r\n\r\n")[0]
    assert not any(line.lower().startswith((b"bcc", b"rcpt")) for line in head.split(b"\r\n"))
