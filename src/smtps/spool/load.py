"""Read a queue file: its entry, its content (checked against the checksum), its history."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..wire.content import CHUNK_SIZE, Content, Section
from .entry import FIRST_LINE, Damaged, Entry, parse_head
from .history import Progress, parse_records

__all__ = ["Loaded", "QueuedContent", "load"]

# Most messages are read by one call, and larger ones are streamed.
_FIRST_READ = 131072
# A head of a million recipients still fits.
_HEAD_LIMIT = 128 << 20
_HISTORY_LIMIT = 64 << 20


@dataclass(slots=True)
class Loaded:
    """What a queue file holds."""

    entry: Entry
    progress: Progress
    #: Where the content begins and ends in the file.
    start: int
    end: int
    #: The content, if it was read whole.
    whole: bytes | None
    eight_bit: bool
    #: Where the history ends that can be read.
    good: int
    #: Whether a part of a line stands behind that.
    torn: bool


def load(fd: int, size: int, *, check: bool = True) -> Loaded:
    """Read the file behind `fd` and check it.

    Args:
        check: whether to read all of a large content, for its checksum.

    Raises:
        Damaged: it is not a message of this format, or not whole, or was changed.
    """
    data = os.pread(fd, _FIRST_READ, 0)
    if not FIRST_LINE.startswith(data[: len(FIRST_LINE)].replace(b"\r", b"\n")):
        raise Damaged('the first line is not "X-SMTPS-Queue: 1"')
    blank = _find_blank(data)
    while blank < 0:
        if len(data) >= min(size, _HEAD_LIMIT):
            raise Damaged("the head has no end" if data else "the file is empty")
        data += os.pread(fd, max(len(data), _FIRST_READ), len(data))
        blank = _find_blank(data)
    entry = parse_head(data[:blank])
    if entry.length is None:
        return Loaded(entry, Progress.begin(entry), blank, size, None, True, size, False)
    end = blank + entry.length
    if end > size:
        raise Damaged(f"truncated: {size - blank} of {entry.length} bytes of content are there")
    whole = data[blank:end] if end <= len(data) else None
    eight_bit = True
    if whole is not None:
        eight_bit = not whole.isascii()
        digest = hashlib.sha256(whole).hexdigest()
    elif check:
        digest, eight_bit = _check(fd, blank, end)
    if (check or whole is not None) and digest != entry.digest:
        raise Damaged("the checksum of the content does not match")
    if size - end > _HISTORY_LIMIT:
        raise Damaged("the history is too long to be one")
    progress = Progress.begin(entry)
    good = end
    if size > end:
        tail = data[end:size] if size <= len(data) else _read(fd, end, size)
        records, used = parse_records(tail)
        good += used
        for record in records:
            progress.apply(record)
    return Loaded(entry, progress, blank, end, whole, eight_bit, good, good < size)


def _find_blank(data: bytes) -> int:
    """Give the place behind the blank line that ends the head; -1 if there is none."""
    plain = data.find(b"\n\n")
    # Whoever wrote the file by hand may have a system with other line ends.
    typed = data.find(b"\n\r\n", 0, plain if plain >= 0 else len(data))
    if typed >= 0:
        return typed + 3
    return plain + 2 if plain >= 0 else -1


def _check(fd: int, start: int, end: int) -> tuple[str, bool]:
    checksum = hashlib.sha256()
    is_ascii = True
    for chunk in _pieces(fd, start, end):
        checksum.update(chunk)
        is_ascii = is_ascii and chunk.isascii()
    return checksum.hexdigest(), not is_ascii


def _read(fd: int, start: int, end: int) -> bytes:
    return b"".join(_pieces(fd, start, end))


def _pieces(fd: int, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        chunk = os.pread(fd, min(CHUNK_SIZE, end - start), start)
        if not chunk:
            raise Damaged("the file became shorter while it was read")
        start += len(chunk)
        yield chunk


class QueuedContent(Content):
    """The content of a queue file, as often as it is asked for.

    Args:
        before_end: called each time when all of it was taken, before its end is sent: the last
            moment at which it is sure that the message was not handed over.
    """

    __slots__ = ("_before_end", "_fd", "_loaded")

    def __init__(
        self, fd: int, loaded: Loaded, before_end: Callable[[], None] | None = None
    ) -> None:
        super().__init__(() if loaded.whole is None else loaded.whole)
        self._fd = fd
        self._loaded = loaded
        self._before_end = before_end
        self.size = loaded.end - loaded.start
        self.eight_bit = loaded.eight_bit
        if before_end is not None:
            # What is whole is sent with its end in one piece, and there is no moment before it.
            self.whole = None

    @property
    def can_repeat(self) -> bool:
        """Whether it can go again: not by itself, where its end is noted each time."""
        return self.whole is not None

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Give the content piece by piece."""
        for section in self.sections():
            yield from section.chunks

    def sections(self) -> Iterator[Section]:
        """Give the headers and the body; of the body progress is told."""
        loaded = self._loaded
        if loaded.whole is not None:
            blank = loaded.whole.find(b"\r\n\r\n")
            body = blank + 4 if blank >= 0 else len(loaded.whole)
            yield Section(body, iter([loaded.whole[:body]]), told=False)
            if body < len(loaded.whole):
                yield Section(len(loaded.whole) - body, iter([loaded.whole[body:]]))
        else:
            first = os.pread(self._fd, min(CHUNK_SIZE, self.size or 0), loaded.start)
            blank = first.find(b"\r\n\r\n")
            body = blank + 4 if blank >= 0 else len(first)
            yield Section(body, iter([first[:body]]), told=False)
            start = loaded.start + body
            yield Section(loaded.end - start, _pieces(self._fd, start, loaded.end))
        if self._before_end is not None:
            self._before_end()
