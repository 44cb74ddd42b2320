"""The mail backend of Django."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

from ...errors import BadValue, SMTPSError
from ...outbox import Outbox
from ...pool import Pool
from ..failures import as_smtplib
from ..sharing import Pools
from .batch import Batch
from .composing import item_of
from .relay import Relay, own_options

__all__ = ["EmailBackend"]

_pools = Pools()


class EmailBackend(smtp.EmailBackend):
    """Send Django's messages over connections that the whole process shares.

    It takes the options of Django's own SMTP backend, or the `EMAIL_*` settings, and is used in its
    place. More options are those of `Pool` (`connections`, `rate`, ...), every property and setting
    of `SMTPS`, and `outbox`: a folder in which messages are queued instead, for `smtps run`. Where
    there is no `MAILERS` they are in the setting `EMAIL_OPTIONS`.

    Each message has its `Receipt` as `smtps_receipt` afterwards, or, queued, its id as `smtps_id`.

    Raises:
        ImproperlyConfigured, InvalidMailer: an option is unknown, or cannot be used.
    """

    connection: Pool | Outbox | None

    def __init__(self, *args: Any, **options: Any) -> None:
        alias = options.setdefault("alias", None)
        own = own_options(options)
        outbox = options.pop("outbox", None)
        if alias is None:
            more = dict(getattr(settings, "EMAIL_OPTIONS", None) or {})
            outbox = more.pop("outbox", outbox)
            own = own_options(more) | own
            if more:
                names = ", ".join(map(repr, more))
                raise ImproperlyConfigured(f"EMAIL_OPTIONS: unknown options {names}")
        elif outbox is not None:
            # Who sends what is queued knows the relay.
            options.setdefault("host", "localhost")
        super().__init__(*args, **options)
        self.alias = alias
        self._own = tuple(sorted(own.items()))
        self._outbox = outbox
        #: Why the last `open` failed.
        self._failure: SMTPSError | None = None
        self._lease: AbstractContextManager[Pool] | None = None

    def open(self) -> bool | None:
        """Have a connection that works, and tell whether this object had none before.

        Returns:
            None where that failed silently.

        Raises:
            OSError: it failed, as `smtplib` would say it; or an option cannot be used.
        """
        with self._lock:
            if self.connection:
                return False
            try:
                self.connection = self._queue() if self._outbox is not None else self._pool()
            except BadValue as error:
                raise ImproperlyConfigured(self._where() + str(error)) from error
            except SMTPSError as error:
                self._failure = error
                if self.fail_silently:
                    return None
                raise as_smtplib(error) from error
            return True

    def close(self) -> None:
        """Let the connection go; it stays up for the next one who sends."""
        with self._lock:
            lease, self._lease = self._lease, None
            self.connection = None
            if lease is not None:
                lease.__exit__(None, None, None)

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """Send messages, many of them in flight at a time, and tell how many went out.

        One that cannot go does not keep the others. The first error is raised once all have their
        receipts; `fail_silently` keeps it back unless the program's own values were the reason.

        Raises:
            OSError: a message went to nobody, in the exceptions of `smtplib`; the cause is an
                `SMTPSError` with the receipt.
            ValueError: an address or header of a message cannot be sent.
        """
        if not email_messages:
            return 0
        batch = Batch(email_messages)
        self._failure = None
        try:
            opened = self.open()
        finally:
            if self._failure is not None:
                batch.end(self._failure)
        connection = self.connection
        if not connection or opened is None:
            return 0
        try:
            if isinstance(connection, Outbox):
                return self._put(connection, email_messages)
            return self._send(connection, batch)
        finally:
            if opened:
                self.close()

    def _where(self) -> str:
        return f"MAILERS[{self.alias!r}]: OPTIONS: " if self.alias else "EMAIL_*: "

    def _pool(self) -> Pool:
        relay = Relay(
            self.host,
            self.port,
            self.username,
            self.password,
            bool(self.use_tls),
            bool(self.use_ssl),
            self.timeout,
            self.ssl_keyfile,
            self.ssl_certfile,
            self._own,
        )
        lease = _pools.lent(relay, relay.make_pool)
        pool = lease.__enter__()
        try:
            pool.connect()
        except BaseException:
            lease.__exit__(None, None, None)
            raise
        self._lease = lease
        return pool

    def _queue(self) -> Outbox:
        return Outbox(self._outbox)

    def _put(self, outbox: Outbox, messages: Iterable[EmailMessage]) -> int:
        queued = [message for message in messages if message.recipients()]
        try:
            ids = outbox.put_many(item_of(message) for message in queued)
        except SMTPSError as error:
            if self.fail_silently and not isinstance(error, BadValue):
                return 0
            raise as_smtplib(error) from error
        for message, one in zip(queued, ids, strict=True):
            message.smtps_id = one
        return len(ids)

    def _send(self, pool: Pool, batch: Batch) -> int:
        try:
            for receipt in pool.send_many(batch.items()):
                batch.note(receipt)
        except SMTPSError as error:
            batch.end(error)
        failure = batch.failure
        if failure is not None and not (self.fail_silently and isinstance(failure, OSError)):
            raise failure
        return batch.sent
