"""Errors as programs written for smtplib expect them."""

from __future__ import annotations

import smtplib

from ..compat.outcome import answer_of
from ..errors import (
    AuthenticationRefused,
    ConnectionLost,
    DeliveryUnknown,
    GreetingRefused,
    NotOffered,
    ProtocolError,
    RecipientsRefused,
    ReplyError,
    SenderRefused,
    ServiceClosing,
    SMTPSError,
    TLSError,
    TooLarge,
)
from ..phase import Phase

__all__ = ["as_smtplib"]


def as_smtplib(error: SMTPSError) -> Exception:
    """Give the exception that smtplib raises in this case; the error is its cause.

    Refusals are `SMTPException`s. What is a built-in error in both, such as an invalid value, a
    refused connection or a timeout, stays as it is.
    """
    found = _translated(error)
    if found is None:
        return error
    found.__cause__ = error
    return found


def _translated(error: SMTPSError) -> smtplib.SMTPException | None:
    if isinstance(error, SenderRefused):
        return smtplib.SMTPSenderRefused(*answer_of(error.reply), error.sender)
    if isinstance(error, RecipientsRefused):
        refused = {address: answer_of(reply) for address, reply in error.refused.items()}
        return smtplib.SMTPRecipientsRefused(refused)
    if isinstance(error, AuthenticationRefused):
        return smtplib.SMTPAuthenticationError(*answer_of(error.reply))
    if isinstance(error, GreetingRefused):
        return smtplib.SMTPConnectError(*answer_of(error.reply))
    if isinstance(error, (ConnectionLost, DeliveryUnknown, ProtocolError, ServiceClosing)):
        return smtplib.SMTPServerDisconnected(str(error))
    if isinstance(error, ReplyError):
        return smtplib.SMTPDataError(*answer_of(error.reply))
    if isinstance(error, TLSError) and error.phase is Phase.STARTTLS:
        return smtplib.SMTPNotSupportedError(str(error))
    if isinstance(error, NotOffered):
        return smtplib.SMTPNotSupportedError(str(error))
    if isinstance(error, TooLarge):
        return smtplib.SMTPException(str(error))
    return None
