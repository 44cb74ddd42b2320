"""The phases of an SMTP session, so that every error can say where it happened."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Phase"]


class Phase(StrEnum):
    """A step of the session; its text reads well after "while"."""

    CONNECT = "connecting"
    PROXY = "asking the proxy to connect"
    GREETING = "waiting for the greeting"
    HELLO = "saying EHLO"
    STARTTLS = "asking for STARTTLS"
    TLS = "negotiating TLS"
    AUTH = "authenticating"
    MAIL = "sending MAIL"
    RCPT = "sending RCPT"
    DATA = "sending DATA"
    CONTENT = "sending the content"
    FINAL = "waiting for the final reply"
    RSET = "sending RSET"
    COMMAND = "sending a command"
    QUIT = "sending QUIT"
    IDLE = "idle"

    @property
    def is_handed_over(self) -> bool:
        """Tell whether the server may already have taken the message."""
        return self is Phase.FINAL
