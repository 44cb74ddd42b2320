"""The blocking component."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from .accessors import with_accessors
from .component import Component, settle
from .dialogue.closing import close_session
from .dialogue.command import command, expand, listen, verify
from .dialogue.many import send_all
from .dialogue.opening import open_session
from .dialogue.submission import submit
from .dialogue.transaction import Transaction
from .drivers.blocking import BlockingDriver
from .drivers.supply import IteratorSupply
from .envelope import Recipient
from .errors import AlreadyConnected, BadValue, SMTPSError
from .events import Error
from .items import Item, check_items
from .ops import Dialogue
from .queueing import CANNOT_CARRY, resume
from .receipt import Receipt
from .spool.work import Answer, Work

__all__ = ["SMTPS", "send"]

T = TypeVar("T")


@with_accessors
class SMTPS(Component):
    """One connection to a mail relay. Not thread-safe; `idle` tells whether a method is running.

    Leaving a `with` block disconnects.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._driver: BlockingDriver = BlockingDriver(self._observe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    @property
    def connected(self) -> bool:
        """Whether a session is up; assigning True connects, False disconnects."""
        return self._live.connected

    @connected.setter
    def connected(self, wanted: bool) -> None:
        if wanted and not self.connected:
            self.connect()
        elif not wanted:
            self.disconnect()

    def connect(self) -> None:
        """Connect, secure the connection as `ssl_start_mode` says, and authenticate `user`.

        Raises:
            AlreadyConnected: it is up.
            BadValue: an option is missing or contradicts another; the network was not touched.
            ConnectionFailed, TLSError, GreetingRefused, NotOffered, AuthenticationRefused,
            TimedOut, ConnectionLost, ProtocolError: what failed. No connection is left.
        """
        if self.connected:
            raise AlreadyConnected
        self._run("connect", open_session(self._live))

    def disconnect(self) -> None:
        """Say QUIT and close. Does nothing when not connected, and never fails."""
        if self.connected:
            self._run("disconnect", close_session(self._live, asked=True))

    def send(
        self,
        item: Item | None = None,
        *,
        sender: str | None = None,
        recipients: Iterable[str | Recipient] | None = None,
    ) -> Receipt:
        """Send one message: `item`, or the one of the classic properties.

        Without a connection it makes one and closes it afterwards; one that was there stays.

        Args:
            item: a `Message`, an `email.message.Message`, or `(Envelope, content)`, where content
                is bytes, a path, a binary file or an iterable of byte chunks holding a finished
                message. Its newlines are made CRLF.
            sender: the envelope's sender, in place of the item's.
            recipients: the envelope's recipients, in place of the item's.

        Raises:
            BadValue, AddressError, NotOffered, TooLarge: nothing was sent.
            SenderRefused, RecipientsRefused, MessageRefused: the message went to nobody.
            DeliveryUnknown: it was handed over and the final reply was lost.
            SMTPSError: any other reason for which it went to nobody. Where a server was asked,
                the error's `receipt` says what is known of each recipient.
            Exception: what the content's source raised, such as `FileNotFoundError`; the message
                went to nobody.
        """
        transaction = self._transaction(item, sender, recipients)
        receipt = self._run("send", submit(self._live, transaction))
        if item is None and receipt.accepted:
            self._was_sent(transaction)
        return settle(receipt)

    def send_many(self, items: Iterable[Item], *, window: int | None = None) -> Iterator[Receipt]:
        """Send messages, many of them in flight at a time, and give a receipt for each.

        Nothing is sent before the first receipt is asked for. Items are taken as there is room for
        them, and receipts come as soon as they are known: `receipt.index` is the item's place. No
        message raises, its receipt says what became of it. When the connection breaks, messages
        that were surely not taken go out over another one, as long as connections deliver anything.
        To leave the iteration early drops the connection, with what is in flight on it.
        A message that waits for the replies to all its recipients (`recipient_policy` "all", and
        more than one of them) goes alone.

        Args:
            items: each as `send` takes it.
            window: the most messages in flight; without it, as many as the connection can use.

        Raises:
            BadValue: the arguments cannot be used.
            SMTPSError: no session could be opened at all, or `interrupt` was called.
            Exception: what the iterator of the items raised, after the receipts of those it gave.
        """
        work = self._work(IteratorSupply(check_items(items)), window)
        return self._each("send_many", send_all(self._live, work, window))

    def send_to_terminal_only(self) -> None:
        """Send the classic message to the terminal of a user who is logged in (SEND, RFC 821).

        Raises:
            SenderRefused: the server does not do that, as nearly all today.
            SMTPSError: as `send`.
        """
        self._send_classic("SEND FROM")

    def send_to_terminal_or_email(self) -> None:
        """Send it to the terminal, or to the mailbox of a user who is not logged in (SOML)."""
        self._send_classic("SOML FROM")

    def send_to_terminal_and_email(self) -> None:
        """Send it to the terminal and to the mailbox (SAML)."""
        self._send_classic("SAML FROM")

    def _send_classic(self, verb: str) -> None:
        transaction = self._terminal_transaction(verb)
        receipt = settle(self._run("send", submit(self._live, transaction)))
        if receipt.accepted:
            self._was_sent(transaction)

    def send_command(self, line: str) -> str:
        """Send a command of your own and give the reply, all its lines with their codes.

        Raises:
            NotConnected: there is no session.
            BadValue: the line could end before its end, or the command has a way of its own.
            CommandRefused: the server said no; the session goes on.
        """
        self._check_connected()
        return self._run("command", command(self._live, line)).raw

    @property
    def command(self) -> str:
        """Assigning a line sends it as `send_command` does; it cannot be read."""
        raise AttributeError("command is write-only; last_reply holds what the server said")

    @command.setter
    def command(self, line: str) -> None:
        self.send_command(line)

    def verify(self, email_address: str) -> str:
        """Ask whether the server knows a mailbox (VRFY), and give its words.

        Without a connection it makes one and closes it afterwards.

        Raises:
            CommandRefused: it does not know it, or does not say.
            SMTPSError: as `connect`.
        """
        return self._run("verify", verify(self._live, email_address)).text

    def expand(self, email_address: str) -> list[str]:
        """Ask for the members of a mailing list (EXPN); `on_expand` is called for each.

        Without a connection it makes one and closes it afterwards.

        Raises:
            CommandRefused: there is no such list, or the server does not say.
            SMTPSError: as `connect`.
        """
        return self._run("expand", expand(self._live, email_address))

    def do_events(self) -> None:
        """Call what other threads have posted, and notice whether the server has closed.

        Waits at most 20 ms. From within a handler it only calls what was posted.
        """
        self._run_posted()
        if self.idle:
            self._run("do_events", listen(self._live))
            self._run_posted()

    def reset(self) -> None:
        """Disconnect, and set every property and setting back to its default."""
        self.disconnect()
        self._forget()

    def queue(self, queue_dir: str | Path) -> str:
        """Write the message of the classic properties to a folder, for `process_queue`.

        The file holds the message as `send` would send it, with its envelope, and neither server
        nor password. When this returns it is safe from a crash and from a power cut. The network
        is not touched.

        Args:
            queue_dir: a folder that exists.

        Returns:
            The name of the file, which ends in `.queued`.

        Raises:
            BadValue, AddressError: the message cannot be sent as it is, or there is no such folder.
            QueueFolderError: the folder does not take it; nothing is left in it.
        """
        return self._store(queue_dir, self._transaction(None, None, None))

    def process_queue(self, queue_dir: str | Path) -> None:
        """Send what is queued in a folder and due, the oldest first, over one connection.

        A file is named `.sending` meanwhile; a message that was sent is removed, or named `.sent`
        with `keep_queue`. One that is refused becomes `.failed` with the reason beside it, one
        that is deferred is `.queued` again and tried later (`smtps.Schedule`), and what a run that
        died has left is recovered. Several processes may work on one folder. The properties of
        the message are not changed, and an empty folder opens no connection.

        Raises:
            BadValue: there is no such folder.
            QueueError: it went through, and these messages failed or are in doubt (see the
                settings `queue_stop_on_error` and `queue_in_doubt`).
            QueueFolderError: the folder cannot be worked on.
            SMTPSError: no connection could be made, or `interrupt` ended the run.
        """
        with self._queue_work(queue_dir) as work:
            self.work_through(work)

    def work_through(self, work: Work) -> None:
        """Send what a run through a queue hands out; see `process_queue` and `Outbox.run`."""
        opened_here = False
        try:
            step = next(work, None)
            while step is not None:
                if isinstance(step, Error):
                    self._observe(step)
                    step = next(work, None)
                    continue
                if not self.connected:
                    self.connect()
                    opened_here = True
                step = resume(work, self._submit(step))
        finally:
            work.close()
            if opened_here:
                self.disconnect()

    def _submit(self, transaction: Transaction) -> Answer:
        try:
            return self._run("process_queue", submit(self._live, transaction))
        except CANNOT_CARRY as error:
            return error

    def _run(self, method: str, dialogue: Dialogue[T]) -> T:
        with self._method(method):
            return self._driver.run(dialogue)

    def _each(self, method: str, dialogue: Dialogue[None]) -> Iterator[Receipt]:
        with self._method(method):
            for receipts in self._driver.stream(dialogue):
                yield from receipts

    @contextmanager
    def _method(self, name: str) -> Iterator[None]:
        """Be busy with a method; if it breaks in the middle of something, the connection goes."""
        session = self._enter(name)
        try:
            yield
        except SMTPSError as error:
            if not session.resting:
                self._driver.begin()
                self._driver.run(close_session(session, error))
            raise
        except BaseException:
            if not session.resting:
                self._driver.abort()
                session.reset()
            raise
        finally:
            self._running = None


def send(item: Item, url: str) -> Receipt:
    """Send one message to the relay that a URL names: connect, send, disconnect.

    Raises:
        SMTPSError: see `SMTPS.from_url` and `SMTPS.send`.
    """
    if item is None:
        # There are no properties here that the classic message could be made of.
        raise BadValue("item", "None is no message")
    with SMTPS.from_url(url) as smtp:
        return smtp.send(item)
