"""One queued message: its envelope, its size and checksum, as the head of its file spells them.

```
X-SMTPS-Queue: 1
X-Envelope-From: <ann@a.example> ret=HDRS
X-Envelope-To: <bob@b.example> type=To required
X-Envelope-To: <eve@b.example> type=BCc notify=FAILURE
X-Queued-At: 2026-11-25T08:50:12.123456Z
X-Content-Length: 00000000000000001234
X-Content-SHA256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
X-Head-CRC32: 1c291ca3

From: Ann <ann@a.example>
...
```
A blank line ends the head, the content follows byte for byte, and behind it the history. A file
that a person wrote may leave the last four lines out; its content then goes on to the end.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from ..controls import refuse_controls
from ..envelope import Envelope, Recipient
from ..errors import BadValue, SMTPSError

__all__ = [
    "FIRST_LINE",
    "Addressee",
    "Damaged",
    "Entry",
    "format_head",
    "format_time",
    "parse_head",
    "parse_time",
]

#: What every file of this version begins with.
FIRST_LINE = b"X-SMTPS-Queue: 1\n"
_path = re.compile(r'<((?:"(?:[^"\\]|\\.)*"@)?[^<>"]*)>(.*)', re.ASCII).fullmatch
# One recipient without conditions, in ASCII.
_plain = re.compile(
    rb"X-SMTPS-Queue: 1\n"
    rb"X-Envelope-From: ([!-~ ]+)\n"
    rb"X-Envelope-To: <([!#-;=?-~]+)>\n"
    rb"X-Queued-At: ([0-9TZ:.-]{27})\n"
    rb"X-Content-Length: ([0-9]{20})\n"
    rb"X-Content-SHA256: ([0-9a-f]{64})\n"
    rb"X-Head-CRC32: [0-9a-f]{8}\n\n"
).fullmatch
_KINDS = ("To", "Cc", "BCc")
# What keeps a value one word; everything else stays as a person would read it.
_LEGIBLE = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}~"


class Damaged(SMTPSError):
    """A file of the queue is not one, or not whole.

    Args:
        reason: what is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(302, reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Addressee:
    """One recipient in the queue."""

    recipient: Recipient
    #: The header that names it: "To", "Cc", or "BCc" for none; None where nobody said.
    kind: str | None = None
    #: Whether its refusal stops the message for all.
    required: bool = False
    #: Parameters of its RCPT as the program wrote them, sent where DSN is offered.
    options: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the head of a queue file says."""

    envelope: Envelope
    addressees: tuple[Addressee, ...]
    #: Seconds since 1970.
    queued_at: float
    #: The bytes of the content; None in a file written by hand.
    length: int | None = None
    #: The SHA-256 of the content, in hexadecimal.
    digest: str | None = None


def format_head(entry: Entry) -> bytes:
    """Spell an entry. Its size does not depend on `length` and `digest`."""
    lines = [
        f"X-Envelope-From: <{entry.envelope.sender}>{_words(_sender_options(entry.envelope))}\n",
        *(
            f"X-Envelope-To: <{addressee.recipient.address}>{_words(_options(addressee))}\n"
            for addressee in entry.addressees
        ),
        f"X-Queued-At: {format_time(entry.queued_at)}\n",
        f"X-Content-Length: {entry.length or 0:020}\n",
        f"X-Content-SHA256: {entry.digest or '':0>64}\n",
    ]
    head = FIRST_LINE + "".join(lines).encode()
    return b"%sX-Head-CRC32: %08x\n\n" % (head, zlib.crc32(head))


def parse_head(head: bytes) -> Entry:
    """Read the head of a file, with the blank line that ends it.

    Raises:
        Damaged: it is not such a head, or was changed.
    """
    plain = _plain(head)
    head = head.replace(b"\r\n", b"\n")
    if not head.startswith(FIRST_LINE):
        raise Damaged('the first line is not "X-SMTPS-Queue: 1"')
    body, _, check = head[:-1].rpartition(b"X-Head-CRC32: ")
    if body and (not body.endswith(b"\n") or check != b"%08x\n" % zlib.crc32(body)):
        raise Damaged("the checksum of the head does not match")
    try:
        if plain is not None:
            return _read_plain(*plain.groups())
        lines = (body or head[:-1])[len(FIRST_LINE) : -1].decode().split("\n")
        return _read(lines, is_sealed=bool(body))
    except UnicodeDecodeError:
        raise Damaged("the head is not UTF-8") from None
    except (BadValue, ValueError) as error:
        raise Damaged(f"the head cannot be used: {error}") from error


def _read_plain(
    sender: bytes, address: bytes, queued: bytes, length: bytes, digest: bytes
) -> Entry:
    """Read the head that nearly all have, at a third of the cost."""
    recipient = Recipient(address.decode())
    return Entry(
        _sender(sender.decode()).envelope((recipient,)),
        (Addressee(recipient),),
        parse_time(queued.decode()),
        int(length),
        digest.decode(),
    )


def _read(lines: list[str], *, is_sealed: bool) -> Entry:
    queued = length = digest = ""
    if is_sealed:
        *lines, queued, length, digest = lines
    sender: Sender | None = None
    addressees: list[Addressee] = []
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "X-Envelope-To":
            addressees.append(_addressee(*_split(value)))
        elif name == "X-Envelope-From" and sender is None:
            sender = _sender(value)
        else:
            raise Damaged("a line of the head is none")
    if sender is None:
        raise Damaged("there is no X-Envelope-From")
    envelope = sender.envelope(tuple([addressee.recipient for addressee in addressees]))
    if not is_sealed:
        return Entry(envelope, tuple(addressees), time.time())
    return Entry(
        envelope,
        tuple(addressees),
        parse_time(_value(queued, "X-Queued-At")),
        int(_value(length, "X-Content-Length")),
        _value(digest, "X-Content-SHA256"),
    )


def _value(line: str, name: str) -> str:
    if not line.startswith(f"{name}: "):
        raise Damaged("the lines of the head are not those of this format")
    return line[len(name) + 2 :]


def _split(value: str) -> tuple[str, dict[str, str]]:
    """Take `<address> word name=value ...` apart."""
    found = _path(value)
    if not found:
        raise Damaged("an address of the head is not in angle brackets")
    address, rest = found.groups()
    options: dict[str, str] = {}
    if rest:
        for word in rest.split():
            name, equals, text = word.partition("=")
            options[name] = unquote(text) if equals else ""
    return address, options


class Sender(NamedTuple):
    """The sender, and what holds for all recipients."""

    address: str
    smtputf8: bool
    ret: Any
    envid: str | None
    requiretls: bool
    deliver_by: int | None
    priority: int | None

    def envelope(self, recipients: tuple[Recipient, ...]) -> Envelope:
        """Make the envelope for recipients."""
        return Envelope(
            self.address,
            recipients,
            smtputf8=self.smtputf8,
            ret=self.ret,
            envid=self.envid,
            requiretls=self.requiretls,
            deliver_by=self.deliver_by,
            priority=self.priority,
        )


# A queue has few senders and very many recipients.
@lru_cache(maxsize=256)
def _sender(value: str) -> Sender:
    address, options = _split(value)
    take = options.pop
    by, priority = take("by", None), take("priority", None)
    sender = Sender(
        address,
        take("smtputf8", None) is not None,
        take("ret", None),
        take("envid", None),
        take("requiretls", None) is not None,
        None if by is None else int(by),
        None if priority is None else int(priority),
    )
    _refuse_unknown(options)
    return sender


def _words(options: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f" {name}={quote(value, safe=_LEGIBLE)}" if value else f" {name}" for name, value in options
    )


def _sender_options(envelope: Envelope) -> Iterator[tuple[str, str]]:
    if envelope.smtputf8:
        yield "smtputf8", ""
    if envelope.ret is not None:
        yield "ret", envelope.ret
    if envelope.envid is not None:
        yield "envid", envelope.envid
    if envelope.requiretls:
        yield "requiretls", ""
    if envelope.deliver_by is not None:
        yield "by", str(envelope.deliver_by)
    if envelope.priority is not None:
        yield "priority", str(envelope.priority)


def _options(addressee: Addressee) -> Iterator[tuple[str, str]]:
    recipient = addressee.recipient
    if addressee.kind is not None:
        yield "type", addressee.kind
    if addressee.required:
        yield "required", ""
    if recipient.notify:
        yield "notify", ",".join(recipient.notify)
    if recipient.orcpt is not None:
        yield "orcpt", recipient.orcpt
    if addressee.options:
        yield "options", addressee.options


def _addressee(address: str, options: dict[str, str]) -> Addressee:
    if not options:
        return Addressee(Recipient(address))
    take = options.pop
    kind = take("type", None)
    if kind is not None and kind not in _KINDS:
        raise Damaged("a recipient's type is not To, Cc or BCc")
    recipient = Recipient(address, notify=take("notify", None), orcpt=take("orcpt", None))
    extra = take("options", "")
    refuse_controls("options", extra)
    required = take("required", None) is not None
    _refuse_unknown(options)
    return Addressee(recipient, kind, required, extra)


def _refuse_unknown(options: dict[str, str]) -> None:
    if options:
        raise Damaged("an option of the head is not known to this version")


def format_time(moment: float) -> str:
    """Spell a moment: UTC, with microseconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> float:
    """Read such a moment back.

    Raises:
        ValueError: it is none.
    """
    return datetime.fromisoformat(text).timestamp()
