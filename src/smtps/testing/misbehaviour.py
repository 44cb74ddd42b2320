"""Act out a fault on a connection."""

from __future__ import annotations

import threading
from collections.abc import Callable

from .faults import Fault
from .stream import Gone, Stream

__all__ = ["misbehave"]


def misbehave(
    fault: Fault,
    stream: Stream,
    stopping: threading.Event,
    obey: Callable[[], bytes] | None = None,
) -> None:
    """Do what the fault says, in the order that `Fault` states.

    Args:
        obey: carries the command out and gives the right answer, if that is to happen at all.

    Raises:
        Gone: the fault ended the conversation.
    """
    _wait(fault, stream, stopping)
    right = obey() if obey is not None else b""
    pieces = (right,) if fault.reply is None else fault.pieces()
    if fault.drip is not None:
        _drip(b"".join(pieces) + fault.inject, fault.drip, stream, stopping)
    elif isinstance(fault.reply, str | bytes | None) and not fault.silent:
        # Left in the batch, so that it goes out together with the replies around it.
        stream.write(b"".join(pieces) + fault.inject)
    elif not fault.silent:
        stream.pour(pieces)
    _end(fault, stream, stopping)


def _wait(fault: Fault, stream: Stream, stopping: threading.Event) -> None:
    if fault.until is None and not fault.delay:
        return
    stream.flush()
    if fault.until is not None:
        fault.until.wait()
    if fault.delay:
        stopping.wait(fault.delay)


def _drip(data: bytes, seconds: float, stream: Stream, stopping: threading.Event) -> None:
    stream.flush()
    for at in range(len(data)):
        if at:
            stopping.wait(seconds)
        stream.write(data[at : at + 1])
        stream.flush()


def _end(fault: Fault, stream: Stream, stopping: threading.Event) -> None:
    if not fault.ends:
        return
    stream.flush()
    if fault.reset:
        stream.reset()
    elif fault.half_close:
        stream.half_close()
        stream.drain()
    elif fault.stall:
        stopping.wait()
    raise Gone
