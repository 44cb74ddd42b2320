"""Memory that ends, or begins, where nobody may read or write: to touch one byte more is fatal."""

from __future__ import annotations

import ctypes
import mmap

__all__ = ["Guarded"]

_NO_ACCESS = 0


class Guarded:
    """Some bytes between two pages that may not be touched.

    Args:
        size: how many bytes there are at least.
    """

    def __init__(self, size: int) -> None:
        page = mmap.PAGESIZE
        inner = -(-size // page) * page
        self._map = mmap.mmap(-1, inner + 2 * page)
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._map)) + page
        self._end = self._base + inner
        self._protect(self._base - page, page)
        self._protect(self._end, page)

    def at_end(self, data: bytes | int) -> memoryview:
        """Give so many bytes, or a copy of these, before the page behind."""
        return self._place(self._end - (data if isinstance(data, int) else len(data)), data)

    def at_start(self, data: bytes | int) -> memoryview:
        """Give so many bytes, or a copy of these, after the page in front."""
        return self._place(self._base, data)

    def _place(self, address: int, data: bytes | int) -> memoryview:
        size = data if isinstance(data, int) else len(data)
        view = memoryview((ctypes.c_char * size).from_address(address)).cast("B")
        if isinstance(data, bytes):
            view[:] = data
        return view

    def _protect(self, address: int, size: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), _NO_ACCESS):
            raise OSError(ctypes.get_errno(), "mprotect")
