"""A socket that is lent stays as it was, and its timeout bounds what is done on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from smtps.drivers.lent import LentDriver
from smtps.errors import ConnectionLost, TimedOut
from smtps.ops import Deadline, Poll, Read, Write

NO_LIMIT = Deadline()
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


def lent(near: socket.socket) -> LentDriver:
    driver = LentDriver(lambda _: None)
    driver.lend(near)
    return driver


def test_what_is_there_is_read(pair: Pair) -> None:
    near, far = pair
    far.sendall(b"220 hello\r\n")
    assert lent(near).perform(Read(NO_LIMIT)) == b"220 hello\r\n"


def test_the_end_is_read_as_nothing(pair: Pair) -> None:
    near, far = pair
    far.close()
    assert lent(near).perform(Read(NO_LIMIT)) == b""


@pytest.mark.parametrize("timeout", [None, 5.0])
def test_looking_does_not_wait(pair: Pair, timeout: float | None) -> None:
    near, far = pair
    near.settimeout(timeout)
    driver = lent(near)
    assert driver.perform(Poll()) is None
    far.sendall(b"x")
    assert driver.perform(Poll()) == b"x"
    far.close()
    assert driver.perform(Poll()) == b""
    assert near.gettimeout() == timeout


def test_the_timeout_of_the_socket_bounds_a_read(pair: Pair) -> None:
    near, _ = pair
    near.settimeout(0.05)
    with pytest.raises(TimedOut, match=r"0\.05 s"):
        lent(near).perform(Read(NO_LIMIT))


def test_a_deadline_bounds_a_read_on_a_socket_without_a_timeout(pair: Pair) -> None:
    near, _ = pair
    begun = monotonic()
    with pytest.raises(TimedOut):
        lent(near).perform(Read(Deadline(0.05)))
    assert monotonic() - begun < 5


@pytest.mark.parametrize("size", [100, 3_000_000])
@pytest.mark.parametrize("timeout", [None, 20.0])
def test_all_is_written_and_the_socket_stays_as_it_was(
    pair: Pair, size: int, timeout: float | None
) -> None:
    near, far = pair
    near.settimeout(timeout)
    heard = bytearray()

    def read() -> None:
        while len(heard) < size:
            heard.extend(far.recv(65536))

    reader = threading.Thread(target=read)
    reader.start()
    operation = Write(b"x" * size, NO_LIMIT)
    assert lent(near).perform(operation) is False
    reader.join()
    assert (len(heard), operation.sent) == (size, size)
    assert near.gettimeout() == timeout


def test_a_long_write_ends_by_the_timeout_of_the_socket(pair: Pair) -> None:
    near, _ = pair
    near.settimeout(0.05)
    with pytest.raises(TimedOut):
        lent(near).perform(Write(b"x" * 10_000_000, NO_LIMIT))
    assert near.gettimeout() == 0.05


def test_what_the_server_says_during_a_long_write_is_not_lost(pair: Pair) -> None:
    near, far = pair
    far.sendall(b"552 too much\r\n")
    driver = lent(near)

    def read() -> None:
        left = 1_000_000
        while left:
            left -= len(far.recv(65536))

    reader = threading.Thread(target=read)
    reader.start()
    driver.perform(Write(b"x" * 1_000_000, NO_LIMIT))
    reader.join()
    assert driver.perform(Read(NO_LIMIT)) == b"552 too much\r\n"


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_a_write_to_nobody_says_so(pair: Pair, size: int) -> None:
    near, far = pair
    far.close()
    with pytest.raises(ConnectionLost):
        lent(near).perform(Write(b"x" * size, NO_LIMIT))


def test_what_was_read_is_acknowledged_before_more_is_waited_for(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = pair
    told: list[socket.socket] = []
    monkeypatch.setattr("smtps.drivers.blocking.quick_ack", told.append)
    driver = lent(near)
    for expected in ([], [near]):
        far.sendall(b"250 ok\r\n")
        driver.perform(Read(NO_LIMIT))
        assert told == expected
    driver.perform(Write(b"NOOP\r\n", NO_LIMIT))
    far.sendall(b"250 ok\r\n")
    driver.perform(Read(NO_LIMIT))
    assert told == [near]


def test_another_socket_begins_anew(pair: Pair) -> None:
    near, far = pair
    driver = lent(near)
    driver.lend(far)
    near.sendall(b"from the first")
    assert driver.perform(Read(NO_LIMIT)) == b"from the first"


def test_nothing_is_done_without_a_socket() -> None:
    with pytest.raises(ConnectionLost):
        LentDriver(lambda _: None).perform(Read(NO_LIMIT))
