"""`smtps sendmail` does what its callers expect of /usr/sbin/sendmail."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from smtps import Outbox
from smtps.cli import main
from smtps.testing import Fault, Sink

LETTER = b"From: ann@a.example\nTo: bob@b.example\nBcc: eve@b.example\nSubject: Hi\n\nHello\n"


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    with Sink() as sink:
        monkeypatch.setenv("SMTPS_URL", sink.url)
        monkeypatch.setenv("SMTPS_DOMAIN", "h.example")
        yield sink


def sendmail(monkeypatch: pytest.MonkeyPatch, data: bytes, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    return main(["sendmail", *arguments])


# --- who gets it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [["-t", "-i"], ["-ti"], ["-it"], ["-t", "-oi"], ["-toi"]])
def test_t_takes_the_recipients_of_the_headers_and_bcc_goes_out_in_none(
    flags: list[str], sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sendmail(monkeypatch, LETTER, *flags) == 0
    (message,) = sink.messages
    assert message.recipients == ("bob@b.example", "eve@b.example")
    assert b"eve" not in message.content


def test_without_t_only_those_named_get_it(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sendmail(monkeypatch, LETTER, "-i", "--", "x@b.example", "y@b.example") == 0
    assert sink.messages[0].recipients == ("x@b.example", "y@b.example")


def test_with_t_those_named_are_added_once(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sendmail(monkeypatch, LETTER, "-t", "x@b.example,bob@b.example") == 0
    assert sink.messages[0].recipients == ("x@b.example", "bob@b.example", "eve@b.example")


def test_a_user_without_a_name_sends_by_its_number(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    # As in a container that was given a number and no name.
    monkeypatch.setattr(os, "getuid", lambda: 4_294_967_000)
    assert sendmail(monkeypatch, b"To: bob@b.example\n\nHello\n", "-t") == 0
    assert sink.messages[0].sender == "4294967000@h.example"


def test_an_address_without_a_domain_gets_the_own_one(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"From: root (Cron Daemon)\nTo: admin\n\nx\n"
    flags = ["-t", "-FCronDaemon", "-i", "-B8BITMIME", "-oem"]
    assert sendmail(monkeypatch, data, *flags, "root") == 0
    (message,) = sink.messages
    assert message.sender == "root@h.example"
    assert message.recipients == ("root@h.example", "admin@h.example")


def test_behind_two_dashes_a_recipient_is_no_option(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sendmail(monkeypatch, LETTER, "--", "-oQ/tmp@x.example") == 0
    assert sink.messages[0].recipients == ("-oQ/tmp@x.example",)


def test_behind_the_first_recipient_nothing_is_an_option(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("bob@x.example", "-oQ/tmp@x.example", "-X/tmp/log@x.example", "-t")
    assert sendmail(monkeypatch, LETTER, *given) == 0
    assert sink.messages[0].recipients == (*given[:3], "-t@h.example")


# --- who it is from -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "sender"),
    [
        (["-f", "x@a.example"], "x@a.example"),
        (["-fx@a.example"], "x@a.example"),
        (["-r", "x"], "x@h.example"),
        (["-f", "<>"], ""),
        (["-f", ""], ""),
        ([], "ann@a.example"),
    ],
)
def test_the_envelope_is_from_whom_f_names_or_else_the_author(
    flags: list[str], sender: str, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sendmail(monkeypatch, LETTER, *flags, "bob@b.example") == 0
    assert sink.messages[0].sender == sender


def test_the_configured_sender_goes_before_the_author(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPS_SENDER", "me@a.example")
    assert sendmail(monkeypatch, LETTER, "bob@b.example") == 0
    assert sink.messages[0].sender == "me@a.example"


# --- what arrives ---------------------------------------------------------------------------------


def test_what_every_message_must_have_is_added(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sendmail(monkeypatch, b"just text\n", "-F", "Jörg", "-fme", "bob@b.example") == 0
    message = message_from_bytes(sink.messages[0].content)
    assert message["From"] == "=?utf-8?b?SsO2cmc=?= <me@h.example>"
    assert message["Date"]
    assert message["Message-ID"].endswith("@h.example>")
    assert message.get_payload() == "just text\r\n"


def test_what_is_there_stays_as_it_is(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"FROM:  a@b.example\nDate:\tnow\nmessage-id: <x>\nX: a  b\n\n  Hi\n\n"
    assert sendmail(monkeypatch, data, "bob@b.example") == 0
    assert sink.messages[0].content == data.replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    ("flags", "kept"), [([], b"one\r\n"), (["-i"], b"one\r\n.\r\ntwo\r\n")], ids=["", "-i"]
)
def test_a_lone_dot_ends_the_message_unless_i_says_otherwise(
    flags: list[str], kept: bytes, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sendmail(monkeypatch, b"A: b\n\none\n.\ntwo\n", *flags, "bob@b.example") == 0
    assert sink.messages[0].content.partition(b"\r\n\r\n")[2] == kept


def test_reports_are_asked_for(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["-N", "failure,delay", "-R", "hdrs", "-V", "id7"]
    assert sendmail(monkeypatch, LETTER, *flags, "bob@b.example") == 0
    (message,) = sink.messages
    assert message.parameters["RET"] == "HDRS"
    assert message.parameters["ENVID"] == "id7"
    assert message.recipient_parameters[0]["NOTIFY"] == "FAILURE,DELAY"


def test_v_shows_the_conversation_without_the_password(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sendmail(monkeypatch, LETTER, "-v", "bob@b.example") == 0
    shown = capsys.readouterr().out
    assert ">>> EHLO" in shown
    assert "<<< 250 2.0.0 OK" in shown


# --- what cannot be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "words", "status"),
    [
        (["-bs"], "-bs: not to be had; -bm, -bp and -bi are; send with SMTP", 64),
        (["-bd"], "-bd: not to be had", 64),
        (["-X/tmp/log"], "-X: not taken", 64),
        (["-C/tmp/cf"], "-C: not taken; another configuration is named by SMTPS_CONFIG", 64),
        (["-OQueueDirectory=/tmp"], "-O: not taken", 64),
        (["-oQ/tmp"], "-oQ/tmp: not taken", 64),
        (["--password-command=touch /tmp/x"], "--password-command=touch /tmp/x: unknown", 64),
        (["-z"], "-z: unknown; see smtps sendmail --help", 64),
        (["-f"], "-f: expected a value", 64),
        (["-N", "sometimes", "b@b.example"], "-N: ", 64),
        (["-R", "some", "b@b.example"], "-R: ", 64),
        ([], "no recipients: name them, or say -t", 64),
        (["a b"], "recipient: ", 65),
        (["-f", "a b", "b@b.example"], "-f: ", 65),
    ],
)
def test_what_is_not_to_be_had_is_one_line(
    flags: list[str],
    words: str,
    status: int,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert sendmail(monkeypatch, LETTER, *flags) == status
    complaint = capsys.readouterr().err
    assert words in complaint
    assert complaint.count("\n") == 1
    assert sink.count == 0


def test_headers_that_name_nobody_are_65(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sendmail(monkeypatch, b"Subject: x\n\n", "-t") == 65


@pytest.mark.parametrize(
    ("reply", "status"), [("450 4.2.0 later", 75), ("550 5.1.1 no such user", 67)]
)
def test_a_refusal_is_said_and_its_status_tells_whether_to_try_again(
    reply: str,
    status: int,
    sink: Sink,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sink.add_fault(Fault(on="RCPT", reply=reply))
    assert sendmail(monkeypatch, LETTER, "bob@b.example") == status
    assert reply in capsys.readouterr().err


def test_a_relay_that_is_down_is_75(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPS_URL", "smtp://127.0.0.1:1?tls=none")
    assert sendmail(monkeypatch, LETTER, "bob@b.example") == 75


# --- the queue ------------------------------------------------------------------------------------


def test_into_an_outbox_and_out_of_it(
    sink: Sink,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SMTPS_OUTBOX", str(tmp_path))
    assert sendmail(monkeypatch, LETTER, "-t") == 0
    assert sink.count == 0
    assert len(Outbox(tmp_path).list()) == 1
    assert main(["sendmail", "-bp"]) == 0
    assert "to bob@b.example, eve@b.example" in capsys.readouterr().out
    assert main(["sendmail", "-q15m"]) == 0
    assert sink.messages[0].recipients == ("bob@b.example", "eve@b.example")


def test_an_outbox_that_is_not_there_is_75_so_that_the_caller_keeps_the_message(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPS_OUTBOX", "/no/such")
    assert sendmail(monkeypatch, LETTER, "-t") == 75
    assert "/no/such" in capsys.readouterr().err


def test_without_an_outbox_there_is_no_queue_to_list_or_to_run(
    sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sendmail", "-bp"]) == 0
    assert "delivered at once" in capsys.readouterr().out
    assert main(["sendmail", "-q"]) == 0
    assert main(["sendmail", "-bi"]) == 0


def test_called_as_sendmail_it_is_sendmail(sink: Sink, tmp_path: Path) -> None:
    link = tmp_path / "sendmail"
    link.write_text(f"#!{sys.executable}\nfrom smtps.cli import main\nraise SystemExit(main())\n")
    link.chmod(0o755)
    command = [str(link), "-t", "-i"]
    done = subprocess.run(command, input=LETTER, env=os.environ, timeout=60, check=False)
    assert done.returncode == 0
    assert sink.count == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(on=".", stall=True), "interrupted before the answer came; perhaps sent"),
        (Fault(on="greeting", stall=True), "interrupted; nothing was sent"),
    ],
    ids=["on its way", "before"],
)
def test_ctrl_c_says_whether_the_message_is_on_its_way(fault: Fault, words: str) -> None:
    with Sink(faults=[fault]) as sink:
        with subprocess.Popen(
            [sys.executable, "-m", "smtps.cli", "sendmail", "bob@b.example"],
            env={**os.environ, "SMTPS_URL": sink.url},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(b"From: ann@a.example\n\nHi\n")
            process.stdin.close()
            sink.wait_until(lambda: begins(sink, fault), 60)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            assert process.stderr.read().decode() == f"smtps: {words}\n"
        assert process.returncode == 130


def begins(sink: Sink, fault: Fault) -> bool:
    if fault.on == "greeting":
        return bool(sink.connections)
    return any("BDAT" in line for line in sink.commands)
