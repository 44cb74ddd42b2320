"""`SMTPSHandler`: the handler of the standard library's logging."""

from __future__ import annotations

import logging
import sys
import threading
import weakref
from collections.abc import Sequence
from time import monotonic

from ...amounts import check_count, check_seconds
from ...errors import DeliveryUnknown, SMTPSError
from ...forks import after_fork
from ...throttle import Throttle, parse_rate
from .target import MailHost, Secure, Target
from .tray import Batch, Entry, Tray

__all__ = ["SMTPSHandler"]

# After a failure the next attempt comes so many seconds later, then after twice as many.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 300.0

_handlers: weakref.WeakSet[SMTPSHandler] = weakref.WeakSet()


class SMTPSHandler(logging.Handler):
    """Mail log records, in place of `logging.handlers.SMTPHandler`, whose arguments it takes.

    A record is kept in memory and mailed by a thread: several in one message, so many messages in a
    time. What has no room is counted, and the next message tells how many of which level. Logging
    never waits for the network and never fails because of it; what waits at the end of the program
    is sent then, for at most `timeout` seconds. After a fork the child begins with nothing.

    Records of the loggers under `smtps`, and those that sending itself causes, are left out.

    Args:
        mailhost: a host, a host and its port, or a relay URL, which also says who logs in.
        subject: override `getSubject` to make it from the record.
        credentials: user and password; they need `secure` or a URL.
        secure: have STARTTLS: (), or a key file, or a key file and a certificate file.
        timeout: seconds for one message, in all.
        batch: the most records of one message.
        seconds: how long a record waits for others that go with it.
        rate: the most messages in a time: "10/min", "100/h".
        capacity: the most records that wait.

    Raises:
        BadValue, AddressError: one of them cannot be used.
    """

    def __init__(
        self,
        mailhost: MailHost,
        fromaddr: str,
        toaddrs: str | Sequence[str],
        subject: str,
        credentials: tuple[str, str] | None = None,
        secure: Secure | None = None,
        timeout: float = 5.0,
        *,
        batch: int = 100,
        seconds: float = 5.0,
        rate: str = "10/min",
        capacity: int = 1000,
    ) -> None:
        check_count("batch", batch)
        check_count("capacity", capacity)
        check_seconds("timeout", timeout)
        check_seconds("seconds", seconds)
        super().__init__()
        self.subject = subject
        self._target = Target(mailhost, fromaddr, toaddrs, credentials, secure, timeout)
        self._timeout = timeout
        self._seconds = seconds
        self._rate = parse_rate(rate)
        self._sizes = (capacity, batch)
        self._closed = False
        self._start()
        _handlers.add(self)

    def _start(self) -> None:
        self._tray = Tray(*self._sizes)
        self._throttle = Throttle(self._rate, 1)
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._busy = threading.local()
        self._worker: threading.Thread | None = None
        self._first = 0.0
        self._resume = 0.0
        self._pause = _FIRST_PAUSE
        self._complaint = ""

    # --- what logging calls -----------------------------------------------------------------------

    def getSubject(self, record: logging.LogRecord) -> str:  # noqa: ARG002, N802 - logging's name
        """Give the subject for a record; that of the gravest is the subject of a message."""
        return self.subject

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record for the next message. It does not wait, and it does not raise."""
        if record.name.partition(".")[0] == "smtps" or getattr(self._busy, "sending", False):
            return
        try:
            text, subject = self.format(record), self.getSubject(record)
            entry = Entry(text, subject, record.levelno, record.levelname)
            with self._changed:
                if not len(self._tray):
                    self._first = monotonic()
                self._tray.put(entry)
                self._have_worker()
                self._changed.notify_all()
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Send what waits now, for at most `timeout` seconds. It does not raise."""
        if getattr(self._busy, "sending", False) or not self._sending.acquire(
            timeout=self._timeout
        ):
            return
        try:
            self._send_next(everything=True)
        finally:
            self._sending.release()

    def close(self) -> None:
        """Send what waits, and end the thread."""
        if not self._closed:
            self._closed = True
            self.flush()
            with self._changed:
                self._changed.notify_all()
        super().close()

    # --- the thread -------------------------------------------------------------------------------

    def _have_worker(self) -> None:
        if self._worker is None and not self._closed:
            worker = threading.Thread(target=self._work, name="smtps-logs", daemon=True)
            try:
                worker.start()
            except RuntimeError:
                return  # The interpreter is ending; what waits goes by `flush`.
            self._worker = worker

    def _work(self) -> None:
        while self._await_next():
            # What is taken is sent before `flush` can find the tray empty.
            with self._sending:
                self._send_next()

    def _await_next(self) -> bool:
        """Wait until a message is due; false when the handler is closed."""
        with self._changed:
            while not self._closed:
                wait = self._wait()
                if wait is None and self._throttle.take(1, monotonic()):
                    return True
                self._changed.wait(self._throttle.pause() if wait is None else wait)
            return False

    def _wait(self) -> float | None:
        """Give the seconds until a message could go, but for the rate; None if it could now."""
        now = monotonic()
        if self._tray.is_empty:
            return threading.TIMEOUT_MAX
        due = now if self._tray.is_full else self._first + self._seconds
        wait = max(due, self._resume) - now
        return wait if wait > 0 else None

    def _send_next(self, *, everything: bool = False) -> None:
        with self._changed:
            if self._tray.is_empty:
                return
            batch = self._tray.take(everything=everything)
            self._first = monotonic()
        self._send(batch)

    def _send(self, batch: Batch) -> None:
        """Send a message, or take its records back if it may go later. Never raises."""
        self._busy.sending = True
        try:
            self._target.send(batch.subject, batch.text)
        except DeliveryUnknown as error:
            # It may have arrived; to send it again would tell everything twice.
            self._complain(error)
        except SMTPSError as error:
            self._complain(error)
            if error.retryable:
                self._put_back(batch)
        except Exception as error:
            self._complain(error)
        else:
            self._pause, self._complaint = _FIRST_PAUSE, ""
        finally:
            self._busy.sending = False

    def _put_back(self, batch: Batch) -> None:
        with self._changed:
            self._tray.put_back(batch)
            self._resume = monotonic() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _complain(self, error: Exception) -> None:
        """Tell on standard error, once for each reason, as logging does."""
        complaint = f"{type(error).__name__}: {error}"
        if logging.raiseExceptions and sys.stderr is not None and complaint != self._complaint:
            sys.stderr.write(f"SMTPSHandler: log records were not mailed: {complaint}\n")
        self._complaint = complaint


def _start_anew() -> None:
    # What waits is the parent's to send, and its thread is not here.
    for handler in list(_handlers):
        handler._start()


after_fork(_start_anew)
