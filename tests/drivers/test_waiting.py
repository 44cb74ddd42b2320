"""How one socket is waited for: awake where answers come at once, and asleep where they do not."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Iterator

import pytest

from smtps.drivers import waiting
from smtps.drivers.waiting import Watch


class Poller:
    """Answers from a script, and keeps what it was asked; time passes as the script says."""

    def __init__(self) -> None:
        self.now = 0.0
        #: Seconds from the start of each wait until its answer comes.
        self.delay = 0.0
        self.begun: float | None = None
        self.asked: list[float | None] = []

    def register(self, number: int, events: int) -> None:
        pass

    def modify(self, number: int, events: int) -> None:
        pass

    def poll(self, timeout: float | None) -> list[tuple[int, int]]:
        self.asked.append(timeout)
        begun = self.now if self.begun is None else self.begun
        if timeout == 0:
            self.begun, self.now = begun, self.now + 10e-6
            if self.now < begun + self.delay:
                return []
        self.now = max(self.now, begun + self.delay)
        self.begun = None
        return [(0, select.POLLIN)]


@pytest.fixture
def poller(monkeypatch: pytest.MonkeyPatch) -> Poller:
    poller = Poller()
    monkeypatch.setattr(select, "poll", lambda: poller)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(waiting, "monotonic", lambda: poller.now)
    return poller


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def slept(watch: Watch, poller: Poller, delay: float) -> bool:
    """Wait for an answer after so many seconds, and tell whether any of that was asleep."""
    poller.delay, poller.asked = delay, []
    assert watch.wait(read=True, write=False, seconds=5.0) == (True, False)
    return 5000.0 in poller.asked


QUICK, SLOW = 50e-6, 1e-3


def test_the_first_answer_is_waited_for_asleep_and_the_next_awake_if_it_was_quick(
    poller: Poller,
) -> None:
    with socket.socket() as unused:
        watch = Watch(unused)
    assert slept(watch, poller, QUICK)
    assert not slept(watch, poller, QUICK)
    assert not slept(watch, poller, QUICK)


def test_a_server_that_is_not_near_is_always_waited_for_asleep(poller: Poller) -> None:
    with socket.socket() as unused:
        watch = Watch(unused)
    for _ in range(5):
        assert slept(watch, poller, SLOW)
        assert poller.asked == [5000.0]


def test_glances_in_vain_become_rare(poller: Poller) -> None:
    with socket.socket() as unused:
        watch = Watch(unused)
    slept(watch, poller, QUICK)
    glanced = 0
    for _ in range(500):
        # Whenever it trusts the server again, the answer is late.
        late = watch._glances.worth
        slept(watch, poller, SLOW if late else QUICK)
        glanced += late
    assert glanced <= 13


def test_with_one_processor_the_server_gets_it(
    poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with socket.socket() as unused:
        watch = Watch(unused)
    for _ in range(5):
        assert slept(watch, poller, QUICK)
        assert poller.asked == [5000.0]


def test_a_wait_without_an_answer_ends_in_time(pair: tuple[socket.socket, socket.socket]) -> None:
    watch = Watch(pair[0])
    assert watch.wait(read=True, write=False, seconds=0.01) == (False, False)


def test_what_is_ready_is_told_of_what_was_asked(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    watch = Watch(pair[0])
    assert watch.wait(read=True, write=True, seconds=1.0) == (False, True)
    pair[1].send(b"x")
    assert watch.wait(read=True, write=True, seconds=1.0) == (True, True)
    assert watch.wait(read=True, write=False, seconds=1.0) == (True, False)
    assert watch.wait(read=False, write=True, seconds=1.0) == (False, True)


def test_a_peer_that_is_gone_is_ready(pair: tuple[socket.socket, socket.socket]) -> None:
    watch = Watch(pair[0])
    pair[1].close()
    assert watch.wait(read=True, write=False, seconds=1.0) == (True, False)


def test_systems_without_poll_tell_the_same(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(select, "poll")
    watch = Watch(pair[0])
    assert watch.wait(read=True, write=True, seconds=1.0) == (False, True)
    pair[1].send(b"x")
    assert watch.wait(read=True, write=False, seconds=1.0) == (True, False)
    assert watch.wait(read=True, write=False, seconds=0.0) == (True, False)
