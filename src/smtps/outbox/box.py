"""`Outbox`: put messages into a folder, and send what is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from ..client import SMTPS
from ..enumerations import InDoubt
from ..envelope import Recipient
from ..errors import BadValue
from ..items import Item, check_items, transaction_of
from ..pool import Pool
from ..queueing import draft_of
from ..spool import hand
from ..spool.folder import Folder, Path
from ..spool.listing import Listed, listed
from ..spool.names import FAILED, QUEUED, SENDING, SENT, check_id
from ..spool.rules import Report, Rules, check_policy
from ..spool.schedule import Schedule
from ..spool.store import store
from ..spool.work import deliver_claims, deliver_each, recover
from .bulk import Bulk
from .relays import relay_for

__all__ = ["Outbox"]


class Outbox:
    """A queue of messages in a folder, safe from crashes, power cuts and other processes.

    What `put` returned is delivered, or is still in the folder, whole. Nothing is sent twice but
    where SMTP itself cannot tell: a message that was handed over and whose answer was lost is *in
    doubt*, and `in_doubt` says what happens to it. Who has accepted a message never gets it again.

    Any number of processes and threads, on any number of machines whose file system keeps locks,
    may use one folder; one object may be shared by threads.

    Args:
        folder: its path; it must exist, and not everyone may write to it. POSIX only.
        schedule: when a deferred message is tried again, and for how long.
        in_doubt: `InDoubt.HOLD` keeps such a message until somebody calls `retry` or `remove`,
            `RESEND` sends it again under the same Message-ID, `ASSUME_SENT` lets it go.
        keep: whether the files of sent messages stay, named `.sent`.

    Raises:
        BadValue: there is no such folder, or it is open to everyone.
    """

    def __init__(
        self,
        folder: Path,
        *,
        schedule: Schedule | None = None,
        in_doubt: InDoubt | str = InDoubt.HOLD,
        keep: bool = False,
    ) -> None:
        self.folder = folder
        self._rules = Rules(schedule or Schedule(), check_policy(in_doubt), keep)
        self._stopping = threading.Event()
        with self._open():
            pass

    def __repr__(self) -> str:
        return f"<Outbox {self.folder}>"

    def put(
        self,
        item: Item,
        *,
        sender: str | None = None,
        recipients: Iterable[str | Recipient] | None = None,
    ) -> str:
        """Queue one message, and give its id once it is safe on the disk.

        Args:
            item: as for `SMTPS.send`. What it is made of is read now, in constant memory.
            sender: the envelope's sender, in place of the item's.
            recipients: the envelope's recipients, in place of the item's.

        Returns:
            The name of the file without its `.queued`.

        Raises:
            BadValue, AddressError: it cannot be sent as it is.
            QueueFolderError: the folder does not take it; nothing is left in it.
        """
        draft = draft_of(transaction_of(item, sender, recipients))
        with self._open() as folder:
            return store(folder, [draft])[0]

    def put_many(self, items: Iterable[Item]) -> list[str]:
        """Queue many messages at the disk's own rate: all of them, or, if one fails, none.

        Items are taken one by one, and none is held. Only a crash can leave a part of them in the
        queue.

        Returns:
            The ids, in the order of the items.

        Raises:
            BadValue, AddressError, QueueFolderError: as `put`.
            Exception: what the iterable raises.
        """
        check_items(items)
        with self._open() as folder:
            return store(folder, (draft_of(transaction_of(item, None, None)) for item in items))

    def run(
        self,
        smtp_or_pool: SMTPS | Pool,
        *,
        window: int | None = None,
        progress: Callable[[Report], object] | None = None,
    ) -> Report:
        """Send what is queued and due, the oldest first, and what is queued meanwhile.

        Args:
            smtp_or_pool: a connection, which is opened for the run if it is not up and there is
                anything to send; or a pool.
            window: the most messages in flight on a connection, and so in doubt if this process is
                killed; without it as many as it can use. 1 sends them one by one, each synced. The
                connections of a pool are bounded by its own `per_connection`.
            progress: called after each message with the report so far. What it raises ends the
                run and loses nothing.

        Returns:
            What it came to. Failed messages and those in doubt are named in it, not raised.

        Raises:
            QueueFolderError: the folder cannot be worked on.
            SMTPSError: no connection could be made; the messages wait, and no attempt is counted.
        """
        report = Report(progress=progress)
        self._stopping.clear()
        rules, stopping = self._rules, self._stopping.is_set
        relay = relay_for(smtp_or_pool)
        try:
            with self._open() as folder:
                if window == 1:
                    relay.work_through(deliver_each(folder, rules, report, stopping))
                else:
                    relay.work_through(
                        deliver_claims(recover(folder, rules, report), rules, report)
                    )
                    Bulk(folder, rules, report, relay, stopping, window).run()
        finally:
            relay.close()
        return report

    def stop(self) -> None:
        """Let a `run` end after the message that it has now; from a thread or a signal handler."""
        self._stopping.set()

    def list(self, *states: str) -> list[Listed]:
        """Give the messages in the queue, those that wait first, each with why and since when.

        Args:
            states: only these: "queued", "sending" (with those in doubt), "failed", "sent".
        """
        return [*self.walk(*states)]

    def walk(self, *states: str) -> Iterator[Listed]:
        """Give what `list` gives, one by one, from a folder of any size."""
        with self._open() as folder:
            yield from listed(folder, _extensions(states))

    def count(self) -> dict[str, int]:
        """Count the files by their states, without looking into them."""
        with self._open() as folder:
            return {
                state: sum(1 for _ in folder.names(extension))
                for state, extension in _STATES.items()
            }

    def retry(self, id: str) -> None:  # noqa: A002
        """Make a message due at once: one that waits, that failed, or that is in doubt.

        Recipients who have accepted it do not get it again; those in doubt may.

        Raises:
            BadValue: there is no such message, it was sent, is being sent now, or is damaged.
        """
        with self._open() as folder:
            hand.retry(folder, check_id(id))

    def remove(self, id: str) -> None:  # noqa: A002
        """Take a message out of the queue, in whatever state it is.

        Raises:
            BadValue: there is no such message, or it is being sent now.
        """
        with self._open() as folder:
            hand.remove(folder, check_id(id))

    def _open(self) -> Folder:
        return Folder(self.folder, field="folder")


_STATES = {"queued": QUEUED, "sending": SENDING, "failed": FAILED, "sent": SENT}


def _extensions(states: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [state for state in states if state not in _STATES]
    if unknown:
        raise BadValue("states", f"{unknown[0]!r} is none of {', '.join(_STATES)}")
    return tuple(_STATES[state] for state in states or _STATES)
