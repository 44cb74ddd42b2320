"""The record of what was sent, in a real Redis."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from secrets import token_hex

import pytest

from smtps import BadValue
from smtps.integrations.celery.configuration import Configuration
from smtps.integrations.celery.memory import Memory, MemoryUnavailable
from smtps.integrations.celery.record import BUSY, CLAIMED, Attempt, Record
from tests.support.redis import Redis
from tests.support.servers import free_port

SENT = 's[{"code": 250, "enhanced": null, "text": "OK"}, null]'


def memory_at(url: str) -> Memory:
    return Memory(Configuration(url="smtp://a.example", redis=url, prefix=token_hex(4)))


@pytest.fixture
def memory(redis: Redis) -> Iterator[Memory]:
    memory = memory_at(redis.url)
    yield memory
    memory.close()


@pytest.fixture
def record(memory: Memory) -> Iterator[Record]:
    record = record_on(memory)
    yield record
    record.close()


def record_on(memory: Memory, *, resend: bool = False, lease: float = 30.0) -> Record:
    return Record(memory, ttl=1000, lease=lease, resend=resend)


def claim(attempt: Attempt, *addresses: str, key: str = "k") -> tuple[str, list[str]]:
    name, (found,) = attempt.claim([(key, addresses)])
    return name, found


def die(record: Record, attempt: Attempt) -> None:
    """End an attempt as a killed process does: it settles nothing, and its lease runs out."""
    record.memory.drop(f"{record.memory.prefix}alive:{attempt._name}")


def test_an_attempt_that_no_thread_can_keep_alive_does_not_begin(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError), record.attempt():
            pass
    with record.attempt() as attempt:
        assert record._alive == {attempt._name}
        assert record._keeper is not None
        assert record._keeper.is_alive()


def test_recipients_that_nobody_knows_are_claimed(record: Record) -> None:
    with record.attempt() as attempt:
        assert claim(attempt, "b@x", "c@x")[1] == [CLAIMED, CLAIMED]


def test_what_an_attempt_that_lives_has_claimed_is_busy(record: Record) -> None:
    with record.attempt() as first, record.attempt() as second:
        claim(first, "b@x")
        assert claim(second, "b@x", "c@x")[1] == [BUSY, CLAIMED]


def test_the_same_message_twice_in_one_claim_is_claimed_once(record: Record) -> None:
    with record.attempt() as attempt:
        assert attempt.claim([("k", ["b@x"]), ("k", ["b@x"])])[1] == [[CLAIMED], [BUSY]]


def test_a_claim_that_is_asked_for_again_after_a_lost_answer_is_the_same(record: Record) -> None:
    with record.attempt() as attempt:
        wanted = [("k", ["b@x"])]
        assert record.claim(attempt._name, 1, wanted) == [[CLAIMED]]
        assert record.claim(attempt._name, 1, wanted) == [[CLAIMED]]


def test_what_was_sent_is_told_in_the_words_that_were_written(record: Record) -> None:
    with record.attempt() as first:
        name, _ = claim(first, "b@x")
        first.settle("k", name, {"b@x": SENT})
    with record.attempt() as second:
        assert claim(second, "b@x")[1] == [SENT]


def test_what_was_not_sent_is_free_again(record: Record) -> None:
    with record.attempt() as first:
        name, _ = claim(first, "b@x")
        first.settle("k", name, {"b@x": ""})
    with record.attempt() as second:
        assert claim(second, "b@x")[1] == [CLAIMED]


def test_the_claim_of_the_dead_is_in_doubt(record: Record) -> None:
    with record.attempt() as first, record.attempt() as second:
        name, _ = claim(first, "b@x")
        die(record, first)
        assert claim(second, "b@x")[1] == [f"c{name}"]


def test_the_claim_of_the_dead_is_taken_over_where_that_is_wanted(memory: Memory) -> None:
    record = record_on(memory, resend=True)
    with record.attempt() as first, record.attempt() as second:
        claim(first, "b@x")
        die(record, first)
        assert claim(second, "b@x")[1] == [CLAIMED]


def test_what_was_in_doubt_before_is_taken_over_where_that_is_wanted(memory: Memory) -> None:
    record = record_on(memory, resend=True)
    with record.attempt() as first:
        name, _ = claim(first, "b@x", "c@x")
        first.settle("k", name, {"b@x": "u[null, null]", "c@x": SENT})
    with record.attempt() as second:
        assert claim(second, "b@x", "c@x")[1] == [CLAIMED, SENT]


def test_a_late_word_does_not_end_the_claim_of_another(memory: Memory) -> None:
    record = record_on(memory, resend=True)
    with record.attempt() as first, record.attempt() as second, record.attempt() as third:
        name, _ = claim(first, "b@x")
        die(record, first)
        claim(second, "b@x")
        first.settle("k", name, {"b@x": ""})
        record.flush()
        assert claim(third, "b@x")[1] == [BUSY]


def test_a_late_word_ends_the_doubt(record: Record) -> None:
    with record.attempt() as first, record.attempt() as second:
        name, _ = claim(first, "b@x")
        die(record, first)
        first.settle("k", name, {"b@x": SENT})
        assert claim(second, "b@x")[1] == [SENT]


def test_an_attempt_lives_as_long_as_its_process_works_on_it(memory: Memory) -> None:
    record = record_on(memory, lease=0.3)
    with record.attempt() as first, record.attempt() as second:
        claim(first, "b@x")
        alive = f"{memory.prefix}alive:{first._name}"
        lives = [memory._redis.pexpiretime(alive)]
        while len(set(lives)) < 3:
            lives.append(memory._redis.pexpiretime(alive))
        assert claim(second, "b@x")[1] == [BUSY]
    record.close()


def test_a_record_ends_after_its_time(record: Record, memory: Memory) -> None:
    with record.attempt() as attempt:
        claim(attempt, "b@x")
    assert 900 < memory._redis.ttl(f"{memory.prefix}message:k") <= 1000


def test_the_record_outlives_the_end_of_redis(own_redis: Redis) -> None:
    record = record_on(memory_at(own_redis.url))
    with record.attempt() as first:
        name, _ = claim(first, "b@x")
        first.settle("k", name, {"b@x": SENT})
    own_redis.restart()
    with record.attempt() as second:
        assert claim(second, "b@x")[1] == [SENT]
    record.close()


def test_nothing_is_claimed_without_redis_and_the_error_says_where_and_how_to_look() -> None:
    port = free_port()
    record = record_on(memory_at(f"redis://:hush@127.0.0.1:{port}/3"))
    with record.attempt() as attempt, pytest.raises(MemoryUnavailable) as caught:
        claim(attempt, "b@x")
    words = str(caught.value)
    assert f"127.0.0.1:{port}/3" in words
    assert f"redis-cli -h 127.0.0.1 -p {port} ping" in words
    assert "hush" not in words
    assert caught.value.retryable


def test_what_could_not_be_written_down_is_as_soon_as_redis_is_back(own_redis: Redis) -> None:
    record = record_on(memory_at(own_redis.url), lease=0.3)
    with record.attempt() as first:
        name, _ = claim(first, "b@x")
        own_redis.kill()
        first.settle("k", name, {"b@x": SENT})
    assert record.pending == 1
    own_redis.start()
    with record.attempt() as second:
        assert claim(second, "b@x")[1] == [SENT]
    record.close()


def test_a_redis_that_may_forget_is_told_of() -> None:
    redis = Redis(remembers=False)
    try:
        memory = memory_at(redis.url)
        (doubt,) = memory.doubts()
        assert "appendonly yes" in doubt
        memory._redis.config_set("maxmemory", "100mb")
        memory._redis.config_set("maxmemory-policy", "allkeys-lru")
        assert "noeviction" in memory.doubts()[1]
        memory.close()
    finally:
        redis.stop()


def test_one_that_does_not_forget_is_not(redis: Redis, memory: Memory) -> None:
    assert memory.doubts() == []


def test_what_is_no_url_of_redis_is_refused_without_repeating_it() -> None:
    with pytest.raises(BadValue) as caught:
        memory_at("http://:hush@redis.example")
    assert caught.value.field == "smtps_redis"
    assert "hush" not in str(caught.value)
