"""Where the messages go: servers on the loopback, or behind a line with delay."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from . import affinity
from .link import Link
from .scenario import Scenario
from .sink import Sink

__all__ = ["Place", "Places", "Taken"]

# How long Postfix may take to get rid of its queue, in seconds.
_DRAINED = 60.0


@dataclass(frozen=True)
class Taken:
    """What a server took so far; `bytes` is None where it does not tell."""

    messages: int
    bytes: int | None


class Place(ABC):
    """A server that counts what it takes.

    Attributes:
        client: the command in front of a client's, to start it at its end of the line.
    """

    host: str
    ca_file: str
    client: Sequence[str] = ()

    @abstractmethod
    def port(self, tls: bool, chunking: bool) -> int:
        """Give where to connect; TLS starts at once."""

    @abstractmethod
    def taken(self, chunking: bool) -> Taken:
        """Tell what was taken so far."""


class SinkPlace(Place):
    """Two discarding sinks, one that offers CHUNKING and one that does not."""

    def __init__(self, stack: ExitStack, link: Link | None) -> None:
        self.host = link.host if link else "127.0.0.1"
        self.client = link.client if link else ()
        within = link.server if link else ()
        self._sinks = {
            chunking: stack.enter_context(
                Sink(chunking=chunking, ids=True, host=self.host, within=within)
            )
            for chunking in (True, False)
        }
        self.ca_file = self._sinks[True].ca_file

    def port(self, tls: bool, chunking: bool) -> int:
        """Give where to connect; TLS starts at once."""
        sink = self._sinks[chunking]
        return sink.tls_port if tls else sink.port

    def taken(self, chunking: bool) -> Taken:
        """Ask the sink."""
        tally = self._sinks[chunking].tally()
        return Taken(tally.messages, tally.bytes)


class PostfixPlace(Place):
    """A private Postfix, which offers CHUNKING; its log says what it took."""

    def __init__(self, stack: ExitStack, link: Link | None) -> None:
        # It is shared with the tests, and not needed for the other tables.
        from tests.support.postfix import Postfix

        if link:
            postfix = Postfix(host=link.host, within=link.server)
            self.client = link.client
        else:
            postfix = Postfix()
        stack.callback(postfix.stop)
        self.host = postfix.host
        self.ca_file = postfix.ca_file
        self._ports = {True: postfix.implicit_port, False: postfix.port}
        self._log: Path = postfix.log_file

    def port(self, tls: bool, chunking: bool) -> int:  # noqa: ARG002
        """Give where to connect; it offers CHUNKING always."""
        return self._ports[tls]

    def taken(self, chunking: bool) -> Taken:  # noqa: ARG002
        """Count what it queued, once it is rid of all that, so that nothing weighs on the next.

        Raises:
            TimeoutError: the queue does not become empty.
        """
        deadline = time.monotonic() + _DRAINED
        while time.monotonic() < deadline:
            log = self._log.read_bytes()
            queued = log.count(b": message-id=")
            # The log is written by a process of its own, which may be late with all of it.
            if queued == log.count(b": removed\n") == log.count(b": client="):
                return Taken(queued, None)
            time.sleep(0.1)
        raise TimeoutError(f"Postfix still has mail after {_DRAINED:g} seconds")


class Places:
    """Make the servers of a scenario when they are needed, and keep them for the next one."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._places: dict[tuple[str, bool], Place] = {}
        self._link: Link | None = None

    def find(self, scenario: Scenario) -> Place:
        """Give the server, and set the delay of the line to it.

        Raises:
            NoLink, NotBuilt: this machine cannot.
        """
        link = self._line() if scenario.round_trip else None
        if link:
            link.set_round_trip(scenario.round_trip)
        key = (scenario.server, link is not None)
        if key not in self._places:
            if scenario.server == "postfix":
                # Its many processes are what bounds it: they go wherever there is room.
                self._places[key] = PostfixPlace(self._stack, link)
            else:
                with affinity.on(affinity.server_cpus()):
                    self._places[key] = SinkPlace(self._stack, link)
        return self._places[key]

    def _line(self) -> Link:
        if self._link is None:
            with affinity.on(affinity.server_cpus()):
                self._link = self._stack.enter_context(Link())
        return self._link

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
