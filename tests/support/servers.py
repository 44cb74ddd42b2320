"""What the tests ask of a real mail server, whichever it is."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urlencode

import pytest

__all__ = [
    "Arrived",
    "DEFERRED",
    "KEPT",
    "REFUSED",
    "RealServer",
    "Shelf",
    "await_greeting",
    "cached",
    "fresh_address",
    "free_port",
    "miss",
    "require",
    "started",
    "unpacked",
]

#: The domain whose mail is kept for `RealServer.received`.
KEPT = "kept.example"
#: Every server refuses the first and defers the second of these at RCPT.
REFUSED, DEFERRED = f"refused@{KEPT}", f"deferred@{KEPT}"

_number = count(1)
# What holds the ports that this process was given.
_claims: list[socket.socket] = []

Server = TypeVar("Server")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as a real server took it."""

    sender: str
    #: In any order.
    recipients: tuple[str, ...]
    #: The content without what the server put on top.
    content: bytes
    #: What the server put on top.
    trace: bytes = b""
    #: The parameters of MAIL and of each RCPT, as the server heard them or handed them on.
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    recipient_parameters: tuple[Mapping[str, str | None], ...] = ()


class Shelf:
    """Messages that one thread puts down and another waits for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: list[Arrived] = []

    def put(self, message: Arrived) -> None:
        """Put one down."""
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()

    def arrivals(
        self, wanted: Callable[[Arrived], bool], count: int, timeout: float
    ) -> list[Arrived]:
        """Wait until there are so many of the wanted messages, and give all of them."""
        found: list[Arrived] = []

        def enough() -> bool:
            found[:] = filter(wanted, self._messages)
            return len(found) >= count

        with self._changed:
            if not self._changed.wait_for(enough, timeout):
                raise TimeoutError(f"{len(found)} of {count} messages came in {timeout:g} s")
        return found


class RealServer(ABC):
    """A mail server on a loopback port, with a certificate for localhost."""

    name: str
    host: str
    port: int
    #: Whether it offers STARTTLS.
    offers_tls: bool = True
    #: Where it expects TLS from the first byte, if it does.
    implicit_port: int | None
    #: The authority that a client has to trust.
    ca_file: str
    #: Credentials that it takes over TLS, if it knows any.
    user: str | None
    password: str | None
    #: An address whose mail is thrown away, for load; None if the server cannot.
    discarded: str | None

    #: Whether it takes the Bcc field away, which others leave to the client.
    drops_bcc: bool = False

    @property
    def url(self) -> str:
        """The relay URL, with the credentials and with what makes a client trust the server."""
        return self._url("smtp", self.port)

    @property
    def implicit_url(self) -> str:
        """The same for TLS from the first byte."""
        assert self.implicit_port is not None
        return self._url("smtps", self.implicit_port)

    def _url(self, scheme: str, port: int) -> str:
        login = f"{self.user}:{self.password}@" if self.user else ""
        trust = {"openssl_ca_file": self.ca_file} if self.offers_tls else {"tls": "none"}
        query = urlencode(trust)
        return f"{scheme}://{login}{self.host}:{port}?{query}"

    def received(self, recipient: str, timeout: float = 30.0) -> Arrived:
        """Wait for the message to an address at `KEPT`; a `TimeoutError` tells that none came."""
        (message,) = self.arrivals(lambda one: recipient in one.recipients, 1, timeout)
        return message

    def received_from(self, domain: str, count: int, timeout: float = 30.0) -> list[Arrived]:
        """Wait for so many messages to `KEPT` with a sender at this domain; give all that came."""
        return self.arrivals(lambda one: one.sender.endswith(f"@{domain}"), count, timeout)

    @abstractmethod
    def arrivals(
        self, wanted: Callable[[Arrived], bool], count: int, timeout: float
    ) -> list[Arrived]:
        """Wait until there are so many of the wanted messages, and give all of them."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it and remove its files."""


def fresh_address() -> str:
    """Give an address at `KEPT` that no other test uses, so that servers can be shared."""
    # In the order of the alphabet, in which some servers hand recipients on.
    return f"to{next(_number):06}.{os.getpid()}@{KEPT}"


def require(program: str, package: str) -> str:
    """Give the path of a program, or skip the test; fail it where servers are required."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        miss(f"{program} is missing: apt-get install {package}")
    return path


def unpacked(package: str) -> Path:
    """Give the folder where `.ci/servers` laid a server out, or skip or fail as `require` does."""
    folder = cached(package)
    if not folder.is_dir():
        miss(f"{package} is missing: run .ci/servers")
    return folder


def cached(package: str) -> Path:
    """Give the folder where `.ci/servers` lays something out."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "smtps-servers" / package


def miss(message: str) -> NoReturn:
    """Skip the test for what is missing; fail it where servers are required."""
    if os.environ.get("SMTPS_REQUIRE_SERVERS") == "1":
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """Give a loopback port that nothing listens on, for servers that cannot choose one.

    It is this process's until its end: no other test process on the machine is given it, also
    while the server that it is for has not opened it yet.
    """
    while True:
        # Below what the system hands out, so that no other socket takes it in between.
        port = random.randrange(20_000, 30_000)
        # A name that one process at a time can hold, and that goes with the process.
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0smtps-tests-port-{port}")
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


def started(server: Callable[[], Server], attempts: int = 3) -> Server:
    """Start a server; again, with other ports, where nothing greets.

    Raises:
        TimeoutError: none of the attempts did, with what the server had to say.
    """
    for _ in range(attempts - 1):
        with suppress(TimeoutError, subprocess.CalledProcessError):
            return server()
    return server()


def await_greeting(
    host: str,
    port: int,
    timeout: float = 20.0,
    *,
    process: subprocess.Popen[bytes] | None = None,
    log: Callable[[], str] = str,
) -> None:
    """Wait until a server greets.

    Args:
        process: the server, where it is one process that can be watched.
        log: gives what the server had to say.

    Raises:
        TimeoutError: it did not, or it ended.
    """
    deadline = time.monotonic() + timeout
    ended = False
    while time.monotonic() < deadline and not ended:
        # First, so that one that ends after this is still asked once.
        ended = process is not None and process.poll() is not None
        try:
            with socket.create_connection((host, port), timeout=5) as probe:
                if probe.recv(3) == b"220":
                    probe.sendall(b"QUIT\r\n")
                    return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nothing greets on {host}:{port}: {log()[-2000:] or 'it said nothing'}")
