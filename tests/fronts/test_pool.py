"""Both pools against the sink."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from smtps import SMTPS, AsyncPool, AsyncSMTPS, Envelope, Pool
from smtps.errors import BadValue, ConnectionFailed, NotConnected, RecipientsRefused
from smtps.testing import Fault, Sink
from tests.support.fronts import Pools


def items(count: int) -> list[Any]:
    return [
        (Envelope(f"s{n}@b.example", [f"r{n}@y.example"]), b"Subject: %d\r\n" % n)
        for n in range(count)
    ]


@pytest.fixture(params=["sync", "async"])
def pools(request: pytest.FixtureRequest) -> Iterator[Pools]:
    """Give one of the two pools."""
    with Pools(request.param) as pools:
        yield pools


@pytest.mark.parametrize("tls", [None, "starttls", "implicit"])
def test_messages_go_out_over_all_connections_and_arrive_once(pools: Pools, tls: Any) -> None:
    second = threading.Event()

    def seen(_: str) -> bool:
        second.set()
        return False

    faults = [
        Fault(on=".", connection=1, nth=1, until=second),
        Fault(on="MAIL", connection=2, when=seen),
    ]
    with Sink(tls=tls, faults=faults) as sink:
        receipts = pools.send_many(pools.make(sink.url, connections=4), items(2000))
        assert len(sink.connections) == 4
        assert len({message.connection for message in sink.messages}) > 1
    assert sorted(receipt.index for receipt in receipts) == list(range(2000))
    assert all(receipt.ok for receipt in receipts)
    assert {m.sender: m.content for m in sink.messages} == {
        item[0].sender: item[1] for item in items(2000)
    }
    assert sink.count == 2000
    assert sink.violations == []


def test_a_few_messages_do_not_open_every_connection(pools: Pools) -> None:
    with Sink() as sink:
        assert all(one.ok for one in pools.send_many(pools.make(sink.url), items(9)))
    assert len(sink.connections) == 2


def test_a_pool_tells_that_its_relay_is_not_there(pools: Pools) -> None:
    with Sink() as sink:
        url = sink.url
    with pytest.raises(ConnectionFailed):
        pools.run(pools.make(url).connect())


def test_a_connection_that_was_made_before_is_used(pools: Pools) -> None:
    with Sink() as sink:
        pool = pools.make(sink.url)
        pools.run(pool.connect())
        pools.run(pool.connect())
        pools.send(pool, items(1)[0])
    assert len(sink.connections) == 1


@pytest.mark.parametrize("many", [False, True], ids=["send", "send_many"])
@pytest.mark.parametrize("tls", [None, "implicit"])
def test_a_server_that_has_closed_meanwhile_leaves_nothing_in_doubt(
    pools: Pools, tls: Any, many: bool
) -> None:
    with Sink(tls=tls) as sink:
        pool = pools.make(sink.url)
        assert pools.send(pool, items(1)[0]).ok
    with Sink(tls=tls, port=sink.port) as again:
        if many:
            assert all(receipt.ok for receipt in pools.send_many(pool, items(1)))
        else:
            assert pools.send(pool, items(1)[0]).ok
        assert again.count == 1


def test_connections_are_kept_for_the_next_call(pools: Pools) -> None:
    with Sink() as sink:
        pool = pools.make(sink.url, connections=2)
        pools.send_many(pool, items(10))
        pools.send_many(pool, items(10))
        assert pools.send(pool, items(1)[0]).ok
    assert sink.count == 21
    assert len(sink.connections) == 2


def test_close_says_quit_and_ends_the_pool(pools: Pools) -> None:
    with Sink() as sink:
        pool = pools.make(sink.url, connections=1)
        pools.send(pool, items(1)[0])
        pools.run(pool.close())
        assert sink.connections[0].commands[-1] == "QUIT"
        with pytest.raises(NotConnected):
            pools.send(pool, items(1)[0])


def test_a_connection_carries_no_more_messages_than_allowed(pools: Pools) -> None:
    with Sink() as sink:
        pool = pools.make(sink.url, connections=2, max_messages=10)
        receipts = pools.send_many(pool, items(95))
        for item in items(25):
            pools.send(pool, item)
    assert all(receipt.ok for receipt in receipts)
    assert max(Counter(m.connection for m in sink.messages).values()) == 10


def test_a_server_that_limits_its_sessions_is_obeyed(pools: Pools) -> None:
    offers = ["PIPELINING", "CHUNKING", "LIMITS MAILMAX=7 RCPTMAX=100"]
    with Sink(extensions=offers) as sink:
        receipts = pools.send_many(pools.make(sink.url, connections=2), items(50))
    assert all(receipt.ok for receipt in receipts)
    assert max(Counter(m.connection for m in sink.messages).values()) == 7


def test_a_connection_that_idled_is_asked_before_it_is_used(pools: Pools) -> None:
    with Sink() as sink:
        pool = pools.make(sink.url, connections=1, max_idle=0.0)
        pools.send(pool, items(1)[0])
        pools.send(pool, items(1)[0])
        assert len(sink.connections) == 1
        assert sink.commands.count("NOOP") == 1


def test_a_connection_that_the_server_closed_is_replaced(pools: Pools) -> None:
    faults = [Fault(on="NOOP", reply="421 4.4.2 idle too long", drop=True)]
    with Sink(faults=faults) as sink:
        pool = pools.make(sink.url, connections=1, max_idle=0.0)
        assert pools.send(pool, items(1)[0]).ok
        assert pools.send(pool, items(1)[0]).ok
    assert len(sink.connections) == 2


def test_a_connection_of_age_is_replaced(pools: Pools) -> None:
    with Sink() as sink:
        pool = pools.make(sink.url, connections=1, max_age=0.0)
        pools.send(pool, items(1)[0])
        pools.send(pool, items(1)[0])
    assert len(sink.connections) == 2


def test_a_refused_message_raises_and_the_connection_stays(pools: Pools) -> None:
    with Sink(faults=[Fault(on="RCPT", nth=1, reply="550 5.1.1 no")]) as sink:
        pool = pools.make(sink.url, connections=1)
        with pytest.raises(RecipientsRefused):
            pools.send(pool, items(1)[0])
        assert pools.send(pool, items(1)[0]).ok
    assert len(sink.connections) == 1


def test_what_one_connection_gives_up_others_send(pools: Pools) -> None:
    # The second connection, and those in its place, drop every message.
    faults = [Fault(on="MAIL", connection=number, drop=True) for number in range(2, 9)]
    with Sink(faults=faults) as sink:
        pool = pools.make(sink.url, connections=2)
        receipts = pools.send_many(pool, items(300))
    assert sorted(receipt.index for receipt in receipts) == list(range(300))
    outcomes = Counter(result.outcome.name for r in receipts for result in r.results)
    assert outcomes["ACCEPTED"] >= 200
    assert set(outcomes) <= {"ACCEPTED", "UNKNOWN", "NOT_SENT"}
    senders = [message.sender for message in sink.messages]
    assert len(senders) == len(set(senders))


def test_fewer_connections_than_wanted_are_enough(pools: Pools) -> None:
    faults = [Fault(on="greeting", nth=range(2, 100), reply="421 4.7.0 too many", drop=True)]
    with Sink(faults=faults) as sink:
        receipts = pools.send_many(pools.make(sink.url, connections=4), items(100))
    assert sorted(receipt.index for receipt in receipts) == list(range(100))
    assert all(receipt.ok for receipt in receipts)
    assert sink.count == 100


def test_no_connection_at_all_is_an_error(pools: Pools) -> None:
    with Sink() as sink:
        pass
    with pytest.raises(ConnectionFailed):
        pools.send_many(pools.make(sink.url), items(3))


def test_what_the_source_raises_comes_after_the_receipts(pools: Pools) -> None:
    def broken() -> Iterator[Any]:
        yield from items(50)
        raise KeyError("mine")

    with Sink() as sink:
        with pytest.raises(KeyError, match="mine"):
            pools.send_many(pools.make(sink.url, connections=2), broken())
    assert sink.count == 50


def test_a_rate_is_not_exceeded(pools: Pools) -> None:
    with Sink() as sink:
        pool = pools.make(sink.url, connections=4, rate="200/s")
        receipts = pools.send_many(pool, items(40))
    assert all(receipt.ok for receipt in receipts)
    explanation = pool.explain()
    assert explanation.bottleneck == "limiter"
    assert "200.0 messages/s" in str(explanation)


def test_a_pool_that_sent_nothing_is_idle(pools: Pools) -> None:
    assert pools.make("smtp://localhost?tls=none").explain().bottleneck == "idle"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("connections", 0),
        ("connections", True),
        ("max_messages", 0),
        ("per_connection", "8"),
        ("rate", "fast"),
        ("rate", "0/s"),
        ("rate", "14/day"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(pools: Pools, name: str, value: Any) -> None:
    with pytest.raises(BadValue, match=name):
        pools.make("smtp://localhost?tls=none", **{name: value})


def test_a_bad_url_is_told_at_once(pools: Pools) -> None:
    with pytest.raises(BadValue, match="url"):
        pools.make("http://localhost")


def test_a_function_may_make_the_components(pools: Pools) -> None:
    kind: Any = SMTPS if pools.kind == "sync" else AsyncSMTPS
    with Sink() as sink:
        pool = pools.make(lambda: kind.from_url(sink.url), connections=1)
        pools.send(pool, items(1)[0])
    assert sink.count == 1


# --- threads, tasks and processes -----------------------------------------------------------------


def test_threads_share_a_pool() -> None:
    with Sink() as sink, Pool(sink.url, connections=3) as pool:

        def work(number: int) -> None:
            for item in items(20):
                pool.send(item)
            results.append(sum(receipt.ok for receipt in pool.send_many(items(50))))

        results: list[int] = []
        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [50] * 6
    assert sink.count == 6 * 70
    assert len(sink.connections) <= 3


def test_many_messages_let_go_of_a_connection_that_another_thread_needs() -> None:
    done = threading.Event()
    (one,) = items(1)

    def wanted() -> Iterator[Any]:
        for _ in range(20_000):
            if done.is_set():
                return
            yield one

    with Sink() as sink, Pool(sink.url, connections=2) as pool:
        receipts = pool.send_many(wanted())
        next(receipts)

        def send() -> None:
            pool.send(one)
            done.set()

        thread = threading.Thread(target=send)
        thread.start()
        sent = 1 + sum(receipt.ok for receipt in receipts)
        in_time = done.is_set()
        thread.join()
        assert in_time
        assert sink.count == sent + 1
        assert len(sink.connections) == 2


def test_many_messages_let_go_of_a_connection_that_another_task_needs() -> None:
    (one,) = items(1)

    async def run(url: str) -> tuple[bool, int]:
        done = False

        def wanted() -> Iterator[Any]:
            for _ in range(20_000):
                if done:
                    return
                yield one

        async def send(pool: AsyncPool) -> None:
            nonlocal done
            await pool.send(one)
            done = True

        task: asyncio.Task[None] | None = None
        sent = 0
        async with AsyncPool(url, connections=2) as pool:
            async for receipt in pool.send_many(wanted()):
                sent += receipt.ok
                task = task or asyncio.create_task(send(pool))
            in_time = done
            assert task is not None
            await task
        return in_time, sent

    with Sink() as sink:
        in_time, sent = asyncio.run(run(sink.url))
    assert in_time
    assert sink.count == sent + 1
    assert len(sink.connections) == 2


def test_tasks_share_a_pool() -> None:
    async def work(pool: AsyncPool) -> int:
        for item in items(20):
            await pool.send(item)
        return sum([receipt.ok async for receipt in pool.send_many(items(50))])

    async def main(url: str) -> list[int]:
        async with AsyncPool(url, connections=3) as pool:
            return await asyncio.gather(*(work(pool) for _ in range(6)))

    with Sink() as sink:
        assert asyncio.run(main(sink.url)) == [50] * 6
    assert sink.count == 6 * 70
    assert len(sink.connections) <= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_process_makes_connections_of_its_own() -> None:
    with Sink(tls="starttls") as sink, Pool(sink.url, connections=1) as pool:
        pool.send(items(1)[0])
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if pool.send(items(1)[0]).ok else 2
                pool.close()
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert pool.send(items(1)[0]).ok
        assert len(sink.connections) == 2
        assert sink.count == 3
