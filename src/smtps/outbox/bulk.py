"""Send a queue by `send_many`: thousands of messages in flight, the disk asked for groups of them.

A group is claimed at a time: its names are written down and synced in one file, the messages are
claimed, and one sync of the folder makes that certain, together with the removal of those that
were sent meanwhile. Then each message says in its own file, unsynced, that it is handed over: what
a killed process has written stays, and for a power cut there is the file of the group.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue

from ..envelope import Envelope
from ..errors import ConnectionFailed, SMTPSError
from ..events import Error
from ..receipt import Receipt
from ..spool.claim import Claim, take
from ..spool.entry import format_time
from ..spool.failures import QueueFolderError
from ..spool.folder import Folder, failing
from ..spool.history import Attempt, Standing, format_record
from ..spool.inflight import Inflight
from ..spool.names import QUEUED, is_safe
from ..spool.rules import Report, Rules, State
from ..spool.settle import settle
from ..spool.work import claim_one, deliver_claims, passes, sort_out, tally
from .relays import Relay

try:
    import resource
except ImportError:  # Only POSIX has it, as the rest of the queue.
    resource = None  # type: ignore[assignment]

__all__ = ["Bulk"]

# Names that are written down together; a sync for each group costs some microseconds a message.
_GROUP = 256
_CLOSERS = 8
# Files that are closed together.
_BATCH = 32
# Descriptors that are left to the rest of the program.
_RESERVE = 128


@dataclass(slots=True)
class _Group:
    """Messages that were written down together."""

    #: Where they are written down; None where the disk has no room for that.
    inflight: Inflight | None
    #: How many of them have no outcome yet.
    open: int = 0

    def leave(self) -> None:
        """Leave it to whoever looks after what was not brought to an end."""
        if self.inflight is not None:
            self.inflight.leave()


@dataclass(slots=True)
class _Sent:
    """A message on its way."""

    claim: Claim
    group: _Group
    places: Sequence[int]


class Bulk:
    """One run through a queue by `send_many`.

    Args:
        relay: what the messages are sent through.
        is_stopping: asked before each message whether the run is to end.
        window: the most messages in flight.
    """

    def __init__(
        self,
        folder: Folder,
        rules: Rules,
        report: Report,
        relay: Relay,
        is_stopping: Callable[[], bool],
        window: int | None,
    ) -> None:
        self._folder = folder
        self._rules = rules
        self._report = report
        self._relay = relay
        self._is_stopping = is_stopping
        self._window = window
        self._names = _groups(folder)
        self._ready: deque[tuple[Claim, _Group]] = deque()
        #: Those that cannot go in a row: too large, or with conditions of their own.
        self._odd: list[tuple[Claim, _Group]] = []
        self._sent: dict[int, _Sent] = {}
        self._settled: list[_Group] = []
        self._marks: dict[int, bytes] = {}
        #: Why no connection could be made.
        self._down: ConnectionFailed | None = None
        self._closer = _Closer()
        self._room = max(1, _most_files() - _GROUP - _RESERVE)

    def run(self) -> None:
        """Send everything that is due.

        Raises:
            QueueFolderError, ConnectionFailed: the folder, or the relay, cannot be used.
        """
        try:
            while not self._is_stopping() and self._fill():
                if self._ready:
                    self._send()
                if self._down is not None:
                    raise self._down
                odd, self._odd = self._odd, []
                if odd:
                    try:
                        found = [claim for claim, _ in odd]
                        self._relay.work_through(
                            deliver_claims(found, self._rules, self._report, self._is_stopping)
                        )
                    finally:
                        self._release_all(odd)
        finally:
            self._end()
        with failing(self._folder.path, "listing the folder"):
            self._folder.check()

    # --- out --------------------------------------------------------------------------------------

    def _send(self) -> None:
        receipts = self._relay.send_many(self._items(), self._window)
        try:
            while (receipt := self._next(receipts)) is not None:
                self._settle(self._sent[receipt.index], receipt)
                # Not before: what cannot be settled stays on its way, and is closed as such.
                del self._sent[receipt.index]
        finally:
            # Whoever leaves early drops the connection, and can use it for nothing else before.
            if isinstance(receipts, Generator):
                receipts.close()

    def _next(self, receipts: Iterator[Receipt]) -> Receipt | None:
        try:
            return next(receipts, None)
        except QueueFolderError:
            # It came from the claims; what has no receipt may be anywhere.
            raise
        except SMTPSError:
            # What was begun has its receipt; the rest was not, whatever its file says.
            for sent in self._sent.values():
                sent.claim.note({"event": "released"}, sync=False)
                self._release(sent.claim, sent.group)
            self._sent.clear()
            raise

    def _items(self) -> Iterator[tuple[Envelope, bytes]]:
        """Give what is claimed, and claim more; an end is made where something else comes first."""
        index = 0
        while True:
            if not self._ready and (
                self._odd or len(self._sent) > self._room or not self._fill() or not self._ready
            ):
                return
            if self._down is not None or self._is_stopping():
                return
            claim, group = self._ready.popleft()
            places = claim.progress.having(Standing.WAITING)
            # From here on it may be with the server.
            self._sent[index] = _Sent(claim, group, places)
            claim.mark(self._mark(places), places)
            index += 1
            whole = claim.loaded.whole
            assert whole is not None
            yield claim.envelope(places), whole

    def _mark(self, places: Sequence[int]) -> bytes:
        count = len(places)
        if count and places[-1] == count - 1 and count in self._marks:
            return self._marks[count]
        record = {"at": format_time(time.time()), "event": "handed over", "to": list(places)}
        line = format_record(record)
        if count and places[-1] == count - 1:
            # All of them, as nearly always; the time is that of the group.
            self._marks[count] = line
        return line

    # --- in ---------------------------------------------------------------------------------------

    def _settle(self, sent: _Sent, receipt: Receipt) -> None:
        claim = sent.claim
        if receipt.ok and not self._rules.keep and not claim.progress.attempts:
            # Everyone has it, and nobody is left who would read a history.
            try:
                claim.remove()
            except QueueFolderError:
                attempt = Attempt.of(receipt, sent.places)
                claim.note_attempt(attempt, wait=0, waited=0, sync=False)
                raise
            self._close(claim, sent.group)
            self._report.count(State.SENT, claim.id, "")
            return
        if isinstance(receipt.error, ConnectionFailed) and not receipt.accepted:
            # It is the relay that is down; the message was not tried.
            self._down = receipt.error
            claim.note({"event": "released"}, sync=False)
            self._release(claim, sent.group)
            return
        settled = settle(claim, Attempt.of(receipt, sent.places), self._rules, sync=False)
        self._close(claim, sent.group)
        tally(self._report, claim, settled)
        if settled.state is State.FAILED:
            self._relay.observe(Error(161, f"{claim.id}: failed: {settled.words}"))

    def _close(self, claim: Claim, group: _Group) -> None:
        fd, claim.fd = claim.fd, -1
        if fd >= 0:
            self._closer.close(fd)
        group.open -= 1
        if not group.open:
            self._settled.append(group)

    def _release(self, claim: Claim, group: _Group) -> None:
        try:
            if claim.fd >= 0:
                claim.release()
        finally:
            # A file that stays open stays locked, and nobody else could send it.
            self._close(claim, group)

    def _release_all(self, claims: Iterable[tuple[Claim, _Group]]) -> None:
        """Release all, though one may fail, and tell of the first failure."""
        with ExitStack() as all_of_them:
            for claim, group in claims:
                all_of_them.callback(self._release, claim, group)

    # --- groups -----------------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Claim the next group that has anything to send, and tell whether there is one."""
        while not self._ready and not self._odd and not self._is_stopping():
            names = next(self._names, None)
            if names is None:
                break
            group = _Group(self._write_down(names))
            try:
                self._claim(names, group)
            finally:
                if not group.open:
                    self._settled.append(group)
            self._sync()
        return bool(self._ready or self._odd)

    def _write_down(self, names: list[str]) -> Inflight | None:
        try:
            with failing(self._folder.path, "writing down what is in flight"):
                return Inflight(self._folder, filter(is_safe, names))
        except QueueFolderError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            # What is sent makes room, so this is the last moment to stop sending.
            return None

    def _claim(self, names: list[str], group: _Group) -> None:
        self._marks.clear()
        folder, rules, report = self._folder, self._rules, self._report
        for name in names:
            claims: Iterable[Claim | Error]
            taken = take(folder, name, rules.schedule) if is_safe(name) else None
            if taken is None:
                claims = claim_one(folder, name, rules, report)
            elif isinstance(taken, Claim) and not taken.progress.records:
                # It was never tried, as nearly all.
                claims = (taken,)
            else:
                claims = sort_out(name, taken, rules, report)
            for found in claims:
                if isinstance(found, Error):
                    self._relay.observe(found)
                    continue
                group.open += 1
                odd = (
                    # One by one each says in its own file, synced, that it is handed over.
                    group.inflight is None
                    or found.loaded.whole is None
                    or any(one.required or one.options for one in found.entry.addressees)
                )
                (self._odd if odd else self._ready).append((found, group))

    def _sync(self) -> None:
        """Make certain what was claimed and what was removed; then some groups are history."""
        with failing(self._folder.path, "syncing the folder"):
            self._folder.sync()
            for group in self._settled:
                if group.inflight is not None:
                    group.inflight.remove()
            self._settled.clear()

    def _end(self) -> None:
        """Give back what was not sent; what is on its way stays, in doubt."""
        try:
            for sent in self._sent.values():
                sent.claim.close()
                sent.group.leave()
            self._release_all((*self._ready, *self._odd))
            self._sync()
        finally:
            for group in self._settled:
                group.leave()
            self._closer.end()


