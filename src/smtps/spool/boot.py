"""Which start of the machine this is: what was not synced before it may be lost."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["boot_id"]


@cache
def boot_id() -> str:
    """Give the identifier of this start; "" where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
