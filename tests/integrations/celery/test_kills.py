"""Ten thousand messages over two workers that are killed, and a broker that ends: who has what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from celery import Celery, exceptions
from celery.result import AsyncResult

from smtps.codec import implementation
from smtps.testing import Sink
from tests.support.celery_workers import Crew, app_for, configuration
from tests.support.rabbitmq import RabbitMQ
from tests.support.redis import Redis

pytestmark = [
    pytest.mark.skipif(implementation == "pure", reason="the run on the compiled code shows it"),
    pytest.mark.xdist_group("celery"),
    pytest.mark.filterwarnings("ignore:Call to deprecated"),
]

BATCHES, SIZE = 100, 100
COUNT = BATCHES * SIZE
CONNECTIONS, IN_FLIGHT = 2, 8
# What one worker process has claimed at a time, at most.
WINDOW = CONNECTIONS * 2 * IN_FLIGHT + 2 * 16


@dataclass
class Account:
    """What the tasks' results say of each message, and how often the relay took it."""

    told: dict[str, str]
    arrived: Counter[str]
    kills: int


def messages(batch: int) -> list[dict[str, Any]]:
    return [
        {
            "from": "ann@a.example",
            "to": f"{number}@b.example",
            "subject": "News",
            "text": "Hello",
            "message_id": f"<{number}@a.example>",
        }
        for number in range(batch * SIZE, (batch + 1) * SIZE)
    ]


def outcome_of(app: Celery, task: AsyncResult[Any], batch: int) -> list[dict[str, Any]]:
    """Wait for what became of a batch, and send it again where the broker has lost it.

    Redis forgets a task that it handed out in the moment when it, or the worker, was killed. It is
    safe to send it again under its old name: the record knows what was sent.
    """
    try:
        receipts = task.get(timeout=60)
    except exceptions.TimeoutError:
        app.tasks["smtps.send_many"].apply_async((messages(batch),), task_id=task.id)
        receipts = task.get(timeout=120)
    return list(receipts)


def send_all(broker: Redis | RabbitMQ, redis: Redis) -> Account:
    with Sink() as sink:
        settings = configuration(
            broker.url,
            redis.url,
            sink.url,
            smtps_connections=CONNECTIONS,
            smtps_in_flight=IN_FLIGHT,
        )
        app = app_for(settings)
        kills = 0
        with Crew(settings, workers=2) as crew:
            tasks = [
                app.tasks["smtps.send_many"].delay(messages(batch)) for batch in range(BATCHES)
            ]
            for mark in range(1000, 7000, 1000):
                sink.wait_until(lambda least=mark: sink.count >= least, 120)  # type: ignore[misc]
                if mark % 2000:
                    crew.kill(0)
                    crew.hire()
                    kills += 1
                else:
                    kills += crew.kill_child(0)
            sink.wait_until(lambda: sink.count >= 8000, 120)
            broker.restart()
            results = [
                receipt
                for batch, task in enumerate(tasks)
                for receipt in outcome_of(app, task, batch)
            ]
        told = {
            one["message_id"]: result["outcome"] for one in results for result in one["results"]
        }
        assert len(results) == len(told) == COUNT
        arrived = Counter(_message_id(one.content) for one in sink.messages)
    return Account(told, arrived, kills)


def _message_id(content: bytes) -> str:
    found = re.search(rb"^Message-ID: (.*)\r$", content, re.MULTILINE)
    assert found is not None
    return found[1].decode()


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    redis = Redis()
    broker = RabbitMQ() if request.param == "rabbitmq" else redis
    try:
        yield send_all(broker, redis)
    finally:
        redis.stop()
        if broker is not redis:
            broker.stop()


def test_workers_were_killed(account: Account) -> None:
    assert account.kills >= 5


def test_no_message_is_sent_twice(account: Account) -> None:
    assert [one for one, times in account.arrived.items() if times > 1] == []


def test_each_message_is_told_of_as_accepted_or_unknown(account: Account) -> None:
    assert set(account.told.values()) <= {"accepted", "unknown"}


def test_what_is_told_of_as_accepted_has_arrived(account: Account) -> None:
    accepted = {one for one, outcome in account.told.items() if outcome == "accepted"}
    assert accepted <= account.arrived.keys()


def test_what_is_unknown_was_in_flight_when_a_worker_was_killed(account: Account) -> None:
    unknown = [one for one, outcome in account.told.items() if outcome == "unknown"]
    assert 0 < len(unknown) <= account.kills * WINDOW
