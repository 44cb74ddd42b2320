"""What goes wrong around a pool takes none of its connections away."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from smtps import SMTPS, AsyncSMTPS, Envelope, Pool
from smtps.errors import BadValue, NotConnected
from smtps.events import ConnectionStatus
from smtps.testing import Sink
from tests.support.fronts import Pools

ITEM = (Envelope("s@b.example", ["r@y.example"]), b"Subject: x\r\n\r\nx\r\n")
UNREACHABLE = "smtp://localhost:1?tls=none"


@pytest.fixture(params=["sync", "async"])
def pools(request: pytest.FixtureRequest) -> Iterator[Pools]:
    """Give one of the two pools."""
    with Pools(request.param) as pools:
        yield pools


def component(pools: Pools) -> Any:
    return SMTPS if pools.kind == "sync" else AsyncSMTPS


def test_a_function_that_fails_takes_no_connection_away(pools: Pools) -> None:
    tries = iter(range(9))
    with Sink() as sink:

        def make() -> Any:
            if next(tries) < 2:
                raise LookupError("the vault is sealed")
            return component(pools).from_url(sink.url)

        pool = pools.make(make, connections=1)
        for _ in range(2):
            with pytest.raises(LookupError):
                pools.send(pool, ITEM)
        assert pools.send(pool, ITEM).ok


def test_a_connection_that_was_taken_too_comes_back_when_the_function_fails(pools: Pools) -> None:
    with Sink() as sink:
        made = iter([component(pools).from_url(sink.url)])
        pool = pools.make(lambda: next(made), connections=2)
        assert pools.send(pool, ITEM).ok
        with pytest.raises((StopIteration, RuntimeError)):
            pools.send_many(pool, [ITEM] * 99)
        assert pools.send(pool, ITEM).ok
        assert len(sink.connections) == 1


@pytest.mark.parametrize("relay", [None, 25, b"smtp://localhost", SMTPS()])
def test_what_is_neither_a_url_nor_a_function_is_told_at_once(pools: Pools, relay: Any) -> None:
    with pytest.raises(BadValue, match="url_or_factory: expected a URL, or a function"):
        pools.make(relay)


def test_a_function_that_makes_something_else_is_named(pools: Pools) -> None:
    other = AsyncSMTPS if pools.kind == "sync" else SMTPS
    pool = pools.make(lambda: other.from_url(UNREACHABLE), connections=1)
    for _ in range(2):
        with pytest.raises(BadValue, match=f"url_or_factory: .*made {other.__name__}"):
            pools.send(pool, ITEM)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_idle", "30"),
        ("max_idle", -1),
        ("max_idle", float("nan")),
        ("max_age", True),
        ("max_age", -0.5),
        ("rate", 14),
        ("rate", ["14/s"]),
    ],
)
def test_an_argument_that_cannot_be_used_is_named_with_its_value(
    pools: Pools, name: str, value: Any
) -> None:
    with pytest.raises(BadValue, match=name) as caught:
        pools.make(UNREACHABLE, **{name: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("item", [None, "text", (ITEM[0], 5)])
def test_an_item_that_cannot_be_sent_is_told_before_the_network_is_touched(
    pools: Pools, item: Any
) -> None:
    with pytest.raises(BadValue):
        pools.send(pools.make(UNREACHABLE), item)


def test_a_closed_pool_says_that_it_is_closed(pools: Pools) -> None:
    pool = pools.make(UNREACHABLE)
    pools.run(pool.close())
    with pytest.raises(NotConnected, match="the pool is closed; make another"):
        pools.send(pool, ITEM)


def test_a_handler_that_fails_at_the_close_of_one_leaves_none_of_the_others_open(
    pools: Pools,
) -> None:
    def complain(event: ConnectionStatus) -> None:
        if "Disconnect" in event.connection_event:
            raise LookupError("nobody wants to know")

    with Sink() as sink:

        def make() -> Any:
            smtp = component(pools).from_url(sink.url)
            smtp.on_connection_status = complain
            return smtp

        pool = pools.make(make, connections=2)
        assert len(pools.send_many(pool, [ITEM] * 99)) == 99
        with pytest.raises(LookupError):
            pools.run(pool.close())
        assert [one.commands[-1] for one in sink.connections] == ["QUIT", "QUIT"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_no_thread_of_a_child_meets_a_connection_of_the_parent() -> None:
    with Sink() as sink, Pool(sink.url, connections=1) as pool:
        pool.send(ITEM)
        (connection,) = pool._idle
        abort = connection.smtp._driver.abort

        def slowly() -> None:
            # While one thread lets go of what is the parent's, another wants to send.
            if os.getpid() != parent:
                thread = threading.Thread(target=pool.send, args=(ITEM,))
                thread.start()
                thread.join(0.5)
            abort()

        parent = os.getpid()
        connection.smtp._driver.abort = slowly  # type: ignore[method-assign]
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if pool.send(ITEM).ok else 2
                pool.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        first, *others = sink.connections
        assert sum(line.startswith("MAIL") for line in first.commands) == 1
        assert others


def send_until(pools: Pools, pool: Any, is_enough: Callable[[], bool]) -> None:
    """Send without end, and leave when it is enough."""
    receipts = pool.send_many(itertools.repeat(ITEM))
    if pools.kind == "sync":
        while next(receipts).ok and not is_enough():
            pass
        receipts.close()
        return

    async def send() -> None:
        while (await anext(receipts)).ok and not is_enough():
            pass
        await receipts.aclose()

    pools.run(send())


def test_whoever_leaves_early_waits_for_no_connection_and_leaves_none_open(pools: Pools) -> None:
    with Sink() as sink, socket.create_server(("127.0.0.1", 0)) as silent:
        urls = iter([f"smtps://127.0.0.1:{silent.getsockname()[1]}", sink.url])
        pool = pools.make(lambda: component(pools).from_url(next(urls)), connections=2)
        silent.setblocking(False)
        callers: list[socket.socket] = []

        def is_called() -> bool:
            with suppress(BlockingIOError):
                callers.append(silent.accept()[0])
            return bool(callers)

        begun = time.monotonic()
        send_until(pools, pool, is_called)
        # The handshake that nobody answers would be waited for for a minute.
        assert time.monotonic() - begun < 20
        with callers[0] as caller:
            caller.settimeout(20)
            while caller.recv(4096):
                pass
