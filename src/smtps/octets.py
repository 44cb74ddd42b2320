"""Bytes out of anything that has some: `bytes`, `bytearray`, `array`, what NumPy makes."""

from __future__ import annotations

from .errors import BadValue

__all__ = ["octets_of", "octets_read"]


def octets_of(value: object) -> bytes | None:
    """Give the bytes of an object with the buffer protocol; None if it has none, as text."""
    if isinstance(value, bytes):
        return value
    try:
        with memoryview(value) as view:  # type: ignore[arg-type]
            return view.tobytes()
    except TypeError:
        return None


def octets_read(field: str, data: object) -> bytes:
    """Give what the `read` of a program's file gave; nothing is its end.

    Raises:
        BadValue: it is text, or None, as of a file that has nothing yet and does not wait.
    """
    octets = octets_of(data)
    if octets is not None:
        return octets
    if data is None:
        raise BadValue(field, "the file has nothing yet and does not wait; make it blocking")
    raise BadValue(field, 'the file gives text; open it with mode "rb"')