def _most_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _groups(folder: Folder) -> Iterator[list[str]]:
    for names in passes(folder, QUEUED):
        rest = iter(names)
        while group := list(islice(rest, _GROUP)):
            yield group


class _Closer:
    """Closes files in threads of its own.

    The last close of a removed file is when the file system frees its blocks, and waits for the
    disk: on ext4 with `discard` that is 75 us at rest and a millisecond under load, most of what a
    message costs. Eight that wait at a time take a quarter of it.
    """

    def __init__(self) -> None:
        self._batch: list[int] = []
        self._batches: SimpleQueue[list[int]] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def close(self, fd: int) -> None:
        self._batch.append(fd)
        if len(self._batch) >= _BATCH:
            self._hand_out()

    def end(self) -> None:
        self._hand_out()
        for _ in self._threads:
            self._batches.put([])
        for thread in self._threads:
            thread.join()

    def _hand_out(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        waiting = self._batches.qsize()
        if waiting >= _CLOSERS:
            # The disk is behind, and descriptors are not without end.
            _close_all(batch)
            return
        if len(self._threads) < _CLOSERS and waiting >= len(self._threads):
            self._start()
        if self._threads:
            self._batches.put(batch)
        else:
            _close_all(batch)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The system has no more threads, or the program is about to end; without it is slower.
            return
        self._threads.append(thread)

    def _work(self) -> None:
        while batch := self._batches.get():
            _close_all(batch)


def _close_all(fds: list[int]) -> None:
    """Close files, each run of neighbours by one call, so that the interpreter is asked seldom."""
    fds.sort()
    first = last = fds[0]
    for fd in (*fds[1:], -1):
        if fd != last + 1:
            os.closerange(first, last + 1)
            first = fd
        last = fd
