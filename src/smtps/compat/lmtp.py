"""`LMTP`: to a mail store, over TCP or a Unix socket. RFC 2033."""

from __future__ import annotations

import smtplib
import sys
from typing import ClassVar

from ..enumerations import Protocol
from .connecting import SourceAddress, check_timeout, connect_unix
from .conversation import DEFAULT_TIMEOUT
from .outcome import Answer
from .smtp import SMTP

__all__ = ["LMTP"]


class LMTP(SMTP, smtplib.LMTP):
    """One connection that speaks LMTP, as `smtplib.LMTP` has it.

    Each recipient has a reply of its own behind the message; `sendmail` counts those who are
    refused there among the refused.

    Args:
        host: a name, an address, or the path of a Unix socket, which begins with a slash.
    """

    ehlo_msg = "lhlo"
    _protocol: ClassVar[Protocol] = Protocol.LMTP

    def __init__(
        self,
        host: str = "",
        port: int = smtplib.LMTP_PORT,
        local_hostname: str | None = None,
        source_address: SourceAddress | None = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        SMTP.__init__(self, host, port, local_hostname, timeout, source_address)

    def connect(
        self,
        host: str = "localhost",
        port: int = 0,
        source_address: SourceAddress | None = None,
    ) -> Answer:
        """Connect to a mail store; as `SMTP.connect`, and to a path too."""
        if not host.startswith("/"):
            # The standard port is given where the program has given none.
            port = 0 if host.count(":") == 1 else port
            return SMTP.connect(self, host, port, source_address)
        check_timeout(self.timeout)
        sys.audit("smtplib.connect", self, host, port)
        self._leave()
        self._know(host)
        try:
            self.sock = connect_unix(host, self.timeout)
        except OSError:
            if self.debuglevel > 0:
                self._print_debug("connect fail:", host)
            raise
        return self._greeted(host, port)
