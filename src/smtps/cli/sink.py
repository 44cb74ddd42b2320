"""`smtps sink`: a server in the foreground that shows what arrives and delivers nothing."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import signal
import socket
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ..testing import ALL_EXTENSIONS, Sink, SinkMessage
from .exits import CANTCREAT, OK, UNAVAILABLE, Failure
from .fault import read_fault
from .finished import Finished
from .parsing import add_command, number
from .terminal import complain, counted, plain, say, say_json

__all__ = ["add_commands"]

_EXAMPLES = """
smtps sink
smtps sink --tls starttls --port 0 --count 1
smtps sink --save mails --fault "on=RCPT,when=gone@,reply=550 5.1.1 no user"
smtps sink --fault on=.,nth=3,delay=5 --fault on=DATA,nth=5,drop
"""
_NOTES = """
A fault says when: on=COMMAND, ".", greeting or handshake, or received=BYTES or sent=BYTES;
which time: nth=, connection=, when=TEXT; and what: reply=, delay=, inject=, drip=, silent,
drop, reset, half_close, stall.

Where login is offered (over TLS), it is "user" with the password "secret".
"""

# Seconds for clients to go when enough has come.
_PATIENCE = 5.0


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "sink",
        _sink,
        about="run a server that shows what arrives and delivers nothing",
        examples=_EXAMPLES,
        notes=_NOTES,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    add("--port", type=number(0, 65535), default=2525, help="the port (2525; 0: any that is free)")
    add("--tls", choices=["none", "starttls", "implicit"], default="none", help="when TLS starts")
    add("--lmtp", action="store_true", help="speak LMTP")
    add("--require-auth", action="store_true", help="take mail only from who logged in")
    add(
        "--without",
        action="append",
        default=[],
        type=_keyword,
        metavar="KEYWORD",
        help="leave an extension out; repeat it",
    )
    add(
        "--fault",
        action="append",
        default=[],
        type=read_fault,
        help="let something go wrong, as told below; repeat it",
    )
    add("--save", metavar="FOLDER", help="write every message into a maildir")
    add("--count", type=number(1, 10**9), metavar="N", help="end after so many messages")
    add("--quiet", action="store_true", help="show the counts at the end only")
    add("--json", action="store_true", help="a line of JSON for each message, and the counts")


def _keyword(text: str) -> str:
    """Accept the name of an extension that the sink has."""
    known = [one.split()[0] for one in ALL_EXTENSIONS]
    if text.upper() not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is unknown; choose from {', '.join(known)}")
    return text.upper()


def _sink(arguments: argparse.Namespace) -> int:
    endings: SimpleQueue[str] = SimpleQueue()
    intake = _Intake(arguments, endings)
    try:
        sink = Sink(
            host=arguments.host,
            port=arguments.port,
            tls=None if arguments.tls == "none" else arguments.tls,
            lmtp=arguments.lmtp,
            require_auth=arguments.require_auth,
            extensions=[one for one in ALL_EXTENSIONS if one.split()[0] not in arguments.without],
            faults=arguments.fault,
            on_message=intake.take,
        )
    except OSError as error:
        where = f"{arguments.host} port {arguments.port}"
        way = "; --port 0 takes any that is free" if error.errno == errno.EADDRINUSE else ""
        words = os.strerror(error.errno) if error.errno else str(error)
        raise Failure(f"{where}: {words}{way}", UNAVAILABLE) from error
    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, lambda *_: endings.put("signal"))
    with sink:
        _introduce(sink, arguments)
        if endings.get() == "count":
            # The last message has still to be answered.
            with suppress(TimeoutError):
                sink.wait_until(lambda: all(one.closed for one in sink.connections), _PATIENCE)
    intake.sum_up(sink)
    return OK


def _introduce(sink: Sink, arguments: argparse.Namespace) -> None:
    if arguments.json:
        say_json({"url": sink.url, "host": sink.host, "port": sink.port})
        return
    say(f"listening on {sink.host} port {sink.port}; Ctrl-C ends it. To send to it:")
    say(f"  smtps send --url '{sink.url}' --from a@b.example --to c@d.example --text Hi")


class _Intake:
    """Show, save and count messages."""

    def __init__(self, arguments: argparse.Namespace, endings: SimpleQueue[str]) -> None:
        self._arguments = arguments
        self._endings = endings
        self._folder = _Maildir(arguments.save) if arguments.save else None
        self._counts: Counter[str] = Counter()

    def take(self, message: SinkMessage) -> None:
        """Take one message."""
        if self._folder is not None:
            self._folder.put(message)
        self._counts.update(
            messages=1, recipients=len(message.recipients), bytes=len(message.content)
        )
        if self._arguments.json:
            say_json(_facts(message))
        elif not self._arguments.quiet:
            say(_line(message))
        if self._counts["messages"] == self._arguments.count:
            self._endings.put("count")

    def sum_up(self, sink: Sink) -> None:
        """Print the counts."""
        counts = {f"{noun}s": self._counts[f"{noun}s"] for noun in ("message", "recipient", "byte")}
        connections, violations = sink.connections, sink.violations
        if self._arguments.json:
            more = {"connections": len(connections), "violations": violations}
            say_json({"totals": {**counts, **more, "bare_newlines": sink.bare_newlines}})
            return
        said = ", ".join(counted(number, name[:-1]) for name, number in counts.items())
        say(f"\n{said} over {counted(len(connections), 'connection')}")
        if sink.bare_newlines:
            say(f"  {sink.bare_newlines:,} CR or LF came that are not part of a CRLF")
        for text, times in Counter(violations).most_common(10):
            say(f"  {plain(text)}" + (f" ({times:,} times)" if times > 1 else ""))


def _facts(message: SinkMessage) -> dict[str, Any]:
    return {
        "time": datetime.now().astimezone().isoformat(),
        "sender": message.sender,
        "recipients": message.recipients,
        "size": len(message.content),
        "subject": _subject(message),
        "tls": message.tls,
        "user": message.user,
        "hello": message.hello,
        "connection": message.connection,
    }


def _line(message: SinkMessage) -> str:
    first, more = message.recipients[0], len(message.recipients) - 1
    whom = f"{first} and {more:,} more" if more else first
    how = "TLS " if message.tls else ""
    line = plain(
        f"{datetime.now():%H:%M:%S} {how}{len(message.content):,} B"
        f" <{message.sender}> to {whom}: {_subject(message)}"
    )
    width = shutil.get_terminal_size().columns
    return line[: width - 3] + "..." if sys.stdout.isatty() and len(line) > width else line


def _subject(message: SinkMessage) -> str:
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    head = message.content.partition(b"\r\n\r\n")[0]
    text = next(Finished(head).values("subject"), "")
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, ValueError, LookupError):
        return text


class _Maildir:
    """A maildir that grows; each message has its envelope on top, as delivery agents write it."""

    def __init__(self, path: str) -> None:
        self._folder = Path(path)
        self._numbers = count(1)
        try:
            for name in ("tmp", "new", "cur"):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(f"--save {path}: {error.strerror}", CANTCREAT) from error

    def put(self, message: SinkMessage) -> None:
        """Write a message.

        Raises:
            OSError: it cannot be written; its client must not hear that it was taken.
        """
        host = socket.gethostname().replace("/", "_")
        name = f"{time.time():.6f}.P{os.getpid()}Q{next(self._numbers)}.{host}"
        top = f"Return-Path: <{message.sender}>\r\n"
        top += "".join(f"Delivered-To: {one}\r\n" for one in message.recipients)
        try:
            (self._folder / "tmp" / name).write_bytes(
                top.encode("utf-8", "surrogateescape") + message.content
            )
            (self._folder / "tmp" / name).rename(self._folder / "new" / name)
        except OSError as error:
            complain(f"--save {self._folder}: {error.strerror}; the message was not taken")
            raise
