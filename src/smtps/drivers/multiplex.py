"""Carry out many dialogues on one thread, each on a connection of its own."""

from __future__ import annotations

import selectors
import socket
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from time import monotonic
from typing import Any

from ..errors import SMTPSError, TimedOut
from ..ops import (
    Await,
    Call,
    Connect,
    Dialogue,
    Emit,
    Give,
    Op,
    Poll,
    PrepareTLS,
    Read,
    Respond,
    Sleep,
    StartTLS,
    Verify,
    Write,
)
from ..receipt import Receipt
from .blocking import BlockingDriver

__all__ = ["Lane", "Multiplexer"]

# What waits in calls of the system that cannot be watched; a thread of its own does that.
_ELSEWHERE = (Connect, StartTLS, PrepareTLS, Verify, Await)
# What leaves the connection as it is, and does not wait for anything else.
_AT_ONCE = (Respond, Read, Write, Poll, Call, Emit)

_NEVER = float("inf")
# How many operations are carried out before those are looked after that wait.
_TURNS = 16


class Lane:
    """One dialogue, and where it stands.

    Args:
        failed: whether the dialogue ended with an error; `error` then holds it.
    """

    def __init__(self, driver: BlockingDriver, dialogue: Dialogue[None]) -> None:
        self.driver = driver
        self.dialogue = dialogue
        #: What ended the dialogue, if it did not end by itself.
        self.error: SMTPSError | None = None
        self.has_ended = False
        #: What it waits for, until when, and after how many seconds that is a timeout; None where
        #: it goes on then.
        self.op: Op | None = None
        self.until = _NEVER
        self.seconds: float | None = None
        #: What goes on, perhaps, once its answer is written.
        self.turn: Respond | None = None


