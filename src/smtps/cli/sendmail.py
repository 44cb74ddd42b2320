"""`smtps sendmail`: what cron, git send-email, PHP's mail() and other programs call."""

from __future__ import annotations

import argparse
import getpass
import os
from collections.abc import Iterator, Sequence
from typing import Any

from ..address import Address
from ..domain import domain_to_wire
from ..envelope import Envelope, Recipient
from ..errors import AddressError, BadValue, SMTPSError
from ..events import Direction, PITrail
from ..items import Item
from ..mailboxes import parse_address, parse_address_list
from ..mime.msgid import date_now, new_message_id
from ..mime.people import people_header
from ..outbox import Outbox
from .configuration import Configuration
from .exits import DATAERR, INTERRUPTED, OK, TEMPFAIL, USAGE, Failure, status_of_receipt
from .finished import Finished, qualified, standard_input
from .parsing import add_command
from .sendmail_arguments import Wish, read_arguments
from .tally import LOST, sentences
from .terminal import complain, leave_line, plain, say

__all__ = ["add_commands", "run"]

_EXAMPLES = """
smtps sendmail bob@b.example <letter.eml
smtps sendmail -t -i -f ann@a.example <letter.eml
git send-email --sendmail-cmd="smtps sendmail" 0001-fix.patch
php -d sendmail_path="smtps sendmail -t -i" news.php
ln -s "$(command -v smtps)" /usr/sbin/sendmail
"""
_NOTES = """
The relay comes from SMTPS_URL, SMTPS_* or a file (smtps config), never from an argument,
which others could smuggle in.

With outbox = FOLDER there the message is put into that queue, for `smtps run` to send.

-oe*, -od*, -om, -bi, -B, -h, -n, -U and -G are taken for the sake of old callers.
Exit status 75 means: not now, try again.
"""
# Only for the help and for completion: `read_arguments` reads them, as callers write them.
_SHOWN = (
    ("-t", "", "take the recipients of To, Cc and Bcc too; Bcc is always taken away"),
    ("-i -oi", "", "a line with nothing but a dot does not end the message"),
    ("-f -r", "ADDRESS", "who the envelope is from; <> is nobody"),
    ("-F", "NAME", "the full name, where From is missing"),
    ("-N", "WHEN", "reports: never, or success,failure,delay"),
    ("-R", "PART", "what reports repeat: full or hdrs"),
    ("-V", "ID", "what reports are to name"),
    ("-v", "", "show the conversation with the relay"),
    ("-bm", "", "deliver a message, as without it"),
    ("-bp", "", "list the queue"),
    ("-q", "", "send what is in the queue"),
)


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser, for its help; its arguments are read by `run`."""
    parser = add_command(
        commands,
        "sendmail",
        lambda _: run([]),
        about="take a message from standard input, as sendmail does",
        words="[RECIPIENT ...]",
        examples=_EXAMPLES,
        notes=_NOTES,
    )
    for flags, value, text in _SHOWN:
        how: dict[str, Any] = {"metavar": value} if value else {"action": "store_true"}
        parser.add_argument(*flags.split(), help=text, **how)
    parser.add_argument("recipients", nargs="*", metavar="RECIPIENT", help="who gets it")


def run(arguments: Sequence[str]) -> int:
    """Do what the caller wants, and give the exit status.

    Raises:
        Failure, SMTPSError: it cannot be done.
    """
    wish = read_arguments(arguments)
    if wish.mode == "nothing":
        return OK
    configuration = Configuration.load(argparse.Namespace())
    if wish.mode != "deliver":
        return _work_on_queue(wish, configuration.own("outbox"))
    message = Finished(_read(wish))
    envelope = _envelope(wish, message, configuration)
    _complete(wish, message, envelope, configuration)
    if configuration.own("outbox"):
        return _queue(configuration.own("outbox"), envelope, message)
    return _deliver(wish, envelope, message, configuration)


def _read(wish: Wish) -> bytes:
    data = standard_input()
    if not wish.dot_ends:
        return data
    lines = data.splitlines(keepends=True) if b"." in data else []
    size = 0
    for line in lines:
        if line in (b".\n", b".\r\n", b"."):
            return data[:size]
        size += len(line)
    return data


# --- the envelope ---------------------------------------------------------------------------------


def _envelope(wish: Wish, message: Finished, configuration: Configuration) -> Envelope:
    domain = configuration.domain
    try:
        recipients = [one for word in wish.recipients for one in _addresses(word, domain)]
        if wish.reads_headers:
            recipients += message.recipients(domain)
        if not recipients:
            reason = "To, Cc and Bcc name none" if wish.reads_headers else "name them, or say -t"
            raise Failure(f"no recipients: {reason}", DATAERR if wish.reads_headers else USAGE)
        return Envelope(
            _sender(wish, message, configuration),
            [Recipient(one, notify=_notify(wish)) for one in dict.fromkeys(recipients)],
            ret=wish.ret,  # type: ignore[arg-type]
            envid=wish.envid,
        )
    except AddressError as error:
        raise Failure(str(error), DATAERR) from error
    except BadValue as error:
        flag = {"notify": "-N", "ret": "-R", "envid": "-V"}.get(error.field, error.field)
        raise Failure(f"{flag}: {error.reason}", USAGE) from error


def _addresses(word: str, domain: str) -> list[str]:
    found = parse_address_list(qualified(word, domain), field="recipient")
    return [one.spec for one in found]


def _notify(wish: Wish) -> list[str] | None:
    return None if wish.notify is None else wish.notify.upper().replace(" ", "").split(",")


def _sender(wish: Wish, message: Finished, configuration: Configuration) -> str:
    """Give who is told of failures: who was named, is configured, or wrote it; else the user."""
    domain = configuration.domain
    if wish.sender is not None:
        return parse_address(qualified(wish.sender, domain), field="-f").spec if wish.sender else ""
    named = configuration.own("sender")
    if named:
        return parse_address(named, field="sender").spec
    return message.sender(domain) or f"{_user()}@{domain}"


def _user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        pass
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        # As in a container that was given a number and no name.
        return str(os.getuid())


# --- the message ----------------------------------------------------------------------------------


def _complete(
    wish: Wish, message: Finished, envelope: Envelope, configuration: Configuration
) -> None:
    """Add what every message must have. RFC 5322, section 3.6."""
    sender = envelope.mailbox or parse_address(f"{_user()}@{configuration.domain}", field="domain")
    domain = domain_to_wire(sender.domain or configuration.domain, field="domain")
    author = Address(sender.local, domain, wish.full_name)
    line = people_header("From", (author,), utf8=envelope.smtputf8).decode()
    message.add("Message-ID", new_message_id(domain))
    message.add("Date", date_now())
    message.add("From", line.removeprefix("From: ").removesuffix("\r\n"))


# --- where it goes --------------------------------------------------------------------------------


def _queue(folder: str, envelope: Envelope, message: Finished) -> int:
    try:
        Outbox(folder).put((envelope, message.content()))
    except SMTPSError as error:
        # The message is in nobody's hands yet, and the folder may be there later.
        raise Failure(f"outbox: {error}", TEMPFAIL) from error
    return OK


def _deliver(
    wish: Wish, envelope: Envelope, message: Finished, configuration: Configuration
) -> int:
    begun = False

    def item() -> Iterator[Item]:
        nonlocal begun
        begun = True
        yield envelope, message.content()

    try:
        with configuration.relay() as smtp:
            if wish.verbose:
                smtp.on_pi_trail = _show
            (receipt,) = smtp.send_many(item())
    except KeyboardInterrupt:
        leave_line()
        complain(f"{LOST}; perhaps sent" if begun else "interrupted; nothing was sent")
        return INTERRUPTED
    for line in () if receipt.ok else sentences(receipt, wrong_only=True):
        complain(line)
    return status_of_receipt(receipt)


def _show(event: PITrail) -> None:
    sign = {Direction.CLIENT: ">>>", Direction.SERVER: "<<<"}.get(event.direction, "---")
    say(f"{sign} {plain(event.message)}")


def _work_on_queue(wish: Wish, folder: str) -> int:
    if not folder:
        if wish.mode == "list":
            say("there is no queue: messages are delivered at once")
        return OK
    # Few ask for it, and it takes a while to load.
    from . import outbox
    from . import run as running

    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    outbox.add_commands(commands)
    running.add_commands(commands)
    words = ["status", folder] if wish.mode == "list" else ["run", folder]
    chosen = parser.parse_args(words)
    status: int = chosen.run(chosen)
    return status
