"""Where the records go, in the words of `logging.handlers.SMTPHandler`, and one message there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from ...client import SMTPS
from ...enumerations import SSLStartMode
from ...errors import BadValue
from ...mime.message import Message
from ...receipt import Receipt
from ..pem import client_certificate

__all__ = ["MailHost", "Secure", "Target"]

#: A host, a host and a port, or a relay URL.
MailHost: TypeAlias = str | tuple[str, int]
#: Nothing, a key file, or a key file and a certificate file.
Secure: TypeAlias = Sequence[str]

_PORT = 25


class Target:
    """A relay, and from whom and to whom the messages are.

    Raises:
        BadValue, AddressError: one of the arguments cannot be used.
    """

    def __init__(
        self,
        mailhost: MailHost,
        fromaddr: str,
        toaddrs: str | Sequence[str],
        credentials: tuple[str, str] | None,
        secure: Secure | None,
        timeout: float,
    ) -> None:
        self._from = fromaddr
        self._to = [toaddrs] if isinstance(toaddrs, str) else list(toaddrs)
        self._url = mailhost if isinstance(mailhost, str) and "://" in mailhost else None
        self._options: dict[str, Any] = {
            "timeout": max(1, math.ceil(timeout)),
            # Nobody waits longer than that for one message, whatever the server does.
            "absolute_timeout": True,
        }
        if self._url is None:
            host, port = (mailhost, _PORT) if isinstance(mailhost, str) else mailhost
            self._options |= {"mail_server": host, "mail_port": port}
            self._options |= _security(credentials, secure)
        elif credentials is not None or secure is not None:
            raise BadValue("mailhost", "a URL says itself who logs in and how secure; leave the"
                " credentials and secure out")  # fmt: skip
        self._connection()
        # What is wrong with the people is told now.
        _ = self._message("", "").envelope

    def send(self, subject: str, text: str) -> Receipt:
        """Send one message over a connection of its own.

        Raises:
            SMTPSError: it went to nobody.
        """
        message = self._message(subject, text)
        return self._connection().send(message)

    def _message(self, subject: str, text: str) -> Message:
        # Both are whatever the program had to say.
        shown = "".join(one if one.isprintable() else " " for one in subject)
        whole = text.replace("\0", "\\0").encode(errors="backslashreplace").decode()
        return Message(from_=self._from, to=self._to, subject=shown, text=whole)

    def _connection(self) -> SMTPS:
        if self._url is None:
            return SMTPS(**self._options)
        smtp = SMTPS.from_url(self._url)
        smtp.timeout = self._options["timeout"]
        smtp.settings.absolute_timeout = True
        return smtp


def _security(credentials: tuple[str, str] | None, secure: Secure | None) -> dict[str, Any]:
    options: dict[str, Any] = {"ssl_start_mode": SSLStartMode.NONE}
    if secure is not None:
        options["ssl_start_mode"] = SSLStartMode.EXPLICIT
        if secure:
            options["ssl_cert"] = client_certificate(
                **dict(zip(("keyfile", "certfile"), secure, strict=False))
            )
    if credentials is not None:
        if secure is None:
            raise BadValue(
                "secure", "a password does not cross a connection without TLS; pass secure=()"
            )
        options["user"], options["password"] = credentials
    return options
