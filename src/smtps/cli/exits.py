"""Exit statuses: those of sysexits.h, which Python knows on Unix only."""

from __future__ import annotations

__all__ = ["INTERRUPTED", "OK", "TEMPFAIL", "UNAVAILABLE", "USAGE"]

OK = 0
USAGE = 64
UNAVAILABLE = 69
TEMPFAIL = 75
#: As a shell reports a process that SIGINT ended.
INTERRUPTED = 130
