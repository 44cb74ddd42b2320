"""Mail that was made to break parsers, taken over and sent: each part arrives as it was read."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as EmailMessage
from email.policy import Policy, compat32, default
from pathlib import Path
from typing import NamedTuple

import pytest

from smtps import SMTPS, BadValue, Message
from smtps.testing import Sink
from tests.support.samples import SAMPLES, require_samples

#: What cannot be sent, and what the error names.
REFUSED = {
    # A date of 1822's form, which the newer policy of the library rewrites.
    ("msg_47.txt", "compat32"): "date",
    ("mail_test_12", "compat32"): "Received",
    ("mail_test_12", "default"): "Received",
}
POLICIES = {"default": default, "compat32": compat32}


class Leaf(NamedTuple):
    """A part without parts, as the parser reads it."""

    kind: str
    name: str | None
    identifier: str | None
    content: str | bytes


class Mailbox(NamedTuple):
    """A server that keeps what it takes, and a connection to it."""

    sink: Sink
    smtp: SMTPS


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        smtp.connect()
        yield Mailbox(sink, smtp)


def read(path: Path, policy: Policy = default) -> EmailMessage:
    """Read a sample, with people whom the envelope can name."""
    message: EmailMessage = message_from_bytes(path.read_bytes(), policy=policy)
    for name in list(message.keys()):
        if name.lower() in ("from", "to", "cc", "bcc", "reply-to", "sender") or name.lower()[
            :7
        ] in ("resent-",):
            del message[name]
    message["From"], message["To"] = "ann@a.example", "bob@b.example"
    return message


def leaves(message: EmailMessage) -> list[Leaf]:
    return [leaf(part) for part in message.walk() if not part.is_multipart()]


def leaf(part: EmailMessage) -> Leaf:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    content: str | bytes = data
    if part.get_content_maintype() not in ("image", "audio", "video", "application"):
        # Lines arrive with the ends that mail has, and the last one with an end.
        content = b"\n".join(data.splitlines()).strip()
    if part.get_content_maintype() == "text":
        try:
            content = content.decode(part.get_content_charset() or "ascii")  # type: ignore[union-attr]
        except (LookupError, UnicodeDecodeError):
            pass  # It is what it says it is for nobody, and stays.
    elif part.get("Content-Transfer-Encoding", "7bit").lower() in ("7bit", "8bit"):
        content = b"\n".join(data.splitlines()).strip()
    return Leaf(part.get_content_type(), part.get_filename(), part.get("Content-ID"), content)


def send(mailbox: Mailbox, item: Message | EmailMessage) -> EmailMessage:
    """Send it, and parse what arrived."""
    assert mailbox.smtp.send(item).ok
    content = mailbox.sink.messages[-1].content
    arrived: EmailMessage = message_from_bytes(content, policy=default)
    return arrived


def test_there_are_samples() -> None:
    require_samples()
    assert len(SAMPLES) > 60


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_what_is_taken_over_arrives_part_by_part(mailbox: Mailbox, path: Path, policy: str) -> None:
    message = read(path, POLICIES[policy])
    refusal = "NUL" if has_nul(path) else REFUSED.get((path.name, policy))
    if refusal:
        with pytest.raises(BadValue, match=refusal):
            mailbox.smtp.send(Message.from_email(message))
        return
    arrived = send(mailbox, Message.from_email(message))
    # The older policy loses names in 8 bits.
    assert leaves(arrived) == [
        one._replace(name=lost.name) if "\ufffd" in (lost.name or "") else one
        for one, lost in zip(leaves(read(path)), leaves(message), strict=True)
    ]
    assert words(arrived) == words(read(path))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_what_is_sent_as_it_is_arrives_part_by_part(mailbox: Mailbox, path: Path) -> None:
    message = read(path)
    if has_nul(path):
        with pytest.raises(BadValue, match="NUL"):
            mailbox.smtp.send(message)
        return
    assert leaves(send(mailbox, message)) == leaves(message)


def has_nul(path: Path) -> bool:
    return b"\0" in path.read_bytes()


def words(message: EmailMessage) -> list[str]:
    """Give the subject; where it was folded, any white space may stand."""
    return str(message.get("Subject", "")).split()
