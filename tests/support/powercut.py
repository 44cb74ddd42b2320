"""Every state in which a power cut can leave a folder, rebuilt from a trace of what was done to it.

What was not synced may be there or not: of the names any part, of a file's data nothing, a half,
the size with zeros in place of the data, or all. It is the method of ALICE (Pillai et al., OSDI
2014), on the calls that the queue makes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["STRACE", "State", "states_of"]

#: What strace has to write for this.
STRACE = ("-xx", "-s", "1000000")

#: The files of a folder by their names.
State: TypeAlias = dict[str, bytes]

_line = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)", re.MULTILINE)
_hex = re.compile(r"\\x([0-9a-f]{2})")
# Beyond that, of all subsets of renames only some are looked at.
_ALL_SUBSETS = 6


@dataclass(slots=True)
class _File:
    durable: bytes
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    def variants(self) -> list[bytes]:
        """Give what may be read after the cut, of what was written since the last sync."""
        if not self.pending:
            return [self.durable]
        whole = self.now()
        place, data = self.pending[-1]
        before = _written(self.durable, self.pending[:-1])
        half = _written(before, [(place, data[: len(data) // 2])])
        zeros = _written(self.durable, [(at, bytes(len(data))) for at, data in self.pending])
        return [self.durable, half, zeros, whole]

    def now(self) -> bytes:
        return _written(self.durable, self.pending)


def _written(data: bytes, writes: list[tuple[int, bytes]]) -> bytes:
    result = bytearray(data)
    for place, piece in writes:
        result.extend(bytes(max(0, place + len(piece) - len(result))))
        result[place : place + len(piece)] = piece
    return bytes(result)


@dataclass(slots=True)
class _Disk:
    folder: str
    names: dict[str, _File]
    handles: dict[int, _File | None] = field(default_factory=dict)
    pending: list[tuple[str, ...]] = field(default_factory=list)
    #: What names and pending operations refer to, when created.
    created: dict[str, _File] = field(default_factory=dict)


def states_of(
    trace: str, before: State, folder: str, *, at_end: bool = False
) -> Iterator[tuple[int, State]]:
    """Give each state with how many messages were handed over when the power went.

    Args:
        before: what was in the folder, safe on the disk.
        at_end: whether the power goes only after the last call.
    """
    disk = _Disk(folder, {name: _File(data) for name, data in before.items()})
    live = dict(disk.names)
    handed_over = 0
    seen: set[tuple[int, frozenset[tuple[str, bytes]]]] = set()
    calls = _line.findall(trace)
    for number, (call, arguments, result) in enumerate(calls, 1):
        if int(result) >= 0:
            handed_over += _apply(disk, live, call, arguments, int(result))
        if at_end and number < len(calls):
            continue
        for state in _states(disk):
            key = handed_over, frozenset(state.items())
            if key not in seen:
                seen.add(key)
                yield handed_over, state


def _apply(disk: _Disk, live: dict[str, _File], call: str, text: str, result: int) -> int:
    """Do what a call did, and tell whether it ended a message."""
    strings = [_decode(found) for found in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', text)]
    fd = int(text.split(",")[0]) if text[:1].isdigit() else -1
    if call == "openat":
        name = strings[0].decode()
        if name == disk.folder:
            disk.handles[result] = None
        elif "O_CREAT" in text:
            live[name] = disk.handles[result] = disk.created[name] = _File(b"")
            disk.pending.append(("create", name))
        elif name in live:
            disk.handles[result] = live[name]
    elif call == "close":
        disk.handles.pop(fd, None)
    elif call == "pwrite64" and isinstance(file := disk.handles.get(fd), _File):
        # Written in the middle of a message that is not closed here: the arguments end in a place.
        file.pending.append((int(text.rsplit(",", 1)[1]), strings[0][:result]))
    elif call == "ftruncate" and isinstance(file := disk.handles.get(fd), _File):
        file.durable, file.pending = file.now()[: int(text.split(",")[1])], []
    elif call in ("fsync", "fdatasync") and fd in disk.handles:
        synced = disk.handles[fd]
        if synced is None:
            for operation in disk.pending:
                _name(disk.names, operation, disk.created)
            disk.pending.clear()
        else:
            synced.durable, synced.pending = synced.now(), []
    elif call == "renameat":
        old, new = (string.decode() for string in strings)
        live[new] = live.pop(old)
        disk.pending.append(("rename", old, new))
    elif call == "unlinkat":
        if live.pop(strings[0].decode(), None) is not None:
            disk.pending.append(("unlink", strings[0].decode()))
    elif call == "sendto":
        # By DATA one at a time, by BDAT any number in one write.
        return strings[0].endswith(b".\r\n") + strings[0].count(b" LAST\r\n")
    return 0


def _name(names: dict[str, _File], operation: tuple[str, ...], created: dict[str, _File]) -> None:
    kind, name, *rest = operation
    if kind == "create":
        names[name] = created[name]
    elif name in names:
        file = names.pop(name)
        if rest:
            names[rest[0]] = file


def _states(disk: _Disk) -> Iterator[State]:
    count = len(disk.pending)
    for chosen in _subsets(count):
        names = dict(disk.names)
        for place in chosen:
            _name(names, disk.pending[place], disk.created)
        kinds = [[(name, data) for data in file.variants()] for name, file in names.items()]
        for combination in itertools.product(*kinds):
            yield dict(combination)


def _subsets(count: int) -> Iterator[tuple[int, ...]]:
    everything = range(count)
    if count <= _ALL_SUBSETS:
        for size in range(count + 1):
            yield from itertools.combinations(everything, size)
        return
    for size in range(count + 1):
        yield tuple(everything[:size])
    for left_out in everything:
        yield (left_out,)
        yield tuple(place for place in everything if place != left_out)


def _decode(text: str) -> bytes:
    return bytes.fromhex("".join(_hex.findall(text)))
