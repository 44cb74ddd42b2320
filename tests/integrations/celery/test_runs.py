"""What a task does that a broker delivers again, or that cannot be handed to one."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import Reject, SoftTimeLimitExceeded

from smtps import Pool
from smtps.integrations.celery.tasks import _Run
from smtps.integrations.celery.workers import close
from smtps.testing import Fault, Sink


class Task:
    """As much of a task as a run asks for."""

    def __init__(self, conf: dict[str, Any], *, redelivered: bool = False) -> None:
        self.app = SimpleNamespace(conf=conf)
        self.request = SimpleNamespace(
            id="7",
            delivery_info={"redelivered": redelivered},
            called_directly=False,
            is_eager=False,
        )
        self.handed_over: dict[str, Any] = {}
        self.is_broker_down = False

    def retry(self, **options: Any) -> None:
        if self.is_broker_down:
            raise Reject(ConnectionError("gone"), requeue=False)
        self.handed_over = options
        raise Again


class Again(Exception):
    pass


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink
    close()


def run(task: Task, *messages: Any, so_far: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return _Run(task, messages, so_far).result(list)


def letter(*recipients: str, **more: Any) -> dict[str, Any]:
    return {"from": "ann@a.example", "to": list(recipients), "text": "Hello", **more}


def outcomes(receipts: list[dict[str, Any]]) -> list[str]:
    return [one["outcome"] for receipt in receipts for one in receipt["results"]]


def test_without_a_record_a_second_delivery_is_unknown_whole(sink: Sink) -> None:
    task = Task({"smtps_url": sink.url}, redelivered=True)
    receipts = run(task, letter("b@b.example"), letter("c@b.example"))
    assert outcomes(receipts) == ["unknown", "unknown"]
    assert "worker ended" in receipts[0]["error"]["message"]
    assert sink.count == 0


def test_without_a_record_a_second_delivery_is_sent_where_that_is_wanted(sink: Sink) -> None:
    task = Task({"smtps_url": sink.url, "smtps_in_doubt": "resend"}, redelivered=True)
    assert outcomes(run(task, letter("b@b.example"))) == ["accepted"]


def test_what_goes_again_carries_what_is_known_and_nothing_that_is_done(sink: Sink) -> None:
    sink.add_fault(Fault(on="RCPT", when="<later@", reply="450 4.2.1 Busy"))
    task = Task({"smtps_url": sink.url})
    messages = letter("b@b.example"), letter("later@b.example")
    with pytest.raises(Again):
        run(task, *messages)
    (rest,) = task.handed_over["args"]
    so_far = task.handed_over["kwargs"]["so_far"]
    assert rest == [None, messages[1]]
    assert so_far["attempts"] == 1
    assert outcomes(so_far["receipts"]) == ["accepted", "deferred"]
    assert 48 <= task.handed_over["countdown"] <= 60
    assert "1 of 2 messages go again" in str(task.handed_over["exc"])
    with pytest.raises(Again):
        run(task, *rest, so_far=so_far)
    assert sink.count == 1
    assert 96 <= task.handed_over["countdown"] <= 120


def test_a_task_that_cannot_be_handed_to_the_broker_goes_back_to_its_queue(sink: Sink) -> None:
    sink.add_fault(Fault(on="RCPT", reply="450 4.2.1 Busy"))
    task = Task({"smtps_url": sink.url})
    task.is_broker_down = True
    with pytest.raises(Reject) as caught:
        run(task, letter("b@b.example"))
    assert caught.value.requeue


def test_what_is_in_flight_when_the_time_is_up_is_unknown_and_the_rest_goes_again(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(pool: Pool, items: Any) -> Iterator[Any]:
        first, _ = next(items), next(items)
        yield pool.send(first)
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(Pool, "send_many", interrupted)
    task = Task({"smtps_url": sink.url})
    with pytest.raises(Again):
        run(task, *(letter(f"{number}@b.example") for number in range(4)))
    found = outcomes(task.handed_over["kwargs"]["so_far"]["receipts"])
    assert found == ["accepted", "unknown", "not sent", "not sent"]
