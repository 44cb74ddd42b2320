"""The queue where connections and answers are lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from smtps import (
    ConnectionFailed,
    InDoubt,
    Interrupted,
    SMTPSError,
)
from smtps.testing import Fault, Sink
from tests.support.fronts import Front
from tests.support.queues import history, states
from tests.support.queuing import failing, process, queue


def test_a_connection_that_cannot_be_made_changes_no_file(front: Front, tmp_path: Path) -> None:
    name = queue(front, tmp_path)
    before = (tmp_path / name).read_bytes()
    smtp = front.make(mail_server="127.0.0.1", mail_port=1, ssl_start_mode=3)
    with pytest.raises(ConnectionFailed):
        front.run(smtp.process_queue(tmp_path))
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("place", ["MAIL", "RCPT", "DATA"])
def test_a_connection_lost_before_the_end_of_the_content_means_later(
    front: Front, tmp_path: Path, place: str
) -> None:
    name = queue(front, tmp_path)
    with Sink(faults=[Fault(on=place, drop=True)]) as sink:
        process(front, tmp_path, sink)
    assert os.listdir(tmp_path) == [name]
    assert history(tmp_path / name)[-1]["results"][0][1] == "not sent"


def test_a_connection_that_is_used_up_is_replaced_at_once(front: Front, tmp_path: Path) -> None:
    for _ in range(5):
        queue(front, tmp_path)
    faults = [Fault(on="MAIL", nth={3, 6}, reply="421 too many messages", drop=True)]
    with Sink(faults=faults) as sink:
        process(front, tmp_path, sink)
    assert sink.count == 5
    assert len(sink.connections) == 3
    assert states(tmp_path) == []


def test_a_lost_final_reply_is_held_in_doubt_until_somebody_decides(
    front: Front, tmp_path: Path
) -> None:
    name = queue(front, tmp_path).replace(".queued", ".sending")
    with Sink(faults=[Fault(on=".", nth=1, silent=True, drop=True)]) as sink:
        error = failing(front, tmp_path, sink)
        assert list(error.in_doubt) == [name]
        assert os.listdir(tmp_path) == [name]
        assert list(failing(front, tmp_path, sink).in_doubt) == [name]
        assert sink.count == 1
        process(front, tmp_path, sink, queue_in_doubt=InDoubt.RESEND)
    assert sink.count == 2
    first, second = (message.content for message in sink.messages)
    assert first == second
    assert states(tmp_path) == []


def test_assume_sent_ends_the_doubt_without_a_second_copy(front: Front, tmp_path: Path) -> None:
    queue(front, tmp_path)
    with Sink(faults=[Fault(on=".", nth=1, silent=True, drop=True)]) as sink:
        process(front, tmp_path, sink, queue_in_doubt="assume-sent")
    assert sink.count == 1
    assert states(tmp_path) == []


def test_the_words_of_a_refusal_that_came_as_the_last_ones_decide(
    front: Front, tmp_path: Path
) -> None:
    queue(front, tmp_path)
    with Sink(faults=[Fault(on=".", reply="554 5.6.0 spam", drop=True)]) as sink:
        assert "554 5.6.0 spam" in str(failing(front, tmp_path, sink))


def test_a_stale_file_that_was_not_handed_over_is_sent(front: Front, tmp_path: Path) -> None:
    name = queue(front, tmp_path)
    (tmp_path / name).rename(tmp_path / name.replace(".queued", ".sending"))
    with Sink() as sink:
        process(front, tmp_path, sink)
    assert sink.count == 1
    assert states(tmp_path) == []


def test_interrupt_ends_the_run_and_gives_the_message_back(front: Front, tmp_path: Path) -> None:
    name = queue(front, tmp_path)
    with Sink() as sink:
        smtp = front.at(sink.url)

        def stop(event: Any) -> None:
            if event.message.startswith("RCPT"):
                smtp.interrupt()

        smtp.on_pi_trail = stop
        with pytest.raises(Interrupted):
            front.run(smtp.process_queue(tmp_path))
    assert os.listdir(tmp_path) == [name]
    assert smtp.idle


def test_a_handler_that_raises_ends_the_run_and_loses_nothing(front: Front, tmp_path: Path) -> None:
    name = queue(front, tmp_path)

    def fail(event: Any) -> None:
        if event.message == "DATA":
            raise ZeroDivisionError

    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_pi_trail = fail
        with pytest.raises(ZeroDivisionError):
            front.run(smtp.process_queue(tmp_path))
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("KeepQueue", "true", "true"),
        ("QueueStopOnError", "1", "true"),
        ("QueueInDoubt", "assume-sent", "assume-sent"),
        ("queueindoubt", "RESEND", "resend"),
        ("QueueInDoubt", "0", "hold"),
    ],
)
def test_the_settings_of_the_queue_are_read_and_written_as_text(
    front: Front, name: str, value: str, text: str
) -> None:
    smtp = front.make()
    smtp.config(f"{name}={value}")
    assert smtp.config(name) == text


def test_a_policy_that_is_none_is_refused(front: Front) -> None:
    with pytest.raises(SMTPSError, match="queue_in_doubt: 'guess' is none of 0 HOLD"):
        front.make(queue_in_doubt="guess")
