"""The rate that all workers share, in a real Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from secrets import token_hex

import pytest

from smtps.integrations.celery.configuration import Configuration
from smtps.integrations.celery.memory import Memory, MemoryUnavailable
from smtps.integrations.celery.rate import Pace, SharedRate
from tests.support.redis import Redis


@pytest.fixture
def memory(redis: Redis) -> Iterator[Memory]:
    memory = Memory(Configuration(url="smtp://a.example", redis=redis.url, prefix=token_hex(4)))
    yield memory
    memory.close()


def test_one_may_go_at_once_and_the_next_after_its_time(memory: Memory) -> None:
    rate = SharedRate(memory, "2/s", "relay")
    assert rate.take(5)[0] == 1
    taken, pause = rate.take(5)
    assert taken == 0
    assert 0.3 < pause <= 0.5


def test_a_tenth_of_a_second_may_go_at_once_after_a_pause(memory: Memory) -> None:
    rate = SharedRate(memory, "1000/s", "relay")
    rate.take(1)
    deadline = time.monotonic() + 10
    rate.give_back(1000)
    assert rate.take(1000)[0] == 100
    assert time.monotonic() < deadline


def test_what_was_taken_for_nothing_may_be_given_back(memory: Memory) -> None:
    rate = SharedRate(memory, "1/h", "relay")
    assert rate.take(1)[0] == 1
    rate.give_back(1)
    assert rate.take(1)[0] == 1


def test_each_relay_has_a_rate_of_its_own(memory: Memory) -> None:
    assert SharedRate(memory, "1/h", "one").take(1)[0] == 1
    assert SharedRate(memory, "1/h", "two").take(1)[0] == 1


def test_all_together_keep_to_it(memory: Memory) -> None:
    counts = [0] * 4
    began = time.monotonic()

    def work(place: int) -> None:
        rate = SharedRate(memory, "200/s", "relay")
        while time.monotonic() - began < 1.0:
            counts[place] += rate.take(3)[0]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.monotonic() - began
    # Less where the machine lets nobody run for longer than the bucket fills.
    assert 50 <= sum(counts) <= 200 * elapsed + 20


def test_a_connection_takes_no_more_at_a_time_than_may_be_in_flight() -> None:
    assert Pace(4, 16, None).take(500, 0.0) == 16


def test_the_throttle_of_a_pool_keeps_to_the_shared_rate(memory: Memory) -> None:
    pace = Pace(4, 16, SharedRate(memory, "2/s", "relay"))
    assert pace.take(5, 0.0) == 1
    assert pace.take(5, 0.0) == 0
    assert 0.3 < pace.pause() <= 0.5
    pace.give_back(1)
    assert pace.take(5, 0.0) == 1
    pace.check()


def test_the_throttle_tells_that_the_rate_cannot_be_asked_before_anything_goes(
    own_redis: Redis,
) -> None:
    memory = Memory(Configuration(url="smtp://a.example", redis=own_redis.url))
    pace = Pace(4, 16, SharedRate(memory, "2/s", "relay"))
    own_redis.kill()
    pace.take(5, 0.0)
    with pytest.raises(MemoryUnavailable, match="the rate that all workers share"):
        pace.check()
    pace.check()
    memory.close()
