"""Bytes out of anything that has some: `bytes`, `bytearray`, `array`, what NumPy makes."""

from __future__ import annotations

__all__ = ["octets_of"]


def octets_of(value: object) -> bytes | None:
    """Give the bytes of an object with the buffer protocol; None if it has none, as text."""
    if isinstance(value, bytes):
        return value
    try:
        with memoryview(value) as view:  # type: ignore[arg-type]
            return view.tobytes()
    except TypeError:
        return None
