"""The tasks `smtps.send` and `smtps.send_many`."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, NoReturn

from celery import Task, shared_task
from celery.exceptions import Reject, SoftTimeLimitExceeded
from kombu.exceptions import OperationalError

from ...errors import BadValue, SMTPSError
from .accounts import Account
from .arguments import Parcel, parcel_of
from .batch import Batch
from .memory import MemoryUnavailable
from .record import Attempt
from .workers import Engine, engine_of

__all__ = ["BrokerUnavailable", "GoesAgain", "send", "send_many"]

# Seconds until a task goes again that could not ask Redis.
_SHORTLY = 10.0

Told = dict[str, Any]


class BrokerUnavailable(OperationalError):
    """The broker could not be reached, and the task was not handed over.

    Args:
        place: its URL without a password.
    """

    def __init__(self, place: str, cause: Exception) -> None:
        super().__init__(
            f"the broker at {place} cannot be reached ({cause}); the task was not handed over."
            " Check broker_url, and that the broker listens there: celery inspect ping"
        )


class _MailTask(Task):  # type: ignore[misc]
    """A task that names the broker which it cannot be handed to."""

    abstract = True

    def apply_async(self, *arguments: Any, **options: Any) -> Any:
        """Like `Task.apply_async`.

        Raises:
            BrokerUnavailable: nothing was handed over.
        """
        try:
            return super().apply_async(*arguments, **options)
        except OperationalError as error:
            raise BrokerUnavailable(self.app.connection_for_write().as_uri(), error) from error


class GoesAgain(SMTPSError):
    """Some recipients were not reached yet; the task goes again for them alone."""

    retryable = True


def _send(task: Task, message: Mapping[str, Any], so_far: Told | None = None) -> Told:
    """Send one message, and give its receipt.

    Args:
        message: see `smtps.integrations.celery`.
        so_far: what earlier attempts told; for the task itself.
    """
    (told,) = _Run(task, [message], so_far).result(lambda messages: messages[0])
    return told


def _send_many(
    task: Task, messages: Sequence[Mapping[str, Any] | None], so_far: Told | None = None
) -> list[Told]:
    """Send messages, many of them in flight at a time, and give a receipt for each.

    Args:
        messages: see `smtps.integrations.celery`.
        so_far: what earlier attempts told; for the task itself.
    """
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Sequence):
        raise BadValue("messages", "expected a list of messages")
    return _Run(task, messages, so_far).result(list)


class _Run:
    """One run of a task: what is not decided yet is sent, and what is not then goes again.

    Raises:
        BadValue: the configuration cannot be used.
    """

    def __init__(
        self, task: Task, messages: Sequence[Mapping[str, Any] | None], so_far: Told | None
    ) -> None:
        self._task = task
        self._messages = list(messages)
        self._attempts: int = so_far["attempts"] if so_far else 0
        self._engine = engine_of(task.app.conf)
        self._configuration = self._engine.configuration
        resend = self._configuration.in_doubt == "resend"
        told = so_far["receipts"] if so_far else [None] * len(messages)
        self._accounts = [Account(index, one, resend=resend) for index, one in enumerate(told)]
        #: Why it ended before everything was tried.
        self._error: SMTPSError | None = None

    def result(self, packed: Callable[[list[Any]], Any]) -> list[Told]:
        """Send, and give the receipts.

        Args:
            packed: makes the argument of the task out of messages.

        Raises:
            Retry: it goes again.
        """
        parcels = self._parcels()
        if parcels:
            self._carry(parcels)
        pause = self._pause()
        if pause is not None:
            self._go_again(pause, packed)
        return self._told

    # --- before -----------------------------------------------------------------------------------

    def _parcels(self) -> list[tuple[Parcel, Account]]:
        """Give what is to be sent; a message that cannot be understood fails alone."""
        parcels = []
        name = self._task.request.id or token_hex(16)
        for index, (message, account) in enumerate(
            zip(self._messages, self._accounts, strict=True)
        ):
            if message is None and account.is_known:
                continue
            try:
                parcel = parcel_of(
                    message, key=f"task:{name}:{index}", folder=self._configuration.folder
                )
            except BadValue as error:
                account.fail(error)
                continue
            transaction = parcel.transaction
            account.open(transaction.envelope, transaction.message_id)
            if account.waiting:
                parcels.append((parcel, account))
        return parcels

    def _carry(self, parcels: list[tuple[Parcel, Account]]) -> None:
        with self._engine.pool() as pool, _attempt(self._engine) as attempt:
            if attempt is None and self._may_be_second:
                # Nobody remembers how far the first got.
                for _, account in parcels:
                    account.doubt(account.waiting)
                return
            batch = Batch(parcels, pool, attempt)
            try:
                batch.run()
                self._error = batch.error
            except SoftTimeLimitExceeded:
                self._error = SMTPSError(301, "the task's soft time limit ended this attempt")

    @property
    def _may_be_second(self) -> bool:
        where = self._task.request.delivery_info or {}
        return bool(where.get("redelivered")) and self._configuration.in_doubt == "hold"

    # --- after ------------------------------------------------------------------------------------

    def _pause(self) -> float | None:
        """Give the seconds until it goes again, or None if this was the last time."""
        waiting = [account for account in self._accounts if account.waiting]
        request = self._task.request
        if not waiting or request.called_directly or request.is_eager:
            return None
        if isinstance(self._error, MemoryUnavailable):
            # No message was the reason, and none shall be given up for it.
            return min(_SHORTLY, self._configuration.retry_first)
        if all(account.is_busy for account in waiting):
            return self._configuration.lease
        if self._attempts >= self._configuration.max_retries:
            return None
        first, most = self._configuration.retry_first, self._configuration.retry_most
        pause = min(first * 2.0 ** min(self._attempts, 30), most)
        self._attempts += 1
        # Not all at the same moment.
        return pause * random.uniform(0.8, 1.0)

    def _go_again(self, pause: float, packed: Callable[[list[Any]], Any]) -> NoReturn:
        """Hand the rest to the broker, with what is known.

        Raises:
            Retry: the broker has it.
            Reject: the broker could not be reached; it will deliver this task again.
        """
        waiting = [account for account in self._accounts if account.waiting]
        rest = [
            message if account.waiting else None
            for message, account in zip(self._messages, self._accounts, strict=True)
        ]
        words = next((one.error["message"] for one in waiting if one.error), "")
        reason = GoesAgain(
            161, f"{len(waiting)} of {len(rest)} messages go again in {pause:.0f} s: {words}"
        )
        so_far = {"attempts": self._attempts, "receipts": self._told}
        try:
            self._task.retry(
                args=(packed(rest),), kwargs={"so_far": so_far}, countdown=pause, exc=reason
            )
        except Reject as rejected:
            raise Reject(rejected.reason, requeue=True) from None
        raise reason

    @property
    def _told(self) -> list[Told]:
        return [account.told for account in self._accounts]


@contextmanager
def _attempt(engine: Engine) -> Iterator[Attempt | None]:
    if engine.record is None:
        yield None
        return
    with engine.record.attempt() as attempt:
        yield attempt


# A task whose worker is lost is delivered again; the record keeps it from being sent again.
_OPTIONS: dict[str, Any] = {
    "base": _MailTask,
    "bind": True,
    "acks_late": True,
    "reject_on_worker_lost": True,
    "max_retries": None,
    # Logs show how a result begins; there may be many addresses in one.
    "resultrepr_maxsize": 200,
}
send = shared_task(name="smtps.send", **_OPTIONS)(_send)
send_many = shared_task(name="smtps.send_many", **_OPTIONS)(_send_many)
