"""The line with delay, where this machine can have one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.comparison.link import Link, NoLink
from benchmarks.comparison.sink import Sink
from benchmarks.comparison.source import SOURCE

# Connect, then time one round trip of a command, in milliseconds.
ONE_ROUND_TRIP = """
import socket, sys, time
client = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
client.recv(100)
start = time.monotonic()
client.sendall(b"NOOP\\r\\n")
client.recv(100)
print((time.monotonic() - start) * 1000)
"""


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    try:
        line = Link()
    except NoLink as reason:
        pytest.skip(f"this machine has no line with delay: {reason}")
    with line:
        yield line


@pytest.fixture(scope="module")
def sink(link: Link) -> Iterator[Sink]:
    with Sink(host=link.host, within=link.server) as sink:
        yield sink


@pytest.mark.parametrize("milliseconds", [1, 20, 50])
def test_a_round_trip_takes_as_long_as_was_asked(
    link: Link, sink: Sink, milliseconds: float
) -> None:
    link.set_round_trip(milliseconds)
    command = [*link.client, sys.executable, "-c", ONE_ROUND_TRIP, link.host, str(sink.port)]
    took = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    # A busy machine wakes the line late, never early.
    assert milliseconds <= took < milliseconds + 200


def test_the_line_holds_back_packets_and_not_the_flow(link: Link, sink: Sink) -> None:
    link.set_round_trip(1)
    before = sink.tally()
    command = [*link.client, SOURCE.build(), "--host", link.host, "--port", str(sink.port)]
    command += ["--count", "20000", "--window", "4096"]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    taken = sink.tally() - before
    assert (taken.messages, taken.bytes) == (20_000, 20_000 * 1024)


def test_the_line_is_gone_when_it_is_closed() -> None:
    try:
        line = Link()
    except NoLink as reason:
        pytest.skip(f"this machine has no line with delay: {reason}")
    line.close()
    assert subprocess.run([*line.client, "true"], capture_output=True, check=False).returncode != 0
