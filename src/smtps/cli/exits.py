"""Exit statuses, those of sysexits.h (which Python knows on Unix only), and what has which."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import (
    AddressError,
    AuthenticationRefused,
    BadValue,
    ConnectionFailed,
    DeliveryUnknown,
    MessageRefused,
    NotOffered,
    ProtocolError,
    RecipientsRefused,
    SMTPSError,
    SourceFailed,
    TLSError,
    TooLarge,
)
from ..receipt import Receipt
from ..spool.failures import QueueFolderError

__all__ = [
    "CANTCREAT",
    "CONFIG",
    "DATAERR",
    "INTERRUPTED",
    "IOERR",
    "NOHOST",
    "NOINPUT",
    "NOPERM",
    "NOUSER",
    "OK",
    "PROTOCOL",
    "SOFTWARE",
    "TEMPFAIL",
    "UNAVAILABLE",
    "USAGE",
    "Failure",
    "status_of",
    "status_of_all",
    "status_of_receipt",
]

OK = 0
#: The command line is wrong.
USAGE = 64
#: A message or an address cannot be sent as it is.
DATAERR = 65
#: A file is not there, or cannot be read.
NOINPUT = 66
#: A recipient was refused for good.
NOUSER = 67
#: The relay's name has no address.
NOHOST = 68
#: The relay refused for good, whatever it was.
UNAVAILABLE = 69
#: An error of this program.
SOFTWARE = 70
#: A file cannot be written.
CANTCREAT = 73
#: The answer was lost, so nobody knows whether the message was taken: no case for trying again.
IOERR = 74
#: Not now; the same call may succeed later.
TEMPFAIL = 75
#: The relay breaks the protocol, or there is no TLS with it.
PROTOCOL = 76
#: The relay did not accept the credentials.
NOPERM = 77
#: A configuration file, a variable, or a password that comes from there.
CONFIG = 78
#: As a shell reports a process that SIGINT ended.
INTERRUPTED = 130

# The number of a name that does not exist, or has no address.
_NO_SUCH_HOST = (11001, 11004)
_BY_ERROR: dict[type[SMTPSError], int] = {
    AuthenticationRefused: NOPERM,
    RecipientsRefused: NOUSER,
    MessageRefused: UNAVAILABLE,
    DeliveryUnknown: IOERR,
    ProtocolError: PROTOCOL,
    TLSError: PROTOCOL,
    AddressError: DATAERR,
    BadValue: DATAERR,
    TooLarge: DATAERR,
    NotOffered: UNAVAILABLE,
    SourceFailed: NOINPUT,
    QueueFolderError: TEMPFAIL,
}
# Of several messages the one counts that needs somebody's attention most.
_BY_WEIGHT = (
    IOERR,
    NOPERM,
    PROTOCOL,
    NOUSER,
    DATAERR,
    NOINPUT,
    UNAVAILABLE,
    NOHOST,
    TEMPFAIL,
)


class Failure(Exception):
    """What ends the command: one line for the user, and the exit status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def status_of(error: SMTPSError) -> int:
    """Give the exit status of an error."""
    if isinstance(error, DeliveryUnknown):
        return IOERR
    if isinstance(error, ConnectionFailed) and error.code in _NO_SUCH_HOST:
        return NOHOST
    if error.retryable:
        return TEMPFAIL
    for kind, status in _BY_ERROR.items():
        if isinstance(error, kind):
            return status
    return UNAVAILABLE


def status_of_receipt(receipt: Receipt) -> int:
    """Give the exit status that the fate of one message calls for."""
    if receipt.ok:
        return OK
    if receipt.unknown:
        return IOERR
    if receipt.accepted and receipt.refused:
        return NOUSER
    if receipt.error is not None:
        return status_of(receipt.error)
    return NOUSER if receipt.refused else TEMPFAIL


def status_of_all(statuses: Iterable[int]) -> int:
    """Give the gravest of several statuses."""
    found = set(statuses) - {OK}
    return next((status for status in _BY_WEIGHT if status in found), min(found, default=OK))
