"""Log records by mail: many in one message, at a bounded rate, without holding up the program."""

from __future__ import annotations

from .handler import SMTPSHandler

__all__ = ["SMTPSHandler"]
