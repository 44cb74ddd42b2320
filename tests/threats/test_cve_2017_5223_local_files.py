"""Files that content names: CVE-2017-5223, CVE-2018-19296 (PHPMailer), GHSA-p6gq-j5cr-w38f."""

from __future__ import annotations

import base64
from email import message_from_string, policy
from pathlib import Path

import pytest

from smtps import SMTPS, Envelope, Mailing, Message, Outbox
from smtps.testing import Sink

CANARY = b"root:x:0:0:canary of the tests"


@pytest.fixture
def named(tmp_path: Path) -> list[str]:
    """The ways to name a file that nobody attached."""
    file = tmp_path / "canary.txt"
    file.write_bytes(CANARY)
    return [str(file), f"file://{file}", f"phar://{file}", f"<img src='{file}'>", f"@{file}"]


def shows(content: bytes) -> bool:
    encoded = base64.b64encode(CANARY)[:-4]
    return CANARY in content or encoded in content.replace(b"\r\n", b"")


def test_a_file_that_a_message_names_is_not_read(named: list[str]) -> None:
    for name in named:
        message = Message(
            from_="a@b.example",
            to="c@d.example",
            subject=name,
            text=f"{name}\n{{{{ include {name} }}}}",
            html=f'<img src="{name}"><link href="{name}"><style>@import url({name})</style>',
            headers={"X-File": name},
        )
        message.attach(name.encode(), name="name.txt")
        assert not shows(message.render())
    shown = Message(from_="a@b.example", to="c@d.example")
    shown.attach(named[0])
    assert shows(shown.render())


def test_a_file_that_a_row_or_a_parsed_message_names_is_not_read(named: list[str]) -> None:
    template = Message(from_="a@b.example", to="c@d.example", html="<p>{{ text }}</p>")
    items = Mailing(template).for_each({"text": name} for name in named)
    for item in items:
        assert isinstance(item, Message)
        assert not shows(item.render())
    for name in named:
        text = (
            f"From: a@b.example\nTo: c@d.example\nMIME-Version: 1.0\n"
            f'Content-Type: message/external-body; access-type=local-file; name="{name}"\n\n'
            f"Content-Type: text/plain\n\n"
        )
        taken = Message.from_email(message_from_string(text, policy=policy.default))
        assert not shows(taken.render())


def test_a_file_that_a_queue_file_names_is_not_read(tmp_path: Path, named: list[str]) -> None:
    folder = tmp_path / "queue"
    folder.mkdir(mode=0o700)
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        for name in named:
            content = f"Subject: x\r\nX-Attach: {name}\r\nAttachedFile: {name}\r\n\r\n{name}\r\n"
            Outbox(folder).put((Envelope("a@b.example", ["c@d.example"]), content.encode()))
        Outbox(folder).run(smtp)
        assert len(sink.messages) == len(named)
        assert not any(shows(message.content) for message in sink.messages)
