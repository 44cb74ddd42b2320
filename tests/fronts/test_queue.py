"""`queue` and `process_queue` of both components."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from smtps import (
    BadValue,
    Error,
    QueueError,
)
from smtps.testing import Fault, Sink
from tests.support.fronts import Front
from tests.support.queues import Clock, history, put, states
from tests.support.queuing import failing, fill, process, queue

# --- queue ----------------------------------------------------------------------------------------


def test_queue_gives_the_name_of_a_private_file_without_secrets(
    front: Front, tmp_path: Path
) -> None:
    smtp = fill(front.make(mail_server="relay.example", user="user", password="S3cr3t!"))
    name = front.run(smtp.queue(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert name.endswith(".queued")
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    data = (tmp_path / name).read_bytes()
    assert b"S3cr3t!" not in data
    assert b"relay.example" not in data
    assert data.startswith(b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b.example>\n")


def test_the_file_names_every_recipient_with_type_and_options(front: Front, tmp_path: Path) -> None:
    smtp = fill(front.make(), cc="c@y.example", bcc="d@y.example")
    smtp.message_recipients[0].options = "NOTIFY=SUCCESS,DELAY"
    name = front.run(smtp.queue(tmp_path))
    lines = (tmp_path / name).read_text().splitlines()
    assert lines[2:5] == [
        "X-Envelope-To: <x@y.example> type=To required options=NOTIFY=SUCCESS,DELAY",
        "X-Envelope-To: <c@y.example> type=Cc required",
        "X-Envelope-To: <d@y.example> type=BCc",
    ]
    assert "d@y.example" not in "\n".join(lines[6:])


def test_the_message_goes_out_as_send_would_send_it(front: Front, tmp_path: Path) -> None:
    queue(front, tmp_path, subject="Grüße", message_id="<1@b.example>", bcc="d@y.example")
    with Sink() as sink:
        process(front, tmp_path, sink)
        smtp = fill(front.at(sink.url), subject="Grüße", message_id="<1@b.example>")
        smtp.bcc = "d@y.example"
        smtp.message_date = sink.messages[0].content.split(b"Date: ")[1].split(b"\r\n")[0].decode()
        front.send(smtp)
    queued, sent = sink.messages
    assert queued.content == sent.content
    assert queued.recipients == sent.recipients == ("x@y.example", "d@y.example")


def test_two_messages_that_are_queued_have_different_identifiers(
    front: Front, tmp_path: Path
) -> None:
    smtp = fill(front.make())
    found = []
    for _ in range(2):
        name = front.run(smtp.queue(tmp_path))
        found.append((tmp_path / name).read_bytes().split(b"Message-ID: ")[1].split(b"\r\n")[0])
    assert found[0] != found[1]
    assert smtp.last_message_id.encode() == found[1]


def test_a_missing_folder_is_refused_before_anything(front: Front, tmp_path: Path) -> None:
    smtp = fill(front.make(mail_server="127.0.0.1", mail_port=1))
    with pytest.raises(BadValue, match="is not a folder; create it first"):
        front.run(smtp.queue(tmp_path / "missing"))
    with pytest.raises(BadValue, match="is not a folder; create it first"):
        front.run(smtp.process_queue(tmp_path / "missing"))


def test_a_message_that_could_not_be_sent_is_not_queued(front: Front, tmp_path: Path) -> None:
    with pytest.raises(BadValue) as caught:
        queue(front, tmp_path, from_="")
    assert caught.value.code == 164
    assert states(tmp_path) == []


# --- process_queue --------------------------------------------------------------------------------


def test_an_empty_folder_opens_no_connection(front: Front, tmp_path: Path) -> None:
    smtp = front.make(mail_server="127.0.0.1", mail_port=1, timeout=1)
    front.run(smtp.process_queue(tmp_path))


def test_messages_go_in_their_order_over_one_connection(front: Front, tmp_path: Path) -> None:
    for number in range(5):
        queue(front, tmp_path, subject=str(number))
    with Sink() as sink:
        smtp = process(front, tmp_path, sink)
        assert not smtp.connected
    found = [message.content.split(b"Subject: ")[1][:1] for message in sink.messages]
    assert found == [b"0", b"1", b"2", b"3", b"4"]
    assert len(sink.connections) == 1
    assert states(tmp_path) == []
    assert sink.violations == []


def test_a_session_that_was_up_stays_up(front: Front, tmp_path: Path) -> None:
    queue(front, tmp_path)
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        front.run(smtp.process_queue(tmp_path))
        assert smtp.connected
        front.disconnect(smtp)
    assert sink.count == 1


def test_the_message_of_the_properties_is_not_changed(front: Front, tmp_path: Path) -> None:
    queue(front, tmp_path)
    with Sink() as sink:
        smtp = fill(front.at(sink.url), subject="mine", send_to="me@y.example")
        front.run(smtp.process_queue(tmp_path))
    assert (smtp.subject, smtp.send_to) == ("mine", "me@y.example")


def test_a_file_is_named_sending_while_it_is_sent(front: Front, tmp_path: Path) -> None:
    name = queue(front, tmp_path)
    seen = []
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_pi_trail = lambda event: seen.append((event.message, os.listdir(tmp_path)))
        front.run(smtp.process_queue(tmp_path))
    sending = name.replace(".queued", ".sending")
    assert next(files for message, files in seen if message == "DATA") == [sending]


def test_keep_queue_names_a_file_sent_and_sends_it_never_again(
    front: Front, tmp_path: Path
) -> None:
    name = queue(front, tmp_path)
    with Sink() as sink:
        process(front, tmp_path, sink, keep_queue=True)
        process(front, tmp_path, sink, keep_queue=True)
    assert os.listdir(tmp_path) == [name.replace(".queued", ".sent")]
    assert sink.count == 1


def test_a_refused_message_fails_and_the_run_goes_on(front: Front, tmp_path: Path) -> None:
    names = [queue(front, tmp_path, send_to=f"{who}@y.example") for who in ("x", "gone", "z")]
    with Sink(faults=[Fault(on="RCPT", when="gone@", reply="550 5.1.1 no such user")]) as sink:
        error = failing(front, tmp_path, sink)
    failed = names[1].replace(".queued", ".failed")
    assert sink.count == 2
    assert list(error.failed) == [failed]
    assert "550 5.1.1 no such user" in str(error)
    assert sorted(os.listdir(tmp_path)) == [failed, failed.replace(".failed", ".reason")]
    assert "550 5.1.1 no such user" in (tmp_path / failed.replace("failed", "reason")).read_text()


def test_many_failures_are_all_named_but_not_in_one_sentence(front: Front, tmp_path: Path) -> None:
    names = [put(tmp_path) for _ in range(30)]
    with Sink(faults=[Fault(on="RCPT", reply="550 no")]) as sink:
        error = failing(front, tmp_path, sink)
    assert list(error.failed) == [f"{name}.failed" for name in names]
    assert str(error).endswith("; and 10 more")


def test_a_refused_copy_that_nobody_knows_of_does_not_fail_the_message(
    front: Front, tmp_path: Path
) -> None:
    queue(front, tmp_path, bcc="gone@y.example")
    errors: list[Error] = []
    with Sink(faults=[Fault(on="RCPT", when="gone@", reply="550 no")]) as sink:
        smtp = front.at(sink.url)
        smtp.on_error = errors.append
        front.run(smtp.process_queue(tmp_path))
    assert sink.count == 1
    assert states(tmp_path) == []
    assert [error.description for error in errors] == ["<gone@y.example> was refused: 550 no"]


def test_queue_stop_on_error_stops_at_the_first_that_fails(front: Front, tmp_path: Path) -> None:
    for who in ("x", "gone", "z"):
        queue(front, tmp_path, send_to=f"{who}@y.example")
    with Sink(faults=[Fault(on="RCPT", when="gone@", reply="550 no")]) as sink:
        failing(front, tmp_path, sink, queue_stop_on_error=True)
    assert sink.count == 1
    assert sorted(states(tmp_path)) == [".failed", ".queued", ".reason"]


@pytest.mark.parametrize("data", [b"", b"no queue file\n", b"X-SMTPS-Queue: 1\n\n", b"\0" * 9999])
def test_a_malformed_file_fails_with_its_reason_and_the_run_goes_on(
    front: Front, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "0.queued").write_bytes(data)
    queue(front, tmp_path)
    with Sink() as sink:
        error = failing(front, tmp_path, sink)
    assert list(error.failed) == ["0.failed"]
    assert sink.count == 1
    assert (tmp_path / "0.failed").read_bytes() == data
    assert (tmp_path / "0.reason").read_text() == error.failed["0.failed"] + "\n"


def test_what_is_no_message_of_ours_is_left_alone(front: Front, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"root:x:0:0")
    (tmp_path / "link.queued").symlink_to(secret)
    os.mkfifo(tmp_path / "fifo.queued")
    (tmp_path / "folder.queued").mkdir()
    (tmp_path / "-x.queued").write_bytes(b"")
    (tmp_path / "a\nb.queued").write_bytes(b"")
    os.link(tmp_path / f"{put(tmp_path)}.queued", tmp_path / "twice.queued")
    before = sorted(os.listdir(tmp_path))
    errors: list[Error] = []
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_error = errors.append
        front.run(smtp.process_queue(tmp_path))
    assert sink.count == 0
    assert sorted(os.listdir(tmp_path)) == before
    assert len(errors) == 7
    assert all("left alone" in error.description for error in errors)


def test_a_file_that_a_person_wrote_is_sent(front: Front, tmp_path: Path) -> None:
    (tmp_path / "mine.queued").write_bytes(
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <ann@a.example>\n"
        b"X-Envelope-To: <bob@b.example> type=To\n\nSubject: by hand\n\n.Hello\n"
    )
    with Sink(faults=[Fault(on="MAIL", nth=1, reply="451 later")]) as sink:
        process(front, tmp_path, sink)
        assert states(tmp_path) == [".queued"]
        lines = history(tmp_path / "mine.queued")
        assert [line["event"] for line in lines] == ["attempt"]


def test_a_deferred_message_waits_for_its_time(front: Front, tmp_path: Path, clock: Clock) -> None:
    name = queue(front, tmp_path)
    with Sink(faults=[Fault(on="MAIL", nth=1, reply="451 4.3.0 later")]) as sink:
        process(front, tmp_path, sink)
        assert os.listdir(tmp_path) == [name]
        last = history(tmp_path / name)[-1]
        assert last["results"] == [[0, "deferred", "451 4.3.0 later"]]
        assert 300 <= last["wait"] <= 375
        process(front, tmp_path, sink)
        assert sink.count == 0
        clock.advance(history(tmp_path / name)[-1]["wait"] + 1)
        process(front, tmp_path, sink)
    assert sink.count == 1
    assert states(tmp_path) == []


def test_recipients_that_have_it_are_never_sent_to_again(
    front: Front, tmp_path: Path, clock: Clock
) -> None:
    name = put(tmp_path, "bob@b.example", "eve@b.example", "gone@b.example") + ".queued"
    faults = [
        Fault(on="RCPT", when="eve@", nth=1, reply="450 later"),
        Fault(on="RCPT", when="gone@", reply="550 never"),
    ]
    with Sink(faults=faults) as sink:
        process(front, tmp_path, sink)
        clock.advance(history(tmp_path / name)[-1]["wait"] + 1)
        error = failing(front, tmp_path, sink)
    assert [message.recipients for message in sink.messages] == [
        ("bob@b.example",),
        ("eve@b.example",),
    ]
    assert "<gone@b.example>: 550 never" in str(error)
    assert "eve@" not in str(error)


def test_a_sender_that_is_refused_for_good_fails_the_message(front: Front, tmp_path: Path) -> None:
    queue(front, tmp_path)
    with Sink(faults=[Fault(on="MAIL", reply="550 5.7.1 not you")]) as sink:
        error = failing(front, tmp_path, sink)
    assert "550 5.7.1 not you" in str(error)


@pytest.mark.parametrize("place", ["RCPT", "DATA", "."])
@pytest.mark.parametrize(("reply", "state"), [("451 later", ".queued"), ("550 no", ".failed")])
def test_a_refusal_means_later_or_never_by_its_first_digit(
    front: Front, tmp_path: Path, place: str, reply: str, state: str
) -> None:
    name = queue(front, tmp_path)
    with Sink(faults=[Fault(on=place, reply=reply)]) as sink:
        if state == ".failed":
            failing(front, tmp_path, sink)
        else:
            process(front, tmp_path, sink)
    assert (tmp_path / name.replace(".queued", state)).exists()


def test_a_message_that_is_deferred_for_five_days_fails_with_its_history(
    front: Front, tmp_path: Path, clock: Clock
) -> None:
    name = queue(front, tmp_path)
    with Sink(faults=[Fault(on="MAIL", reply="451 4.3.0 later")]) as sink:
        while True:
            try:
                process(front, tmp_path, sink)
            except QueueError as error:
                reason = str(error)
                break
            clock.advance(history(tmp_path / name)[-1]["wait"] + 1)
    assert "given up after" in reason
    assert "in 5." in reason
    assert "451 4.3.0 later" in reason
    lines = history(tmp_path / name.replace(".queued", ".failed"))
    assert 20 < len(lines) < 37
    assert lines[0]["results"] == [[0, "deferred", "451 4.3.0 later"]]
