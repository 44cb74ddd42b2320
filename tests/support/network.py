"""Names without DNS, and addresses where nothing answers, all on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import pytest

__all__ = ["FakeDNS", "Listener", "SilentHost", "refusing_port", "socket_of"]


class FakeDNS:
    """Answer look-ups of the names it is given, and hand all others to the system.

    `asked` has the names that were looked up; `hang` makes every look-up of a known name wait.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._real: Callable[..., Any] = socket.getaddrinfo
        self._names: dict[str, tuple[str, ...]] = {}
        self._answers = threading.Event()
        self._answers.set()
        self.asked: list[str] = []
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def add(self, name: str, *addresses: str) -> None:
        self._names[name] = addresses

    def hang(self) -> None:
        self._answers.clear()

    def release(self) -> None:
        self._answers.set()

    def _look_up(self, host: str, port: int, family: int = 0, *rest: int) -> list[Any]:
        if host not in self._names:
            return self._real(host, port, family, *rest)  # type: ignore[no-any-return]
        self.asked.append(host)
        self._answers.wait()
        found = []
        for address in self._names[host]:
            try:
                found += self._real(address, port, family, *rest)
            except socket.gaierror:
                pass  # Of the other family.
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found


class Listener:
    """A listening socket; who connects to it is kept in `accepted` when `accept` is called."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, backlog: int = 8) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.create_server((host, port), family=family, backlog=backlog)
        self.socket.settimeout(10)
        self.port: int = self.socket.getsockname()[1]
        self.accepted: list[socket.socket] = []

    def accept(self) -> socket.socket:
        connection, _ = self.socket.accept()
        connection.settimeout(10)
        self.accepted.append(connection)
        return connection

    def close(self) -> None:
        for connection in (*self.accepted, self.socket):
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class SilentHost(Listener):
    """An address that answers no SYN: the queue of its listening socket is full."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port, backlog=0)
        place = self.socket.getsockname()
        for _ in range(4):
            filler = socket.socket(self.socket.family)
            filler.setblocking(False)
            filler.connect_ex(place)
            self.accepted.append(filler)


def refusing_port(host: str = "127.0.0.1") -> int:
    """Give a port where connections are refused."""
    with Listener(host) as listener:
        return listener.port


def socket_of(smtp: Any) -> socket.socket:
    """Give the socket of a component that is connected."""
    driver = smtp._driver
    if hasattr(driver, "_socket"):
        connection: socket.socket = driver._socket
        return connection
    extra: socket.socket = driver._stream.transport.get_extra_info("socket")
    return extra
