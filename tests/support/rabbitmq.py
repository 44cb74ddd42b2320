"""A private RabbitMQ in a temporary folder, with a port mapper of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from .relays import memory_folder
from .servers import free_port, require

__all__ = ["RabbitMQ"]

# The one on the path is a shell around it that changes to a user and to folders of the system.
_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class RabbitMQ:
    """A running RabbitMQ on a loopback port. What is in its queues survives a restart."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        require("rabbitmq-server", "rabbitmq-server")
        self._folder = memory_folder("rabbitmq")
        self.port, mapper, node = free_port(), free_port(), free_port()
        (self._folder / "plugins").write_text("[].\n")
        (self._folder / "rabbitmq.conf").write_text("log.console = false\n")
        self._environment = {
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": self.host,
            "RABBITMQ_NODENAME": f"smtps{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": self.host,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(node),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            # Two cores are enough for a test, and busy waiting is not for it.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }
        self._mapper = subprocess.Popen(
            [require("epmd", "erlang-base"), "-address", self.host, "-port", str(mapper)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=self._environment,
        )
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """Where it is."""
        return f"amqp://guest:guest@{self.host}:{self.port}//"

    def start(self) -> None:
        """Start it, with what its queues hold."""
        self._process = subprocess.Popen(
            [str(_PROGRAM)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            cwd=self._folder,
            start_new_session=True,
        )
        self._await()

    def kill(self) -> None:
        """End it without a warning."""
        process, self._process = self._process, None
        if process is not None:
            # Its shell and its own helpers are in the same session.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)

    def restart(self) -> None:
        """End it without a warning, and start it again."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Stop it and remove its files."""
        self.kill()
        self._mapper.terminate()
        self._mapper.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with socket.create_connection((self.host, self.port), timeout=1) as probe:
                    # What is no greeting of AMQP is answered with the one that is spoken here.
                    probe.sendall(b"AMQP\0\0\0\0")
                    if probe.recv(4) == b"AMQP":
                        return
            except OSError:
                pass
            assert self._process is not None
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        logs = (self._folder / "log").glob("*.log")
        raise TimeoutError("\n".join(log.read_text(errors="replace")[-3000:] for log in logs))
