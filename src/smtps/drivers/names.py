"""The own host's name."""

from __future__ import annotations

import socket
from functools import cache

__all__ = ["own_name"]


@cache
def own_name() -> str:
    """Give the own host's name, qualified where that is known; asked once, it may use DNS."""
    name = socket.gethostname()
    if "." not in name:
        name = socket.getfqdn(name)
    usable = name.isascii() and all(part.replace("-", "").isalnum() for part in name.split("."))
    return name if usable and name != "localhost.localdomain" else ""
