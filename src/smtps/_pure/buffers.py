"""Take bytes from anything with the buffer protocol, and put them into what can be written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["as_bytes", "check_room", "fill"]


def as_bytes(data: Buffer) -> bytes:
    """Give the bytes of an object, without a copy if they are `bytes` already.

    Raises:
        TypeError: it has no buffer; text is to be encoded first.
    """
    if type(data) is bytes:
        return data
    with memoryview(data) as view:
        return view.tobytes()


def check_room(buffer: Buffer, needed: int) -> None:
    """Make sure that a buffer can be written to and holds as many bytes as may be needed.

    Raises:
        TypeError: it has no buffer.
        BufferError: it is read-only, or its bytes do not lie one behind the other.
        ValueError: it is smaller.
    """
    with memoryview(buffer) as view:
        if view.readonly or not view.c_contiguous:
            raise BufferError("the buffer is read-only or not contiguous")
        if view.nbytes < needed:
            raise ValueError(f"the buffer holds {view.nbytes} bytes, and {needed} are needed")


def fill(buffer: Buffer, data: bytes) -> int:
    """Put bytes at the start of a buffer that has room for them, and give their number."""
    with memoryview(buffer) as view, view.cast("B") as octets:
        octets[: len(data)] = data
    return len(data)