class Multiplexer:
    """Drive lanes until each is at its end.

    The thread that iterates does all the work: it carries out what can be done at once, and waits
    for all connections together. To connect and to shake hands takes helper threads.
    """

    def __init__(self, lanes: list[Lane]) -> None:
        self._lanes = lanes
        self._ready: deque[tuple[Lane, Any, SMTPSError | None]] = deque()
        self._waiting: set[Lane] = set()
        self._registered: dict[Lane, tuple[socket.socket, int]] = {}
        self._finished: deque[tuple[Lane, Future[Any]]] = deque()
        #: Those with an answer that is to be written.
        self._answering: list[Lane] = []
        #: Receipts that came while dialogues went on without being asked.
        self._given: list[Receipt] = []
        #: No deadline is over before this.
        self._nearest = _NEVER

    def stream(self) -> Iterator[list[Receipt]]:
        """Give the receipts of all lanes as they come. An error ends only the lane that has it."""
        self._ready.extend((lane, None, None) for lane in self._lanes)
        with (
            selectors.DefaultSelector() as self._selector,
            ThreadPoolExecutor(len(self._lanes), "smtps-connect") as self._helpers,
            closing(self),
        ):
            self._ear, self._mouth = socket.socketpair()
            with self._ear, self._mouth:
                self._ear.setblocking(False)
                self._selector.register(self._ear, selectors.EVENT_READ)
                while self._ready or self._waiting:
                    # Those who wait are looked after even if others never have to.
                    for _ in range(_TURNS):
                        if not self._ready:
                            break
                        receipts = self._step(*self._ready.popleft())
                        if receipts is not None:
                            yield receipts
                    if self._waiting:
                        self._wait()
                    self._write_answers()
                    if self._given:
                        given, self._given = self._given, []
                        yield given

    def close(self) -> None:
        """Let helper threads end now: whoever leaves early waits for no connection."""
        for lane in self._waiting:
            if isinstance(lane.op, _ELSEWHERE):
                lane.driver.interrupt()

    # --- one step of one lane ---------------------------------------------------------------------

    def _step(self, lane: Lane, result: Any, error: SMTPSError | None) -> list[Receipt] | None:
        """Let a lane go on with what it waited for, up to its next operation, or what it gives."""
        try:
            op = lane.dialogue.send(result) if error is None else lane.dialogue.throw(error)
        except StopIteration:
            self._unregister(lane)
            lane.has_ended = True
            return None
        except SMTPSError as failure:
            self._unregister(lane)
            lane.error, lane.has_ended = failure, True
            return None
        if type(op) is Give:
            self._ready.append((lane, None, None))
            return op.receipts
        try:
            self._begin(lane, op)
        except SMTPSError as failure:
            self._fail(lane, failure)
        return None

    def _begin(self, lane: Lane, op: Op) -> None:
        if not isinstance(op, _AT_ONCE):
            # The socket may be closed or replaced, and until then nobody reads from it.
            self._unregister(lane)
        if isinstance(op, Respond):
            # The answer to what was just written is seldom here yet.
            if lane.driver.holds_data:
                self._go_on(lane, op)
            else:
                self._await_data(lane, op)
        elif isinstance(op, Write):
            lane.driver.begin_write(op)
            self._go_on(lane, op)
        elif isinstance(op, Read):
            self._go_on(lane, op)
        elif isinstance(op, Sleep):
            if op.seconds > 0:
                self._await(lane, op, op.seconds, is_timeout=False)
            else:
                self._ready.append((lane, None, None))
        elif isinstance(op, _ELSEWHERE):
            try:
                future = self._helpers.submit(lane.driver.perform, op)
            except RuntimeError:
                # The main thread has ended. The executors have too, but not who works here.
                self._ready.appendleft((lane, lane.driver.perform(op), None))
                return
            self._await(lane, op, None)
            future.add_done_callback(lambda done: self._wake(lane, done))
        else:
            self._ready.appendleft((lane, lane.driver.perform(op), None))

    def _go_on(self, lane: Lane, op: Read | Respond | Write) -> None:
        """Read or write as far as that goes now."""
        driver = lane.driver
        result: Any
        if not isinstance(op, Write):
            result = driver.poll()
            if result is None:
                self._await_data(lane, op)
                return
            answer = op.answer(result) if result and isinstance(op, Respond) else None
            if answer is None:
                self._continue(lane, result)
                return
            assert isinstance(op, Respond)
            lane.turn, lane.op = op, answer
            driver.begin_write(answer)
            self._answering.append(lane)
            return
        if driver.go_on_writing(op):
            if lane.turn is None:
                self._continue(lane, driver.has_data)
            else:
                self._end_turn(lane, lane.turn)
        else:
            hears = selectors.EVENT_READ if driver.hears else 0
            self._await(lane, op, op.deadline.seconds())
            self._register(lane, selectors.EVENT_WRITE | hears)

    def _write_answers(self) -> None:
        """Write what was answered to several servers, one right after the other.

        A server that is near is woken by the first of them, and still awake when the next one is
        written; what only we want to know is looked after when all are at work.
        """
        answering, self._answering = self._answering, []
        ended = []
        for lane in answering:
            op = lane.op
            assert isinstance(op, Write)
            try:
                if lane.driver.go_on_writing(op):
                    ended.append(lane)
                else:
                    self._go_on(lane, op)
            except SMTPSError as failure:
                self._fail(lane, failure)
        for lane in ended:
            assert lane.turn is not None
            self._end_turn(lane, lane.turn)

    def _fail(self, lane: Lane, failure: SMTPSError) -> None:
        """Let a lane go on with an error."""
        self._stop_waiting(lane)
        self._ready.append((lane, None, failure))

    def _end_turn(self, lane: Lane, op: Respond) -> None:
        """Begin with the next one, now that what was answered is written."""
        lane.turn = None
        op.written()
        self._given += op.take()
        if op.goes_on and not lane.driver.holds_data:
            self._await_data(lane, op)
        else:
            self._continue(lane, None)

    def _await_data(self, lane: Lane, op: Read | Respond) -> None:
        lane.driver.acknowledge()
        if isinstance(op, Read) and op.patience is not None:
            self._await(lane, op, op.patience, is_timeout=False)
        else:
            self._await(lane, op, op.deadline.seconds())
        self._register(lane, selectors.EVENT_READ)

    def _continue(self, lane: Lane, result: Any) -> None:
        """Let a lane go on; its turn lasts until it has to wait, or has something to give."""
        self._stop_waiting(lane)
        self._ready.appendleft((lane, result, None))

    # --- waiting ----------------------------------------------------------------------------------

    def _await(self, lane: Lane, op: Op, seconds: float | None, *, is_timeout: bool = True) -> None:
        lane.op = op
        lane.until = _NEVER if seconds is None else monotonic() + seconds
        lane.seconds = seconds or 0.0 if is_timeout else None
        self._nearest = min(self._nearest, lane.until)
        self._waiting.add(lane)

    def _register(self, lane: Lane, events: int) -> None:
        connection = lane.driver.connection
        before = self._registered.get(lane)
        if before == (connection, events):
            return
        if before is not None and before[0] is connection:
            self._selector.modify(connection, events, lane)
        else:
            self._unregister(lane)
            self._selector.register(connection, events, lane)
        self._registered[lane] = (connection, events)

    def _unregister(self, lane: Lane) -> None:
        before = self._registered.pop(lane, None)
        if before is not None:
            self._selector.unregister(before[0])

    def _stop_waiting(self, lane: Lane) -> None:
        """Note that a lane waits no longer; its socket stays registered, as it soon waits again."""
        self._waiting.discard(lane)
        lane.op = lane.turn = None

    def _wake(self, lane: Lane, done: Future[Any]) -> None:
        """Called by a helper thread when its work is done."""
        self._finished.append((lane, done))
        try:
            self._mouth.send(b"\0")
        except OSError:
            pass  # Nobody waits any longer.

    def _wait(self) -> None:
        """Wait until something can go on, or a deadline is over."""
        timeout = None if self._nearest == _NEVER else max(0.0, self._nearest - monotonic())
        if self._ready:
            timeout = 0.0
        for key, events in self._selector.select(timeout):
            if key.data is None:
                self._ear.recv(4096)
            elif key.data in self._waiting:
                self._resume(key.data, events)
        while self._finished:
            self._finish(*self._finished.popleft())
        if self._nearest != _NEVER and monotonic() >= self._nearest:
            self._expire(monotonic())

    def _expire(self, now: float) -> None:
        """Let those go on who have waited for as long as they may."""
        for lane in [one for one in self._waiting if one.until <= now]:
            self._stop_waiting(lane)
            error = None if lane.seconds is None else TimedOut(lane.seconds)
            self._ready.append((lane, None, error))
        self._nearest = min((lane.until for lane in self._waiting), default=_NEVER)

    def _resume(self, lane: Lane, events: int) -> None:
        op = lane.op
        assert isinstance(op, (Read, Respond, Write))
        try:
            if isinstance(op, Write) and events & selectors.EVENT_READ:
                lane.driver.listen()
            self._go_on(lane, op)
        except SMTPSError as failure:
            self._fail(lane, failure)

    def _finish(self, lane: Lane, done: Future[Any]) -> None:
        self._stop_waiting(lane)
        error = done.exception()
        if error is not None and not isinstance(error, SMTPSError):
            raise error
        self._ready.append((lane, None if error else done.result(), error))
