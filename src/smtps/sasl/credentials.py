"""What a mechanism proves, and the shape that all mechanisms share."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Credentials", "Responses"]

#: Yields the initial response, or None where the server speaks first; is then sent one challenge
#: for each further response.
Responses: TypeAlias = Generator[bytes | None, bytes, None]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password; its repr shows no password."""

    user: str
    password: str = field(repr=False)
