"""A private Redis in a temporary folder, which remembers across restarts."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time

from .relays import memory_folder
from .servers import free_port, require

__all__ = ["Redis"]


class Redis:
    """A running Redis on a loopback port.

    Args:
        remembers: whether it writes down what it is told, so that a restart loses nothing.
    """

    host = "127.0.0.1"

    def __init__(self, *, remembers: bool = True) -> None:
        self._program = require("redis-server", "redis-server")
        self._folder = memory_folder("redis")
        self.port = free_port()
        self._remembers = remembers
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> None:
        """Start it, with what it remembers."""
        options = {
            "bind": self.host,
            "port": self.port,
            "dir": self._folder,
            "logfile": self._folder / "log",
            "save": "",
            "appendonly": "yes" if self._remembers else "no",
            "appendfsync": "always",
        }
        command = [
            self._program,
            *(word for key in options for word in (f"--{key}", str(options[key]))),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._await()

    def kill(self) -> None:
        """End it without a warning."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End it without a warning, and start it again."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Stop it and remove its files."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self._folder)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(20)

    def _await(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with socket.create_connection((self.host, self.port), timeout=1) as probe:
                    probe.sendall(b"PING\r\n")
                    if probe.recv(5) == b"+PONG":
                        return
            except OSError:
                pass
            time.sleep(0.01)
        raise TimeoutError((self._folder / "log").read_text()[-4000:])
