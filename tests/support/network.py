"""Names without DNS, and addresses where nothing answers, all on loopback."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

import pytest

from smtps import FirewallType

from .servers import free_port

__all__ = ["FakeDNS", "Listener", "ScriptedProxy", "SilentHost", "refusing_port", "socket_of"]


class FakeDNS:
    """Answer look-ups of the names it is given, and hand all others to the system.

    `asked` has all that were looked up; `hang` makes every look-up of a known name wait.
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

    def finish(self) -> None:
        """Let all that wait have their answers, so that none is there for the next test."""
        self.release()
        for thread in threading.enumerate():
            if thread.name == "smtps-lookup":
                thread.join(10)

    def _look_up(self, host: str, port: int, family: int = 0, *rest: int) -> list[Any]:
        self.asked.append(host)
        if host not in self._names:
            return self._real(host, port, family, *rest)  # type: ignore[no-any-return]
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

    def __exit__(self, *_: object) -> None:
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


class ScriptedProxy(Listener):
    """A proxy that reads so many bytes and gives one answer for each step, to one client.

    `heard` is what the client said until the last answer, and `then` what it said behind it.

    Args:
        steps: what to wait for (bytes that end a request, or how many), and what to answer; the
            answer goes out byte by byte, `drip` seconds apart, if that is given.
        relay: the port on loopback that the client is connected with afterwards.
    """

    def __init__(
        self,
        *steps: tuple[bytes | int, bytes],
        relay: int | None = None,
        drip: float = 0.0,
        close: bool = False,
    ) -> None:
        super().__init__()
        self.heard = b""
        self.then = b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(steps, relay, drip, close))
        self._thread.start()

    def options(self, kind: FirewallType, **more: Any) -> dict[str, Any]:
        place = {"firewall_host": "127.0.0.1", "firewall_port": self.port}
        return {"firewall_type": kind, **place, **more}

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        super().close()

    def _serve(
        self,
        steps: tuple[tuple[bytes | int, bytes], ...],
        relay: int | None,
        drip: float,
        close: bool,
    ) -> None:
        # A client that leaves early ends the script.
        with contextlib.suppress(OSError):
            client = self.accept()
            for awaited, answer in steps:
                self.heard += self._read(client, awaited)
                for piece in [answer] if not drip else [bytes([one]) for one in answer]:
                    client.sendall(piece)
                    if self._stop.wait(drip):
                        return
            if close:
                client.close()
            elif relay is not None:
                self._join(client, relay)
            else:
                self.then = client.recv(65536)
                client.close()

    @staticmethod
    def _read(client: socket.socket, awaited: bytes | int) -> bytes:
        data = b""
        while len(data) < awaited if isinstance(awaited, int) else awaited not in data:
            more = client.recv(65536)
            if not more:
                raise ConnectionError
            data += more
        return data

    def _join(self, client: socket.socket, relay: int) -> None:
        with socket.create_connection(("127.0.0.1", relay)) as server:
            while not self._stop.is_set():
                ready, _, _ = select.select([client, server], [], [], 0.05)
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    if one is client:
                        self.then += data
                    (server if one is client else client).sendall(data)


def refusing_port() -> int:
    """Give a port where connections are refused, and which the system hands out to nobody."""
    return free_port()


def socket_of(smtp: Any) -> socket.socket:
    """Give the socket of a component that is connected."""
    driver = smtp._driver
    if hasattr(driver, "_socket"):
        connection: socket.socket = driver._socket
        return connection
    extra: socket.socket = driver._stream.transport.get_extra_info("socket")
    return extra
