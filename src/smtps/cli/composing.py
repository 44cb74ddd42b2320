"""Messages from arguments: who, about what, texts, files and headers."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import BadValue
from ..mime.message import Message
from .exits import DATAERR, NOINPUT, USAGE, Failure
from .finished import read_bytes

__all__ = ["add_arguments", "argument_of", "compose", "is_composed", "reads_standard_input"]

_PEOPLE = ("to", "cc", "bcc", "reply_to")
_TEXTS = ("text", "html", "text_file", "html_file")
_OTHERS = ("from_", "subject", "attach", "header", "unsubscribe")
# As the arguments are called that the classes know under another name.
_ARGUMENTS = {"from_": "--from", "reply_to": "--reply-to", "url": "--unsubscribe"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that a message is composed of."""
    group = parser.add_argument_group("a message of its own")
    add = group.add_argument
    add("--from", dest="from_", metavar="ADDRESS", help="the author: ann@a.example, or Ann <...>")
    for name, what in (("to", "recipients"), ("cc", "copies"), ("bcc", "unnamed recipients")):
        add(f"--{name}", action="append", metavar="ADDRESS", help=f"{what}; commas, or repeat it")
    add("--reply-to", action="append", metavar="ADDRESS", help="where answers go")
    add("--subject", help="the subject")
    add("--text", help="the text; without any, it is standard input")
    add("--text-file", metavar="FILE", help="the text from a file")
    add("--html", help="the text as HTML")
    add("--html-file", metavar="FILE", help="the same from a file")
    add("--attach", action="append", metavar="FILE", help="a file; repeat it for more")
    add("--header", action="append", metavar="'NAME: VALUE'", help="one more header")
    add("--unsubscribe", metavar="URL", help="where one click unsubscribes (RFC 8058)")


def is_composed(arguments: argparse.Namespace) -> str:
    """Give the first argument that composes a message, or ""."""
    for name in (*_OTHERS, *_PEOPLE, *_TEXTS):
        if getattr(arguments, name) is not None:
            return argument_of(name)
    return ""


def compose(arguments: argparse.Namespace, author: str) -> Message:
    """Make the message.

    Args:
        author: who it is from where no argument says it.

    Raises:
        Failure: an argument or file cannot be used.
    """
    from_ = arguments.from_ or author
    if not from_:
        raise Failure("--from: missing; say who the message is from", USAGE)
    people: dict[str, Any] = {
        name: ", ".join(given) for name in _PEOPLE if (given := getattr(arguments, name))
    }
    if not any(people.get(name) for name in ("to", "cc", "bcc")):
        raise Failure("--to: missing; say who gets the message", USAGE)
    try:
        message = Message(
            from_=from_,
            subject=arguments.subject or "",
            **people,
        )
        for line in arguments.header or ():
            _add_header(message, line)
        if arguments.unsubscribe:
            message.unsubscribe(url=arguments.unsubscribe)
        for file in arguments.attach or ():
            _attach(message, file)
        # Whoever types the text does not do so in vain.
        message.text, message.html = _texts(arguments)
    except BadValue as error:
        raise Failure(f"{argument_of(error.field)}: {error.reason}", DATAERR) from error
    return message


def argument_of(field: str) -> str:
    """Give the argument that a field of a message comes from."""
    name = _ARGUMENTS.get(field) or f"--{field.replace('_', '-')}"
    return name if field in (*_OTHERS, *_PEOPLE, *_TEXTS, *_ARGUMENTS) else field


def reads_standard_input(arguments: argparse.Namespace) -> bool:
    """Tell whether the text is what comes on standard input."""
    texts = (arguments.text, arguments.html, arguments.text_file, arguments.html_file)
    return "-" in texts[2:] or (texts == (None,) * len(texts) and not arguments.attach)


def _texts(arguments: argparse.Namespace) -> tuple[str | None, str | None]:
    """Give the plain text and the HTML."""
    for name in ("text", "html"):
        if getattr(arguments, name) is not None and getattr(arguments, f"{name}_file") is not None:
            raise Failure(f"--{name} and --{name}-file: choose one", USAGE)
    text, html = arguments.text, arguments.html
    if arguments.text_file is not None:
        text = _text_of(arguments.text_file, "--text-file")
    if arguments.html_file is not None:
        html = _text_of(arguments.html_file, "--html-file")
    if text is None and html is None and reads_standard_input(arguments):
        text = _text_of("-", "standard input")
    return text, html


def _text_of(name: str, argument: str) -> str:
    try:
        return read_bytes(name, "the text").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(f"{argument}: byte {error.start} is no UTF-8; convert it", DATAERR) from error


def _add_header(message: Message, line: str) -> None:
    name, colon, value = line.partition(":")
    if not colon:
        raise Failure(f"--header {line!r}: expected 'NAME: VALUE'", USAGE)
    try:
        message.add_header(name.strip(), value.strip())
    except BadValue as error:
        raise Failure(f"--header {line!r}: {error.reason}", DATAERR) from error


def _attach(message: Message, file: str) -> None:
    try:
        with open(file, "rb"):
            pass
    except OSError as error:
        raise Failure(f"--attach {file}: cannot be read: {error.strerror}", NOINPUT) from error
    message.attach(file)
