"""Take bytes from anything with the buffer protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["as_bytes"]


def as_bytes(data: Buffer) -> bytes:
    """Give the bytes of an object, without a copy if they are `bytes` already.

    Raises:
        TypeError: it has no buffer; text is to be encoded first.
        BufferError: its bytes do not lie one behind the other.
    """
    if type(data) is bytes:
        return data
    with memoryview(data) as view:
        if not view.c_contiguous:
            raise BufferError("the buffer is not contiguous; copy it with bytes()")
        return view.tobytes()
