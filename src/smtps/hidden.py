"""Bytes that nothing shows."""

from __future__ import annotations

__all__ = ["Hidden"]


class Hidden(bytes):
    """Bytes of a secret: what shows local variables or operations shows nothing of them.

    Whoever makes others of them has a copy that is shown, so that comes behind all that can fail.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes hidden>"
