"""The blocking component."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

from .component import Component, Item, settle
from .dialogue.closing import close_session
from .dialogue.opening import open_session
from .dialogue.submission import submit
from .drivers.blocking import BlockingDriver
from .envelope import Recipient
from .errors import AlreadyConnected
from .ops import Dialogue
from .receipt import Receipt

__all__ = ["SMTPS", "send"]

T = TypeVar("T")


class SMTPS(Component):
    """One connection to a mail relay. Not thread-safe; `idle` tells whether a method is running.

    Leaving a `with` block disconnects.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._driver = BlockingDriver(self._observe)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
            self._run("disconnect", close_session(self._live))

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
            item: an `email.message.Message`, or `(Envelope, content)`, where content is bytes, a
                path, a binary file or an iterable of byte chunks holding a finished message. Its
                newlines are made CRLF.
            sender: the envelope's sender, in place of the item's.
            recipients: the envelope's recipients, in place of the item's.

        Raises:
            BadValue, AddressError, NotOffered, TooLarge: nothing was sent.
            SenderRefused, RecipientsRefused, MessageRefused: the message went to nobody.
            DeliveryUnknown: it was handed over and the final reply was lost.
            SMTPSError: any other reason for which it went to nobody. Where a server was asked,
                the error's `receipt` says what is known of each recipient.
        """
        transaction = self._transaction(item, sender, recipients)
        return settle(self._run("send", submit(self._live, transaction)))

    def _run(self, method: str, dialogue: Dialogue[T]) -> T:
        """Carry out a dialogue; if it breaks in the middle of something, the connection goes."""
        session = self._enter(method)
        try:
            return self._driver.run(dialogue)
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
    with SMTPS.from_url(url) as smtp:
        return smtp.send(item)
