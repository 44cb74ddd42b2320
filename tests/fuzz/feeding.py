"""Turn the bytes of a fuzzer into what the tested functions take."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["Feed", "both", "outcome"]


class Feed:
    """Bytes that choices are drawn from: numbers and cuts from the end, content from the start."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def number(self, most: int) -> int:
        """Draw a number from 0 to `most`, of one byte."""
        if not self.data:
            return 0
        last, self.data = self.data[-1], self.data[:-1]
        return last % (most + 1)

    def text(self) -> str:
        """Take the rest as text; what is no UTF-8 becomes halves of surrogate pairs."""
        return self.data.decode("utf-8", "surrogateescape")

    def pieces(self) -> list[bytes]:
        """Cut the rest into pieces, as a network might."""
        step = self.number(16)
        if not step:
            return [self.data]
        return [self.data[place : place + step] for place in range(0, len(self.data), step)]


def both(name: str) -> list[ModuleType]:
    """Give a module of the codec from both implementations, the plain one first."""
    found = [import_module(f"smtps._pure.{name}")]
    try:
        found.append(import_module(f"smtps._fast.{name}"))
    except ImportError:
        pass
    return found


def outcome(function: Any, *arguments: Any, expected: type[Exception]) -> tuple[Any, str]:
    """Give what a function returns, or what it says is wrong; other errors pass."""
    try:
        return function(*arguments), ""
    except expected as error:
        return None, str(error)
