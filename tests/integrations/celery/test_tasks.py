"""The tasks, in a worker of this process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from secrets import token_hex
from typing import Any, TypeAlias

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

from smtps.codec import implementation
from smtps.integrations.celery.workers import close
from smtps.testing import Fault, Sink
from tests.support.redis import Redis

pytestmark = [
    pytest.mark.skipif(implementation == "pure", reason="the run on the compiled code shows it"),
    pytest.mark.xdist_group("celery-tasks"),
]

Working: TypeAlias = Callable[..., AbstractContextManager[Celery]]
REFUSED = Fault(on="RCPT", when="<no@b.example>", reply="550 5.1.1 No such user")


def letter(*recipients: str, **more: Any) -> dict[str, Any]:
    return {"from": "ann@a.example", "to": list(recipients), "text": "Hello", **more}


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(faults=[REFUSED]) as sink:
        yield sink


@pytest.fixture(scope="module")
def worker(redis: Redis) -> Iterator[Celery]:
    """An app with a worker in a thread of this process."""
    app = Celery("tests", set_as_current=False)
    app.conf.update(
        broker_url="memory://",
        broker_transport_options={"polling_interval": 0.01},
        task_default_queue=token_hex(4),
        result_backend="cache+memory://",
        imports=["smtps.integrations.celery"],
        smtps_url="smtp://nowhere.example",
    )
    with start_worker(app, perform_ping_check=False, shutdown_timeout=20):
        yield app


@pytest.fixture
def working(worker: Celery, redis: Redis) -> Working:
    """Give the app with settings of its own; what it sends by is closed afterwards."""

    @contextmanager
    def made(**settings: Any) -> Iterator[Celery]:
        whole: dict[str, Any] = {
            "smtps_redis": redis.url,
            "smtps_prefix": token_hex(4),
            "smtps_retry_first": 0.05,
            "smtps_lease": 0.5,
            **settings,
        }
        worker.conf.update(whole)
        yield worker
        close()
        for name in whole:
            worker.conf[name] = None

    return made


def send(app: Celery, message: object, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = (
        app.tasks["smtps.send"].apply_async((message,), **options).get(timeout=20)
    )
    return found


def send_many(app: Celery, messages: object, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        app.tasks["smtps.send_many"].apply_async((messages,), **options).get(timeout=20)
    )
    return found


def outcomes(receipt: dict[str, Any]) -> dict[str, str]:
    return {one["address"]: one["outcome"] for one in receipt["results"]}


def test_the_result_is_a_receipt(working: Working, sink: Sink) -> None:
    with working(smtps_url=sink.url) as app:
        receipt = send(app, letter("bob@b.example", message_id="<7@a.example>"))
    assert receipt == {
        "index": 0,
        "message_id": "<7@a.example>",
        "sender": "ann@a.example",
        "ok": True,
        "results": [
            {
                "address": "bob@b.example",
                "outcome": "accepted",
                "reply": {"code": 250, "enhanced": "2.0.0", "text": "2.0.0 OK"},
            }
        ],
        "error": None,
    }


def test_a_batch_has_a_receipt_for_each_message_in_its_place(working: Working, sink: Sink) -> None:
    with working(smtps_url=sink.url) as app:
        receipts = send_many(app, [letter(f"{n}@b.example") for n in range(50)])
    assert [one["index"] for one in receipts] == list(range(50))
    assert [one["results"][0]["address"] for one in receipts] == [
        f"{n}@b.example" for n in range(50)
    ]
    assert sink.count == 50


def test_what_can_never_go_fails_alone_with_the_words_of_the_server(
    working: Working, sink: Sink
) -> None:
    with working(smtps_url=sink.url) as app:
        good, bad, worse = send_many(
            app, [letter("bob@b.example"), letter("no@b.example"), {"from": "a@b", "to": 3}]
        )
    assert good["ok"]
    assert outcomes(bad) == {"no@b.example": "refused"}
    assert bad["results"][0]["reply"]["text"] == "5.1.1 No such user"
    assert worse["error"]["field"] == "to"


def test_what_is_too_large_for_the_server_fails_at_once(working: Working) -> None:
    with Sink(extensions=["SIZE 100"]) as sink, working(smtps_url=sink.url) as app:
        receipt = send(app, letter("bob@b.example", text="x" * 200))
        (other, _) = send_many(app, [letter("b@b.example", text="x" * 200)] * 2)
    assert outcomes(receipt) == {"bob@b.example": "refused"}
    assert receipt["error"]["type"] == other["error"]["type"] == "TooLarge"


def test_only_the_deferred_go_again(working: Working, sink: Sink) -> None:
    sink.add_fault(Fault(on="RCPT", when="<later@", nth=1, reply="450 4.2.1 Busy"))
    with working(smtps_url=sink.url) as app:
        receipt = send(app, letter("bob@b.example", "later@b.example", "no@b.example"))
    assert outcomes(receipt) == {
        "bob@b.example": "accepted",
        "later@b.example": "accepted",
        "no@b.example": "refused",
    }
    assert [one.recipients for one in sink.messages] == [("bob@b.example",), ("later@b.example",)]


def test_only_the_deferred_of_a_batch_go_again_without_a_record(
    working: Working, sink: Sink
) -> None:
    sink.add_fault(Fault(on="RCPT", when="<later@", nth=1, reply="450 4.2.1 Busy"))
    with working(smtps_url=sink.url, smtps_redis=None) as app:
        receipts = send_many(app, [letter("bob@b.example"), letter("later@b.example")])
    assert all(one["ok"] for one in receipts)
    assert sink.count == 2


def test_every_attempt_has_the_same_message_id(working: Working, sink: Sink) -> None:
    sink.add_fault(Fault(on="RCPT", when="<later@", nth=1, reply="450 4.2.1 Busy"))
    with working(smtps_url=sink.url) as app:
        send(app, letter("bob@b.example", "later@b.example"))
    first, second = (one.content.split(b"Message-ID: ")[1][:40] for one in sink.messages)
    assert first == second


def test_who_is_deferred_to_the_end_is_told_of_with_the_last_words(
    working: Working, sink: Sink
) -> None:
    sink.add_fault(Fault(on="RCPT", when="<later@", reply="450 4.2.1 Busy"))
    with working(smtps_url=sink.url, smtps_max_retries=2) as app:
        receipt = send(app, letter("later@b.example"))
    assert outcomes(receipt) == {"later@b.example": "deferred"}
    assert receipt["results"][0]["reply"]["code"] == 450
    commands = [line for one in sink.connections for line in one.commands]
    assert sum(line.startswith("RCPT") for line in commands) == 3


def test_a_relay_that_is_down_gets_everything_once_it_is_up(working: Working) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    with working(smtps_url=f"smtp://127.0.0.1:{port}?tls=none") as app:
        task = app.tasks["smtps.send_many"].delay([letter("bob@b.example"), letter("c@b.example")])
        while not task.info:
            assert not task.ready()
        assert str(port) in str(task.info)
        with Sink(port=port) as sink:
            assert all(one["ok"] for one in task.get(timeout=20))
            assert sink.count == 2


def test_a_message_whose_answer_is_lost_is_unknown_and_not_sent_again(
    working: Working, sink: Sink
) -> None:
    sink.add_fault(Fault(on=".", nth=1, silent=True, drop=True))
    with working(smtps_url=sink.url) as app:
        receipt = send(app, letter("bob@b.example"))
    assert outcomes(receipt) == {"bob@b.example": "unknown"}
    assert receipt["error"]["type"] == "DeliveryUnknown"
    assert sink.count == 1


def test_a_message_whose_answer_is_lost_stays_unknown_for_a_second_delivery(
    working: Working, sink: Sink
) -> None:
    sink.add_fault(Fault(on=".", nth=1, silent=True, drop=True))
    with working(smtps_url=sink.url) as app:
        first = send(app, letter("bob@b.example", key="7"))
        assert send(app, letter("bob@b.example", key="7")) == {
            **first,
            "message_id": first["message_id"],
        }
    assert sink.count == 1


def test_in_doubt_it_may_be_sent_again_where_that_is_wanted(working: Working, sink: Sink) -> None:
    sink.add_fault(Fault(on=".", nth=1, silent=True, drop=True))
    with working(smtps_url=sink.url, smtps_in_doubt="resend") as app:
        receipt = send(app, letter("bob@b.example"))
    assert receipt["ok"]
    assert sink.count == 2


def test_a_task_that_is_delivered_twice_is_mailed_once(working: Working, sink: Sink) -> None:
    with working(smtps_url=sink.url) as app:
        first = send_many(app, [letter("bob@b.example"), letter("no@b.example")], task_id="same")
        app.backend.forget("same")
        second = send_many(app, [letter("bob@b.example"), letter("no@b.example")], task_id="same")
    assert first == second
    assert sink.count == 1


def test_what_another_task_sends_under_the_same_key_is_mailed_once(
    working: Working, sink: Sink
) -> None:
    with working(smtps_url=sink.url) as app:
        send(app, letter("bob@b.example", key="invoice-7"))
        assert send(app, letter("bob@b.example", key="invoice-7"))["ok"]
        assert send(app, letter("c@b.example", key="invoice-7"))["ok"]
    assert [one.recipients for one in sink.messages] == [("bob@b.example",), ("c@b.example",)]


def test_the_same_key_twice_in_a_batch_is_mailed_once(working: Working, sink: Sink) -> None:
    with working(smtps_url=sink.url) as app:
        receipts = send_many(app, [letter("bob@b.example", key="7")] * 2)
    assert [one["ok"] for one in receipts] == [True, True]
    assert sink.count == 1


def test_a_rate_holds_for_the_batch(working: Working, sink: Sink) -> None:
    with working(smtps_url=sink.url, smtps_rate="50/s") as app:
        receipts = send_many(app, [letter(f"{n}@b.example") for n in range(15)])
    assert all(one["ok"] for one in receipts)
    assert sink.count == 15


def test_what_is_no_list_of_messages_fails_as_a_task(working: Working, sink: Sink) -> None:
    with working(smtps_url=sink.url) as app, pytest.raises(Exception, match="messages: expected"):
        send_many(app, letter("bob@b.example"))


def test_a_configuration_that_cannot_be_used_fails_the_task_by_its_name(
    working: Working, sink: Sink
) -> None:
    with working(smtps_url=sink.url) as app:
        app.conf.smtps_connections = 0
        with pytest.raises(Exception, match="smtps_connections: expected a whole number"):
            send(app, letter("bob@b.example"))
