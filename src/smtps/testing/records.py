"""What the sink remembers: the messages that it took, and what each client said."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Parameters", "SinkConnection", "SinkMessage"]

#: ESMTP parameters by keyword in upper case; None where there was no value.
Parameters = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class SinkMessage:
    """One message as it was taken, byte for byte."""

    #: The reverse path, without its angle brackets.
    sender: str
    #: The forward paths that were accepted, without their angle brackets.
    recipients: tuple[str, ...]
    #: The parameters of MAIL.
    parameters: Parameters
    #: The parameters of each RCPT, in the order of `recipients`.
    recipient_parameters: tuple[Parameters, ...]
    #: The content with the dots of RFC 5321, section 4.5.2, taken away.
    content: bytes = field(repr=False)
    #: What followed the 354 up to and with the last dot and its CRLF; for BDAT the content.
    raw_data: bytes = field(repr=False)
    #: How the content came.
    how: Literal["DATA", "BDAT"]
    #: Whether it came over TLS.
    tls: bool
    #: Who was logged in.
    user: str | None
    #: The name that the client gave in EHLO or HELO.
    hello: str
    #: The number of the connection that it came over; the first is 1.
    connection: int

    @property
    def bare_newlines(self) -> int:
        """How many CR and LF in the content are not part of a CRLF."""
        pairs = self.content.count(b"\r\n")
        return self.content.count(b"\r") + self.content.count(b"\n") - 2 * pairs


@dataclass(slots=True)
class SinkConnection:
    """What one client did."""

    #: The first connection is 1.
    number: int
    #: Every line but content, in order, as it came: commands, and answers to AUTH challenges.
    commands: list[str] = field(default_factory=list)
    #: Sentences about what the client must not do by the RFCs, such as pipelining behind EHLO.
    violations: list[str] = field(default_factory=list)
    #: CR and LF that are not part of a CRLF, in commands and content.
    bare_newlines: int = 0
    hello: str = ""
    user: str | None = None
    #: The mechanism of the last AUTH that was carried out.
    mechanism: str = ""
    #: The version of TLS that was agreed on; None in clear text.
    tls: str | None = None
    #: The certificate that the client showed, DER; empty if it was not asked or has none.
    certificate: bytes = b""
    #: Whether the TLS session is the continuation of an earlier one.
    resumed: bool = False
    #: Bytes of the application that came and went.
    received: int = 0
    sent: int = 0
    #: What broke the connection or its handshake, if the client did not close it in order.
    error: OSError | ssl.SSLError | None = None
    #: Whether it is over.
    closed: bool = False
