"""`Outbox`: the queue as a program uses it."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from smtps import (
    SMTPS,
    AddressError,
    AsyncSMTPS,
    BadValue,
    ConnectionFailed,
    Envelope,
    InDoubt,
    Item,
    Outbox,
    Report,
    Schedule,
)
from smtps.spool.claim import Claim, take
from smtps.spool.failures import QueueFolderError
from smtps.spool.folder import Folder
from smtps.testing import Fault, Sink
from tests.support.queues import CONTENT, Clock, history, open_files, put, states

AT_ONCE = Schedule(first=0)


def item(number: int = 0) -> Item:
    content = b"Message-ID: <%d@a.example>\r\n\r\nHello\r\n" % number
    return Envelope("ann@a.example", [f"bob{number}@b.example"]), content


def run(outbox: Outbox, *faults: Fault, window: int | None = None) -> tuple[Report, Sink]:
    with Sink(faults=faults) as sink, SMTPS.from_url(sink.url) as smtp:
        report = outbox.run(smtp, window=window)
    return report, sink


def die_with(path: Path, identifier: str) -> None:
    """Leave a message as a worker does that dies before the answer comes."""
    with Folder(path) as folder:
        claim = take(folder, identifier, None)
        assert isinstance(claim, Claim)
        claim.hand_over([0])
        claim.close()


def test_put_gives_the_id_of_a_file_in_the_folder(outbox: Outbox, tmp_path: Path) -> None:
    identifier = outbox.put(item())
    assert os.listdir(tmp_path) == [f"{identifier}.queued"]


def test_an_email_message_is_put_without_its_bcc(outbox: Outbox, tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = "a@a.example", "b@b.example", "c@b.example"
    message.set_content("Hello\n")
    outbox.put(message)
    _, sink = run(outbox)
    assert sink.messages[0].recipients == ("b@b.example", "c@b.example")
    assert b"c@b.example" not in sink.messages[0].content


def test_the_envelope_can_be_given_in_place_of_the_items(outbox: Outbox) -> None:
    outbox.put(item(), sender="", recipients=["x@y.example"])
    _, sink = run(outbox)
    assert (sink.messages[0].sender, sink.messages[0].recipients) == ("", ("x@y.example",))


def test_what_cannot_be_sent_is_refused_and_not_queued(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(AddressError):
        outbox.put((Envelope("a@b.example", ["c@d.example"]), b""), recipients=["no address"])
    with pytest.raises(BadValue, match="item: expected a message"):
        outbox.put("text")  # type: ignore[arg-type]
    assert states(tmp_path) == []


def test_put_many_takes_items_lazily_and_gives_their_ids_in_order(outbox: Outbox) -> None:
    taken = []

    def items() -> Iterator[Item]:
        for number in range(500):
            taken.append(number)
            yield item(number)

    names = outbox.put_many(items())
    assert len(names) == len(taken) == 500
    assert [listed.id for listed in outbox.list()] == names


def test_put_many_is_all_or_nothing(outbox: Outbox, tmp_path: Path) -> None:
    def items() -> Iterator[Item]:
        yield from map(item, range(300))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        outbox.put_many(items())
    assert states(tmp_path) == []


def test_run_sends_everything_and_says_so(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put_many(map(item, range(20)))
    report, sink = run(outbox)
    assert report == Report(sent=20)
    assert [message.recipients for message in sink.messages] == [
        (f"bob{number}@b.example",) for number in range(20)
    ]
    assert states(tmp_path) == []


def test_an_empty_folder_needs_no_server(outbox: Outbox) -> None:
    smtp = SMTPS(mail_server="127.0.0.1", mail_port=1)
    assert outbox.run(smtp) == Report()


def test_a_relay_that_is_down_counts_no_attempt(outbox: Outbox) -> None:
    outbox.put(item())
    with pytest.raises(ConnectionFailed):
        outbox.run(SMTPS(mail_server="127.0.0.1", mail_port=1, ssl_start_mode=3))
    (listed,) = outbox.list()
    assert (listed.state, listed.attempts) == ("queued", 0)


def test_progress_is_told_after_each_message(outbox: Outbox) -> None:
    outbox.put_many(map(item, range(3)))
    seen = []
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        outbox.run(smtp, progress=lambda report: seen.append(report.done))
    assert seen == [1, 2, 3]


def test_stop_ends_a_run_after_the_present_message(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put_many(map(item, range(5)))

    def watch(report: Report) -> None:
        if report.sent == 2:
            outbox.stop()

    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        report = outbox.run(smtp, window=1, progress=watch)
        assert report.sent == sink.count == 2
        assert states(tmp_path) == [".queued"] * 3
        assert outbox.run(smtp).sent == 3


def test_a_report_names_what_failed_what_waits_and_what_is_in_doubt(outbox: Outbox) -> None:
    names = outbox.put_many(map(item, range(4)))
    report, _ = run(
        Outbox(outbox.folder),
        Fault(on="RCPT", when="bob0@", reply="550 5.1.1 unknown"),
        Fault(on="RCPT", when="bob1@", reply="450 later"),
        Fault(on=".", nth=1, silent=True, drop=True),
        window=1,
    )
    assert report.failed == {names[0]: "<bob0@b.example>: 550 5.1.1 unknown"}
    assert list(report.in_doubt) == [names[2]]
    assert (report.sent, report.deferred, report.done) == (1, 1, 4)
    assert report.next_due is not None
    assert 290 < report.next_due <= 375


def test_what_is_not_due_is_counted_and_not_tried(tmp_path: Path, clock: Clock) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(item())
    run(outbox, Fault(on="MAIL", reply="451 later"))
    report, sink = run(outbox)
    assert (report.not_due, report.done, sink.count) == (1, 0, 0)
    clock.advance(380)
    report, sink = run(outbox)
    assert (report.not_due, report.sent) == (0, 1)


def test_a_clock_that_was_set_back_holds_no_message(tmp_path: Path, clock: Clock) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(item())
    run(outbox, Fault(on="MAIL", reply="451 later"))
    clock.advance(-86400)
    assert run(outbox)[0].sent == 1


def test_a_clock_that_was_set_forward_ends_no_message(tmp_path: Path, clock: Clock) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(item())
    run(outbox, Fault(on="MAIL", reply="451 later"))
    clock.advance(10 * 365 * 86400)
    report, _ = run(outbox, Fault(on="MAIL", reply="451 later"))
    assert (report.deferred, report.failed) == (1, {})


def test_a_message_that_is_required_for_all_goes_to_nobody_when_one_is_refused(
    outbox: Outbox, tmp_path: Path
) -> None:
    put(tmp_path, "bob@b.example", "gone@b.example", required=True)
    report, sink = run(outbox, Fault(on="RCPT", when="gone@", reply="550 no"))
    assert sink.count == 0
    assert "<bob@b.example>: not sent, since a recipient was refused: 550 no" in str(report.failed)


def test_list_says_why_a_message_waits_and_until_when(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(item())
    run(outbox, Fault(on="RCPT", reply="450 4.2.1 mailbox busy"))
    (listed,) = outbox.list()
    assert listed.state == "queued"
    assert listed.sender == "ann@a.example"
    assert listed.attempts == 1
    assert listed.reason == "<bob0@b.example>: 450 4.2.1 mailbox busy"
    assert listed.recipients[0].standing == "waiting"
    assert listed.queued_at is not None
    assert listed.next_attempt is not None
    assert 280 < (listed.next_attempt - listed.queued_at).total_seconds() < 400


def test_list_shows_damage_without_touching_it(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / "1.queued").write_bytes(b"no message")
    (listed,) = outbox.list("queued")
    assert (listed.id, listed.state) == ("1", "queued")
    assert "first line" in listed.reason
    assert (tmp_path / "1.queued").read_bytes() == b"no message"


def test_a_state_that_is_none_is_refused(outbox: Outbox) -> None:
    with pytest.raises(BadValue, match="states: 'lost' is none of queued, sending"):
        outbox.list("lost")


def test_count_gives_the_files_of_every_state(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put_many(map(item, range(3)))
    run(outbox, Fault(on="RCPT", nth=1, reply="550 no"), Fault(on="RCPT", nth=2, reply="450 no"))
    assert outbox.count() == {"queued": 1, "sending": 0, "failed": 1, "sent": 0}


def test_retry_makes_a_failed_message_due_for_those_who_lack_it(
    outbox: Outbox, tmp_path: Path
) -> None:
    identifier = put(tmp_path, "bob@b.example", "gone@b.example")
    report, _ = run(outbox, Fault(on="RCPT", when="gone@", reply="550 no"))
    assert list(report.failed) == [identifier]
    outbox.retry(identifier)
    assert states(tmp_path) == [".queued"]
    report, sink = run(outbox)
    assert report.sent == 1
    assert [message.recipients for message in sink.messages] == [("gone@b.example",)]


@pytest.mark.parametrize("relay", [None, "smtp://mail.example", AsyncSMTPS()])
def test_a_run_needs_a_connection_or_a_pool(outbox: Outbox, relay: Any) -> None:
    with pytest.raises(BadValue, match="smtp_or_pool: expected an SMTPS or a Pool, not"):
        outbox.run(relay)


@pytest.mark.parametrize("items", [None, 5, "items", item(), EmailMessage()])
def test_one_message_is_not_many(outbox: Outbox, items: Any) -> None:
    with pytest.raises(BadValue, match="items: expected"):
        outbox.put_many(items)
    assert not outbox.list()


def test_a_file_that_changes_while_it_is_put_is_not_queued(outbox: Outbox) -> None:
    class Cut(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(size)[:1] if self.tell() == 0 else b""

    envelope = Envelope("ann@a.example", ["bob@b.example"])
    with pytest.raises(BadValue, match="content: its size changed from 14 bytes"):
        outbox.put((envelope, Cut(b"Subject: x\r\n\r\n")))
    assert not outbox.list()


def test_retry_makes_a_waiting_message_due(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    identifier = outbox.put(item())
    run(outbox, Fault(on="MAIL", reply="451 later"))
    outbox.retry(identifier)
    assert run(outbox)[0].sent == 1


def test_retry_ends_a_doubt_by_sending_again(outbox: Outbox) -> None:
    identifier = outbox.put(item())
    run(outbox, Fault(on=".", silent=True, drop=True))
    assert outbox.list()[0].state == "in doubt"
    outbox.retry(f"{identifier}.sending")
    assert run(outbox)[0].sent == 1


def test_retry_ends_the_doubt_about_what_a_dead_worker_had_handed_over(
    outbox: Outbox, tmp_path: Path
) -> None:
    identifier = outbox.put(item())
    die_with(tmp_path, identifier)
    outbox.retry(identifier)
    assert run(outbox)[0].sent == 1


def test_retry_of_what_was_sent_or_never_was_is_refused(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, keep=True)
    identifier = outbox.put(item())
    run(outbox)
    with pytest.raises(BadValue, match="it was sent"):
        outbox.retry(identifier)
    with pytest.raises(BadValue, match=r"id: there is no such message .*'20261125T085012'"):
        outbox.retry("20261125T085012")


def test_remove_takes_a_failed_message_away_with_its_reason(outbox: Outbox, tmp_path: Path) -> None:
    identifier = outbox.put(item())
    run(outbox, Fault(on="RCPT", reply="550 no"))
    outbox.remove(identifier)
    assert states(tmp_path) == []
    with pytest.raises(BadValue, match="no such message"):
        outbox.remove(identifier)


@pytest.mark.parametrize("act", [Outbox.retry, Outbox.remove])
def test_a_message_that_is_being_sent_is_not_touched(
    outbox: Outbox, tmp_path: Path, act: object
) -> None:
    identifier = put(tmp_path)
    seen = []

    def during(event: object) -> None:
        if "RCPT" in str(event):
            with pytest.raises(BadValue, match="sending it now"):
                act(outbox, identifier)  # type: ignore[operator]
            seen.append(outbox.list()[0].state)

    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        smtp.on_pi_trail = during
        assert outbox.run(smtp).sent == 1
    assert seen
    assert set(seen) == {"sending"}


@pytest.mark.parametrize("id_", ["../x", "a/b", "", ".", "x\0", "-rf"])
def test_an_id_that_leads_elsewhere_is_refused(outbox: Outbox, id_: str) -> None:
    for act in (outbox.retry, outbox.remove):
        with pytest.raises(BadValue, match=r"id: .* is not the id"):
            act(id_)


def test_the_policy_for_doubt_is_given_by_value_or_by_name(tmp_path: Path) -> None:
    for value in (InDoubt.ASSUME_SENT, "assume-sent"):
        outbox = Outbox(tmp_path, in_doubt=value, schedule=AT_ONCE)
        outbox.put(item())
        report, sink = run(outbox, Fault(on=".", silent=True, drop=True))
        assert (report.sent, sink.count) == (1, 1)
    with pytest.raises(BadValue, match="in_doubt: 'guess'"):
        Outbox(tmp_path, in_doubt="guess")


def test_resend_sends_the_same_bytes_until_there_is_an_answer(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, in_doubt=InDoubt.RESEND, schedule=AT_ONCE)
    outbox.put((Envelope("ann@a.example", ["bob@b.example"]), CONTENT))
    lost = Fault(on=".", nth={1, 2}, silent=True, drop=True)
    with Sink(faults=[lost]) as sink, SMTPS.from_url(sink.url) as smtp:
        while outbox.list():
            outbox.run(smtp)
    assert [message.content for message in sink.messages] == [CONTENT] * 3


def test_a_content_that_a_worker_cannot_read_any_more_is_not_half_sent(
    outbox: Outbox, tmp_path: Path
) -> None:
    identifier = put(tmp_path, content=b"Subject: x\r\n\r\n" + b"x" * 300_000 + b"\r\n")
    file = tmp_path / f"{identifier}.queued"
    data = bytearray(file.read_bytes())
    data[-10] ^= 1
    file.write_bytes(data)
    report, sink = run(outbox)
    assert sink.count == 0
    assert report.failed == {identifier: "the checksum of the content does not match"}


def test_the_history_of_a_failed_message_is_whole(tmp_path: Path, clock: Clock) -> None:
    outbox = Outbox(tmp_path, schedule=Schedule(first=60, lifetime=100))
    identifier = outbox.put(item())
    for _ in range(3):
        run(outbox, Fault(on="RCPT", reply="450 4.2.1 busy"))
        clock.advance(300)
    lines = [
        line for line in history(tmp_path / f"{identifier}.failed") if line["event"] == "attempt"
    ]
    assert [line["results"][0][1] for line in lines] == ["deferred", "refused"]
    assert lines[1]["results"][0][2].startswith("given up after 2 attempts in 0.0 days: 450 4.2.1")


def test_no_descriptor_is_left_behind(outbox: Outbox, tmp_path: Path) -> None:
    outbox.put_many(map(item, range(5)))
    (tmp_path / "0.queued").write_bytes(b"damaged")
    os.mkfifo(tmp_path / "1.queued")
    before = len(os.listdir("/proc/self/fd"))
    faults = [Fault(on="RCPT", when="bob1", reply="550 no"), Fault(on=".", nth=2, drop=True)]
    with Sink(faults=faults) as sink:
        smtp = SMTPS.from_url(sink.url)
        during = len(os.listdir("/proc/self/fd"))
        outbox.run(smtp)
        assert len(os.listdir("/proc/self/fd")) - during <= 1
    assert len(os.listdir("/proc/self/fd")) <= before


def test_what_cannot_be_put_in_doubt_is_not_kept_locked(
    outbox: Outbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identifier = outbox.put(item())
    die_with(tmp_path, identifier)
    # As a power cut leaves it, which undoes renames.
    (tmp_path / f"{identifier}.sending").rename(tmp_path / f"{identifier}.queued")

    def full(*_: object, **__: object) -> None:
        raise QueueFolderError("q", "writing", OSError(errno.ENOSPC, "the disk is full"))

    monkeypatch.setattr(Claim, "note", full)
    with pytest.raises(QueueFolderError):
        run(outbox)
    assert open_files(tmp_path) == []


def test_a_folder_that_vanished_in_mid_run_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "queue"
    path.mkdir()
    with Folder(path) as folder:
        path.rmdir()
        with pytest.raises(FileNotFoundError):
            folder.check()
