"""The window of transactions in flight, compiled or pure; see `smtps._pure.window`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._choice import implementation
from .._pure.outgoing import LARGEST

if TYPE_CHECKING or implementation == "pure":
    from .._pure.window import Window
else:
    from .._fast.window import Window

__all__ = ["LARGEST", "Window"]
