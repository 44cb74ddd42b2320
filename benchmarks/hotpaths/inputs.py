"""Bodies and replies to work on: each the same in every run."""

from __future__ import annotations

import random

__all__ = [
    "SIZE",
    "dotted_text",
    "plain_text",
    "relay_replies",
    "same_replies",
    "some_bytes",
    "unique_replies",
]

#: In bytes; source and result lie in the second level cache.
SIZE = 65536

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_OTHERS = "éàüñøßçåö"


def some_bytes() -> bytes:
    """Give what an attachment looks like: all bytes alike."""
    return random.Random(1).randbytes(SIZE)


def plain_text(newline: bytes, *, others: float = 0.0) -> bytes:
    """Give lines of 40 to 76 characters, made of words.

    Args:
        others: how many of the bytes are not ASCII.
    """
    # Of two letters that may be, each is two bytes.
    share = others / (2 - others)
    lines, size, chance = [], 0, random.Random(2)
    while size < SIZE:
        letters = (
            chance.choice(_OTHERS) if chance.random() < share else chance.choice(_LETTERS)
            for _ in range(chance.randint(40, 76))
        )
        line = "".join(" " if chance.random() < 0.15 else letter for letter in letters)
        lines.append(line.strip().encode() or b"x")
        size += len(lines[-1]) + len(newline)
    return newline.join(lines)[: SIZE - len(newline)] + newline


def dotted_text() -> bytes:
    """Give lines that all open with a dot."""
    lines = plain_text(b"\r\n").split(b"\r\n")
    return b"\r\n".join(b"." + line[1:] for line in lines[:-1]) + b"\r\n"


def unique_replies() -> bytes:
    """Give replies of 58 bytes that all differ."""
    count = SIZE // 58
    return b"".join(
        b"250 2.1.5 <recipient-%06d@example.com>... is taken ok.\r\n" % number
        for number in range(count)
    )


def same_replies() -> bytes:
    """Give replies of 58 bytes, as to the many recipients of a window."""
    return b"250 2.1.5 <recipient@list.example.com>... is taken here.\r\n" * (SIZE // 58)


def relay_replies() -> bytes:
    """Give what a relay says to message after message."""
    found, size, number = [], 0, 0
    while size < SIZE - 200:
        number += 1
        found.append(
            b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n"
            b"250 2.0.0 Ok: queued as 4cG%08X\r\n" % number
        )
        size += len(found[-1])
    return b"".join(found)
