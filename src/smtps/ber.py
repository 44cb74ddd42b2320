"""Read BER, the form of certificates and keys, as far as a look into a store of them needs it.

It is strict in what it can be, and takes the lengths without end and the strings in pieces that
old programs write. X.690, section 8.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["INTEGER", "OBJECT", "OCTETS", "SEQUENCE", "CutShort", "Element", "Malformed", "read"]

INTEGER, OCTETS, OBJECT, SEQUENCE = 0x02, 0x04, 0x06, 0x30
_CONSTRUCTED = 0x20
# OpenSSL goes no deeper either.
_DEEPEST = 30


class Malformed(ValueError):
    """These bytes are not what they should be."""


class CutShort(Malformed):
    """An element says that it is longer than what is there."""


class Element(NamedTuple):
    """One value: its tag, and the bytes of its content."""

    tag: int
    content: bytes

    def of(self, tag: int) -> Element:
        """Give this one, if it is of that kind.

        Raises:
            Malformed: it is another.
        """
        if self.tag != tag:
            raise Malformed(f"a value of tag {tag:#x} is missing")
        return self

    @property
    def parts(self) -> list[Element]:
        """The elements that this one is made of."""
        if not self.tag & _CONSTRUCTED:
            raise Malformed(f"a value of tag {self.tag:#x} has no parts")
        found, place = [], 0
        while place < len(self.content):
            element, place = _next(self.content, place, 0)
            found.append(element)
        return found

    @property
    def number(self) -> int:
        """The value of an INTEGER."""
        content = self.of(INTEGER).content
        if not content:
            raise Malformed("a number has no bytes")
        return int.from_bytes(content, "big", signed=True)

    def octets(self, tag: int = OCTETS) -> bytes:
        """Give the value of a string of octets, which may come in pieces."""
        return self._octets(tag, 0)

    def _octets(self, tag: int, depth: int) -> bytes:
        if self.tag == tag:
            return self.content
        if self.tag != tag | _CONSTRUCTED or depth == _DEEPEST:
            raise Malformed("a string of octets is missing")
        return b"".join(part._octets(OCTETS, depth + 1) for part in self.parts)


def read(data: bytes) -> Element:
    """Read the element that begins the data, and leave what is behind it.

    Raises:
        Malformed: it is none.
    """
    return _next(data, 0, 0)[0]


def _next(data: bytes, place: int, depth: int) -> tuple[Element, int]:
    """Read the element at a place; give it, and the place behind it."""
    if place + 2 > len(data):
        raise CutShort("an element is cut short")
    tag, length = data[place], data[place + 1]
    if tag & 0x1F == 0x1F or depth == _DEEPEST:
        raise Malformed("a tag is too large, or elements are too deep in one another")
    place += 2
    if length == 0x80:
        if not tag & _CONSTRUCTED:
            raise Malformed("a value has no end")
        end = _end(data, place, depth)
        return Element(tag, data[place:end]), end + 2
    if length > 0x80:
        size = length & 0x7F
        if size > 8:
            raise Malformed("a length is too large")
        if place + size > len(data):
            raise CutShort("an element is cut short")
        length = int.from_bytes(data[place : place + size], "big")
        place += size
    if place + length > len(data):
        raise CutShort("an element is cut short")
    return Element(tag, data[place : place + length]), place + length


def _end(data: bytes, place: int, depth: int) -> int:
    """Find the two zeros that end an element whose length is not told."""
    while data[place : place + 2] != b"\0\0":
        _, place = _next(data, place, depth + 1)
    return place
