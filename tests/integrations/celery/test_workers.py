"""Workers in processes of their own, on real brokers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery

from smtps.codec import implementation
from smtps.integrations.celery import BrokerUnavailable
from smtps.testing import Fault, Sink
from tests.support.celery_workers import Crew, app_for, configuration
from tests.support.redis import Redis
from tests.support.servers import free_port

pytestmark = [
    pytest.mark.skipif(implementation == "pure", reason="the run on the compiled code shows it"),
    pytest.mark.filterwarnings("ignore:Call to deprecated"),
]


def letter(*recipients: str, **more: Any) -> dict[str, Any]:
    return {"from": "ann@a.example", "to": list(recipients), "text": "Hello", **more}


def batch(name: str, count: int = 20) -> list[dict[str, Any]]:
    return [letter(f"{name}{number}@b.example") for number in range(count)]


def await_true(condition: Callable[[], object], timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_each_process_keeps_one_pool_and_closes_it_at_its_end(redis: Redis, pool: str) -> None:
    with Sink() as sink:
        settings = configuration(redis.url, redis.url, sink.url, smtps_connections=2)
        settings["task_default_queue"] = settings["smtps_prefix"] = f"pools-{pool}"
        app = app_for(settings)
        with Crew(settings, pool=pool, children=2):
            tasks = [app.tasks["smtps.send_many"].delay(batch(f"{number}-")) for number in range(8)]
            assert all(one["ok"] for task in tasks for one in task.get(timeout=20))
        assert sink.count == 160
        processes = 2 if pool == "prefork" else 1
        assert len(sink.connections) <= 2 * processes
        assert [one.commands[-1] for one in sink.connections] == ["QUIT"] * len(sink.connections)


def test_no_secret_is_in_logs_settings_or_results(redis: Redis) -> None:
    users = {"user": "relay-hush"}
    with Sink(tls="starttls", users=users, require_auth=True) as sink:
        assert "relay-hush" in sink.url
        url = redis.url.replace("://", "://:redis-hush@")
        redis_client(url).config_set("requirepass", "redis-hush")
        try:
            settings = configuration(url, url, sink.url)
            settings["task_default_queue"] = settings["smtps_prefix"] = "secrets"
            app = app_for(settings)
            with Crew(settings) as crew:
                task = app.tasks["smtps.send"].delay(letter("bob@b.example"))
                told = str(task.get(timeout=20))
                shown = str(app.control.inspect(timeout=5, limit=1).conf())
                log = crew.log
        finally:
            redis_client(url).config_set("requirepass", "")
    assert "'ok': True" in told
    assert "smtps_connections" in shown or "smtps_prefix" in shown
    for words in (told, shown, log):
        assert "hush" not in words


def redis_client(url: str) -> Any:
    from redis import Redis as Client

    return Client.from_url(url)


def test_a_worker_that_could_not_send_does_not_start_and_says_why(redis: Redis) -> None:
    settings = configuration(redis.url, redis.url, "smtp://relay.example", smtps_conections=3)
    with Crew(settings) as crew:
        assert crew.processes[0].wait(20) == 78
        assert "smtps_conections: unknown; known are" in crew.log


def test_a_worker_warns_of_a_record_that_may_forget() -> None:
    redis = Redis(remembers=False)
    settings = configuration(redis.url, redis.url, "smtp://relay.example")
    with Crew(settings) as crew:
        crew.await_words("it forgets when it restarts: set appendonly yes")
    redis.stop()


def test_tasks_wait_for_a_record_that_is_down_and_go_once_it_is_back(
    redis: Redis, own_redis: Redis
) -> None:
    with Sink() as sink:
        settings = configuration(redis.url, redis.url, sink.url, smtps_redis=own_redis.url)
        settings["task_default_queue"] = "down"
        app = app_for(settings)
        own_redis.kill()
        with Crew(settings) as crew:
            task = app.tasks["smtps.send_many"].delay(batch("x"))
            crew.await_words("messages go again")
            assert sink.count == 0
            own_redis.start()
            assert all(one["ok"] for one in task.get(timeout=30))
            log = crew.log
        assert sink.count == 20
    assert f"in Redis at 127.0.0.1:{own_redis.port}/0 cannot be used" in log
    assert f"redis-cli -h 127.0.0.1 -p {own_redis.port} ping" in log


def test_what_is_in_flight_when_the_record_goes_down_is_written_down_when_it_is_back(
    redis: Redis, own_redis: Redis
) -> None:
    with Sink() as sink:
        # The answer to the first comes when the record is gone.
        sink.add_fault(Fault(on=".", nth=1, delay=1.0))
        settings = configuration(
            redis.url, redis.url, sink.url, smtps_redis=own_redis.url, smtps_connections=1
        )
        settings["task_default_queue"] = "flight"
        app = app_for(settings)
        with Crew(settings) as crew:
            task = app.tasks["smtps.send_many"].delay(batch("x", 60))
            sink.wait_until(lambda: sink.connections, 20)
            own_redis.kill()
            crew.await_words("messages go again")
            own_redis.start()
            assert all(one["ok"] for one in task.get(timeout=30))
        assert sink.count == 60


def test_a_task_is_never_sent_twice_at_the_same_time(redis: Redis) -> None:
    with Sink() as sink:
        sink.add_fault(Fault(on=".", nth=1, delay=1.0))
        settings = configuration(redis.url, redis.url, sink.url, smtps_lease=1)
        settings["task_default_queue"] = settings["smtps_prefix"] = "twice"
        app = app_for(settings)
        with Crew(settings, children=2):
            first, second = (
                app.tasks["smtps.send"].delay(letter("bob@b.example", key="7")) for _ in range(2)
            )
            assert first.get(timeout=20)["ok"]
            assert second.get(timeout=20)["ok"]
        assert sink.count == 1


def test_a_broker_that_cannot_be_reached_is_named_without_its_password() -> None:
    port = free_port()
    app = Celery("tests", set_as_current=False)
    app.conf.update(
        broker_url=f"redis://:hush@127.0.0.1:{port}/0",
        imports=["smtps.integrations.celery"],
        task_publish_retry=False,
        broker_transport_options={"max_retries": 1, "interval_start": 0, "interval_step": 0},
    )
    app.loader.import_default_modules()
    with pytest.raises(BrokerUnavailable) as caught:
        app.tasks["smtps.send"].delay(letter("bob@b.example"))
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "Check broker_url" in str(caught.value)
    assert "hush" not in str(caught.value)
