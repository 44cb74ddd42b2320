"""`SMTP_SSL`: TLS from the first byte. RFC 8314."""

from __future__ import annotations

import smtplib
import ssl
import sys
from typing import Any

from .connecting import Path, SourceAddress, context_of, secure
from .conversation import DEFAULT_TIMEOUT
from .smtp import SMTP

__all__ = ["SMTP_SSL"]


class SMTP_SSL(SMTP, smtplib.SMTP_SSL):  # noqa: N801
    """One connection over TLS from its first byte, as `smtplib.SMTP_SSL` has it.

    Args:
        context: without it the server's certificate is verified against the system's authorities
            and the name that was connected to. The others as in `SMTP`.

    Raises:
        OSError: there is no TLS, or the certificate does not pass; else as `SMTP`.
    """

    default_port = smtplib.SMTP_SSL_PORT
    context: ssl.SSLContext | None  # type: ignore[assignment]

    if sys.version_info >= (3, 12):

        def __init__(
            self,
            host: str = "",
            port: int = 0,
            local_hostname: str | None = None,
            *,
            timeout: float = DEFAULT_TIMEOUT,
            source_address: SourceAddress | None = None,
            context: ssl.SSLContext | None = None,
        ) -> None:
            self.context = context
            SMTP.__init__(self, host, port, local_hostname, timeout, source_address)

    else:

        def __init__(
            self,
            host: str = "",
            port: int = 0,
            local_hostname: str | None = None,
            keyfile: Path | None = None,
            certfile: Path | None = None,
            timeout: float = DEFAULT_TIMEOUT,
            source_address: SourceAddress | None = None,
            context: ssl.SSLContext | None = None,
        ) -> None:
            self.keyfile, self.certfile = keyfile, certfile
            self.context = context_of(keyfile, certfile, context)
            SMTP.__init__(self, host, port, local_hostname, timeout, source_address)

    def _get_socket(self, host: str, port: int, timeout: Any) -> Any:
        if self.debuglevel > 0:
            self._print_debug("connect:", (host, port))
        plain = SMTP._get_socket(self, host, port, timeout)
        return secure(self._link, plain, self.context, self._host)
