"""What became of a message, as smtplib says it: a dictionary of refusals, or an exception."""

from __future__ import annotations

from collections.abc import Mapping
from smtplib import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from typing import TypeAlias

from ..errors import (
    DeliveryUnknown,
    MessageRefused,
    ProtocolError,
    ServiceClosing,
    SessionError,
    SMTPSError,
)
from ..phase import Phase
from ..receipt import Receipt
from ..reply import Reply
from .letter import Letter

__all__ = ["Answer", "Refusals", "answer_of", "disconnected", "refusals_of"]

#: A reply as smtplib gives it: its code, and its lines without the code.
Answer: TypeAlias = tuple[int, bytes]
Refusals: TypeAlias = dict[str, Answer]


def answer_of(reply: Reply) -> Answer:
    """Give a reply as smtplib does, with the lines joined by a line feed."""
    if len(reply.lines) == 1:
        return reply.code, reply.lines[0].strip(" \t\r\n").encode()
    return reply.code, "\n".join(line.strip(" \t\r\n") for line in reply.lines).encode()


def disconnected(error: SMTPSError) -> SMTPServerDisconnected:
    """Say that the connection is gone; the words begin as those of smtplib do."""
    return SMTPServerDisconnected(f"Connection unexpectedly closed: {error}")


def refusals_of(letter: Letter, receipt: Receipt) -> Refusals:
    """Give the recipients that were refused while others were accepted.

    Raises:
        SMTPSenderRefused, SMTPRecipientsRefused, SMTPDataError: it went to nobody.
        SMTPServerDisconnected: so it did, or nobody knows.
    """
    if receipt.ok:
        return {}
    if receipt.error is None:
        refused = ((result.address, result.reply) for result in receipt.results)
        return _answers({address: reply for address, reply in refused if reply is not None})
    raise _failure(letter, receipt.error) from receipt.error


def _failure(letter: Letter, error: SMTPSError) -> SMTPException:
    """Give the exception of the first step that failed, as if each had waited for the last."""
    mail, rcpts = letter.mail_reply, letter.rcpt_replies
    if mail is not None and not mail.positive:
        return SMTPSenderRefused(*answer_of(mail), letter.sender)
    if len(rcpts) == len(letter.addresses) and not letter.any_accepted:
        return SMTPRecipientsRefused(_answers(letter.refused))
    if isinstance(error, DeliveryUnknown) or error.reply is None:
        return disconnected(error)
    if isinstance(error, MessageRefused):
        return SMTPDataError(*answer_of(error.reply))
    if isinstance(error, (SessionError, ServiceClosing)) and not isinstance(error, ProtocolError):
        return _last_words(letter, error.phase, error.reply) or disconnected(error)
    return disconnected(error)


def _last_words(letter: Letter, phase: Phase, reply: Reply) -> SMTPException | None:
    """Give the exception for what the server said before it closed."""
    answer = answer_of(reply)
    if phase is Phase.MAIL:
        return SMTPSenderRefused(*answer, letter.sender)
    if phase is Phase.RCPT:
        address = letter.addresses[len(letter.rcpt_replies)]
        return SMTPRecipientsRefused(_answers(letter.refused) | {address: answer})
    if phase in (Phase.DATA, Phase.CONTENT, Phase.FINAL):
        return SMTPDataError(*answer)
    return None


def _answers(replies: Mapping[str, Reply]) -> Refusals:
    return {address: answer_of(reply) for address, reply in replies.items() if not reply.positive}
