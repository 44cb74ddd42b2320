"""Finished messages as files hold them: their header fields, byte for byte, and their body."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..address import Address
from ..codec import normalize_newlines
from ..envelope import Envelope, Recipient
from ..errors import AddressError, BadValue
from ..mailboxes import parse_address_list
from .exits import DATAERR, NOINPUT, Failure
from .terminal import complain

__all__ = ["Finished", "finished_item", "qualified", "read_bytes", "standard_input"]

_field = re.compile(rb"([!-9;-~]+)[ \t]*:")
_fold = re.compile(r"\r\n(?=[ \t])")
# An address that only has what stands before the @, where a mailbox can stand.
_local_only = re.compile(r"(^|[,;:<]|(?<=[,;:])\s)(\s*)([A-Za-z0-9._+-]+)(?=\s*(?:[,;>(]|$))")


def _title(name: str) -> str:
    """Give what people call a file, of which "-" is standard input."""
    return "standard input" if name == "-" else name


def standard_input(wanted: str = "") -> bytes:
    """Read all of standard input.

    Args:
        wanted: what a person at the terminal is asked to type; empty: nobody is asked.

    Raises:
        Failure: there is none.
    """
    if sys.stdin is None:
        raise Failure("standard input: it is closed; name a file", NOINPUT)
    if wanted and sys.stdin.isatty():
        complain(f"type {wanted}, and end it with Ctrl-D on a line of its own")
    return sys.stdin.buffer.read()


def read_bytes(name: str, wanted: str) -> bytes:
    """Read a file whole, or standard input for "-".

    Args:
        wanted: as `standard_input`.

    Raises:
        Failure: it cannot be read.
    """
    try:
        return standard_input(wanted) if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Failure(f"{_title(name)}: cannot be read: {error.strerror}", NOINPUT) from error


def _read_finished(name: str) -> Finished:
    """Read a finished message from a file, or from standard input for "-".

    Raises:
        Failure: it cannot be read, or is empty.
    """
    data = read_bytes(name, "a finished message: its headers, an empty line, its text")
    if not data.strip():
        raise Failure(f"{_title(name)}: holds no message", DATAERR)
    return Finished(data)


def finished_item(
    name: str, sender: str | None, recipients: list[str] | None
) -> tuple[Envelope, bytes]:
    """Read a finished message as it is sent.

    Args:
        sender: of the envelope; None: as the message says.
        recipients: the same.

    Raises:
        Failure: it cannot be read, or nobody is named.
    """
    finished = _read_finished(name)
    try:
        envelope = finished.envelope(sender, recipients)
    except BadValue as error:
        raise Failure(f"{_title(name)}: {error}", DATAERR) from error
    return envelope, finished.content()


def qualified(text: str, domain: str) -> str:
    """Add the domain to each address without one, such as the `root` of a cron job."""
    if '"' in text:
        return text
    return _local_only.sub(rf"\1\2\3@{domain}", text)


class Finished:
    """A finished message, its line ends made CRLF.

    What stands before the first line that is no header field is the header; a mailbox's "From "
    line in front, as git writes it too, is dropped.
    """

    def __init__(self, data: bytes) -> None:
        data = normalize_newlines(data)
        if data.startswith(b"From "):
            data = data.partition(b"\r\n")[2]
        #: The header fields, each with its name in lower case and its lines.
        self.fields: list[tuple[str, bytes]] = []
        place = 0
        while place < len(data):
            end = data.find(b"\r\n", place)
            end = len(data) if end < 0 else end + 2
            line = data[place:end]
            found = _field.match(line)
            if found:
                self.fields.append((found[1].decode("ascii").lower(), line))
            elif line[:1] in (b" ", b"\t") and self.fields:
                name, lines = self.fields[-1]
                self.fields[-1] = (name, lines + line)
            else:
                place = end if line == b"\r\n" else place
                break
            place = end
        self.body = data[place:]

    def values(self, name: str) -> Iterator[str]:
        """Give the values of a header field, unfolded."""
        for own, lines in self.fields:
            if own == name:
                text = lines.partition(b":")[2].decode("utf-8", "surrogateescape")
                yield _fold.sub("", text).strip()

    def remove(self, *names: str) -> None:
        """Take header fields away."""
        self.fields = [field for field in self.fields if field[0] not in names]

    def add(self, name: str, value: str) -> None:
        """Add a header field on top, unless the message has it."""
        if not any(own == name.lower() for own, _ in self.fields):
            self.fields.insert(0, (name.lower(), f"{name}: {value}\r\n".encode()))

    def people(self, *names: str, domain: str = "") -> list[Address]:
        """Give who is named by header fields, in the order of `names`.

        Args:
            domain: what is added to an address without one; empty: it is an error.

        Raises:
            AddressError: a field holds no mailboxes.
        """
        return [
            person
            for name in names
            for value in self.values(name)
            for person in _people(value, name.title(), domain)
        ]

    def sender(self, domain: str = "") -> str | None:
        """Give whom Sender, or From where it names one, names; None: they name nobody."""
        prefix = self._prefix
        people = self.people(f"{prefix}sender", domain=domain)
        people = people or self.people(f"{prefix}from", domain=domain)
        return people[0].spec if len(people) == 1 else None

    def recipients(self, domain: str = "") -> list[str]:
        """Give whom To, Cc and Bcc name, each once; of a message sent anew, those of Resent-."""
        names = (f"{self._prefix}{kind}" for kind in ("to", "cc", "bcc"))
        return list(dict.fromkeys(one.spec for one in self.people(*names, domain=domain)))

    def envelope(
        self,
        sender: str | None,
        recipients: list[str] | None,
    ) -> Envelope:
        """Make the envelope: what is given, else what the message says.

        Raises:
            BadValue, AddressError: there is no sender or no recipient.
        """
        sender = self.sender() if sender is None else sender
        if sender is None:
            raise BadValue("From", "names not exactly one author; say --sender")
        found: list[str | Recipient] = [*(self.recipients() if recipients is None else recipients)]
        if not found:
            raise AddressError("To", "no recipient is named; say --recipient")
        return Envelope(sender, found)

    def content(self) -> bytes:
        """Give the message as it is sent: without Bcc, which is for nobody else's eyes."""
        lines = b"".join(
            lines if lines.endswith(b"\n") else lines + b"\r\n"
            for name, lines in self.fields
            if name not in ("bcc", "resent-bcc")
        )
        return lines + b"\r\n" + self.body

    @property
    def _prefix(self) -> str:
        # RFC 5322 3.6.6: who sends a message anew puts these on top, and they count.
        is_resent = any(name in ("resent-to", "resent-cc", "resent-bcc") for name, _ in self.fields)
        return "resent-" if is_resent else ""


def _people(value: str, field: str, domain: str) -> list[Address]:
    try:
        return parse_address_list(value, field=field)
    except AddressError:
        if not domain:
            raise
        return parse_address_list(qualified(value, domain), field=field)
