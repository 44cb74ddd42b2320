"""What real servers that relay have in common: the recording sink behind them, and a folder."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from smtps.testing import Fault, Sink, SinkMessage

from .servers import Arrived, RealServer

__all__ = ["RelayingServer", "memory_folder"]


class RelayingServer(RealServer):
    """A server that passes mail to `KEPT` on by SMTP, as no mailbox format keeps line ends.

    It puts at most one `Received` field on top and leaves every other byte as it is.
    """

    def __init__(self, *, extensions: Iterable[str], faults: Iterable[Fault] = ()) -> None:
        self._sink = Sink(extensions=extensions, faults=faults)

    @property
    def log(self) -> str:
        """What the server had to say."""
        return ""

    def stop(self) -> None:
        """Stop the sink behind the server."""
        self._sink.close()

    def arrivals(
        self, wanted: Callable[[Arrived], bool], count: int, timeout: float
    ) -> list[Arrived]:
        """Wait until the sink has so many of the wanted messages, and give all of them."""
        found: list[Arrived] = []

        def enough() -> bool:
            found[:] = filter(wanted, map(_arrived, self._sink.messages))
            return len(found) >= count

        try:
            self._sink.wait_until(enough, timeout)
        except TimeoutError as error:
            error.add_note(self.log[-4000:])
            raise
        return found


def _arrived(message: SinkMessage) -> Arrived:
    """Part the one field that servers put on top, with its folded lines, from the rest."""
    trace = re.match(rb"(?:Received: .*\r\n(?:[ \t].*\r\n)*)?", message.content)
    assert trace is not None
    return Arrived(
        message.sender,
        message.recipients,
        message.content[trace.end() :],
        trace[0],
        message.parameters,
        message.recipient_parameters,
    )


def memory_folder(name: str, *, programs: bool = False) -> Path:
    """Make a folder that the daemons of a server can enter, in memory where that is possible.

    A server waits for the disk with every message; in memory it takes twice as many.

    Args:
        programs: whether programs are to be run and devices to be used in it.
    """
    memory = Path("/dev/shm")
    forbidden = os.ST_NOEXEC | os.ST_NODEV if programs else 0
    usable = memory.is_dir() and not os.statvfs(memory).f_flag & forbidden
    folder = Path(tempfile.mkdtemp(prefix=f"smtps-{name}-", dir=memory if usable else None))
    # Not every daemon is root.
    folder.chmod(0o755)
    return folder
