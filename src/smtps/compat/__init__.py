"""smtplib, with this package's engine below: `from smtps import compat as smtplib`.

The classes, functions and exceptions of smtplib by the same names. What smtplib does unsafely is
safe here; docs/smtplib.md lists every difference.
"""

from __future__ import annotations

import socket as socket
from smtplib import (
    CRLF,
    LMTP_PORT,
    OLDSTYLE_AUTH,
    SMTP_PORT,
    SMTP_SSL_PORT,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    bCRLF,
    quotedata,
)

from .link import LONGEST_LINE as _MAXLINE  # noqa: F401
from .lmtp import LMTP
from .secure import SMTP_SSL
from .smtp import SMTP
from .wording import quoted_address as quoteaddr

__all__ = [
    "CRLF",
    "LMTP",
    "LMTP_PORT",
    "OLDSTYLE_AUTH",
    "SMTP",
    "SMTP_PORT",
    "SMTP_SSL",
    "SMTP_SSL_PORT",
    "SMTPAuthenticationError",
    "SMTPConnectError",
    "SMTPDataError",
    "SMTPException",
    "SMTPHeloError",
    "SMTPNotSupportedError",
    "SMTPRecipientsRefused",
    "SMTPResponseException",
    "SMTPSenderRefused",
    "SMTPServerDisconnected",
    "bCRLF",
    "quoteaddr",
    "quotedata",
]
