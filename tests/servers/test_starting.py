"""Starting servers for the tests, beside other test processes that start theirs."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests.support import dovecot as dovecot_support
from tests.support.dovecot import Dovecot
from tests.support.servers import free_port, started


def test_a_port_is_given_to_one_process() -> None:
    program = (
        "import random; from tests.support.servers import free_port; random.seed(7);"
        "print(free_port(), flush=True); input()"
    )
    command = [sys.executable, "-c", program]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    given = {process.stdout.readline() for process in both if process.stdout is not None}
    for process in both:
        process.communicate(b"\n")
    assert len(given) == 2
    assert all(line.strip().isdigit() for line in given)


def test_a_server_whose_port_was_taken_is_started_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        ports = [taken]

        def port() -> int:
            return ports.pop() if ports else free_port()

        monkeypatch.setattr(dovecot_support, "free_port", port)
        server = started(Dovecot)
    try:
        assert server.port != taken
        assert not ports
    finally:
        server.stop()
