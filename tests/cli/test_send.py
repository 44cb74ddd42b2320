"""`smtps send`: from arguments, files, standard input and the rows of a CSV."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from smtps.cli import main
from smtps.testing import Fault, Sink

ANN = ["--from", "Ann <ann@a.example>"]
MERGE = [*ANN, "--to", "{{ name }} <{{ mail }}>", "--subject", "Hi {{ name }}", "--text", "x"]


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    with Sink() as sink:
        monkeypatch.setenv("SMTPS_URL", sink.url)
        yield sink


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("name,mail\nZoë,zoe@b.example\nBob,bob@b.example\nEve,eve@b.example\n")
    return path


def arrived(sink: Sink) -> EmailMessage:
    message = message_from_bytes(sink.messages[-1].content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def type_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


# --- one message ----------------------------------------------------------------------------------


def test_a_message_is_made_of_arguments(sink: Sink, tmp_path: Path) -> None:
    file = tmp_path / "ü.bin"
    file.write_bytes(bytes(range(256)))
    arguments = [
        *["--to", "bob@b.example, Zoë <zoe@b.example>", "--to", "x@b.example"],
        *["--cc", "c@b.example", "--bcc", "eve@b.example", "--reply-to", "r@a.example"],
        *["--subject", "Grüße", "--text", "Hallo", "--html", "<p>Hallo", "--attach", str(file)],
        *["--header", "X-Kind: test", "--unsubscribe", "https://a.example/u"],
    ]
    assert main(["send", *ANN, *arguments]) == 0
    assert sink.messages[0].sender == "ann@a.example"
    assert sink.messages[0].recipients == (
        *("bob@b.example", "zoe@b.example", "x@b.example", "c@b.example", "eve@b.example"),
    )
    message = arrived(sink)
    assert (message["Subject"], message["X-Kind"], message["Bcc"]) == ("Grüße", "test", None)
    assert message["List-Unsubscribe"] == "<https://a.example/u>"
    texts = {part.get_content_type(): part for part in message.walk()}
    assert texts["text/plain"].get_payload(decode=True) == b"Hallo"
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "ü.bin"
    assert attachment.get_payload(decode=True) == bytes(range(256))


def test_the_text_is_standard_input_where_there_is_no_other(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, "Größe\n".encode())
    assert main(["send", *ANN, "--to", "bob@b.example"]) == 0
    assert arrived(sink).get_content() == "Größe\r\n"


def test_the_author_is_the_configured_sender_where_no_argument_says_one(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPS_SENDER", "me@a.example")
    assert main(["send", "--to", "bob@b.example", "--text", "x"]) == 0
    assert sink.messages[0].sender == "me@a.example"


def test_finished_messages_go_out_byte_for_byte_without_bcc(sink: Sink, tmp_path: Path) -> None:
    first, second = tmp_path / "1.eml", tmp_path / "2.eml"
    first.write_bytes(b"From: a@b.example\nTo: x@y.example\nBcc: w@y.example\nX-A:\tb \n\n\xff.\n")
    second.write_bytes(b"From: a@b.example\r\nTo: z@y.example\r\n\r\n.Hi\r\n")
    assert main(["send", str(first), str(second)]) == 0
    assert sink.messages[0].content == (
        b"From: a@b.example\r\nTo: x@y.example\r\nX-A:\tb \r\n\r\n\xff.\r\n"
    )
    assert sink.messages[0].recipients == ("x@y.example", "w@y.example")
    assert sink.messages[1].content == second.read_bytes()


def test_a_finished_message_from_standard_input_with_another_envelope(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, b"Subject: x\n\nHi\n")
    assert main(["send", "--sender", "a@b.example", "--recipient", "c@d.example"]) == 0
    assert sink.messages[0].recipients == ("c@d.example",)
    assert capsys.readouterr().out == "c@d.example accepted: 250 2.0.0 OK\n"


def test_a_dry_run_shows_the_message_and_touches_no_network(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--to", "bob@b.example", "--bcc", "e@b.example", "--text", "Hello", "--dry-run"]
    assert main(["send", *ANN, *arguments, "--url", "smtp://no.such.example"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("from <ann@a.example> to bob@b.example, e@b.example:\n\nFrom: Ann <")
    assert "Hello" in shown
    assert shown.endswith("1 message could be sent; nothing was\n")


def test_json_has_a_line_for_the_message_and_one_for_the_totals(
    sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", *ANN, "--to", "bob@b.example", "--text", "x", "--json"]) == 0
    receipt, totals = map(json.loads, capsys.readouterr().out.splitlines())
    assert receipt["ok"] is True
    assert receipt["results"][0]["address"] == "bob@b.example"
    assert totals["totals"]["messages"]["accepted"] == 1


# --- exit statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault(on="RCPT", reply="550 5.1.1 no such user"), 67),
        (Fault(on="RCPT", reply="450 4.2.1 later"), 75),
        (Fault(on="MAIL", reply="550 5.7.1 not you"), 69),
        (Fault(on=".", reply="554 5.6.0 not that"), 69),
        (Fault(on=".", reply="451 4.3.0 later"), 75),
        (Fault(on=".", silent=True, drop=True), 74),
        (Fault(on="greeting", reply="554 5.3.2 no"), 69),
        (Fault(on="greeting", reply="421 4.3.2 later"), 75),
        (Fault(on="greeting", reply=b"hello\r\n"), 76),
        (Fault(on="greeting", drop=True), 75),
    ],
    ids=lambda value: str(getattr(value, "reply", value)),
)
def test_the_exit_status_says_what_became_of_it(fault: Fault, status: int, sink: Sink) -> None:
    sink.add_fault(fault)
    assert main(["send", *ANN, "--to", "bob@b.example", "--text", "x"]) == status


def test_a_refused_login_is_77_and_no_tls_is_76(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = [*ANN, "--to", "bob@b.example", "--text", "x"]
    with Sink(tls="starttls", users={"me": "right"}, require_auth=True) as sink:
        monkeypatch.setenv("SMTPS_PASSWORD", "wrong")
        url = f"smtp://me@127.0.0.1:{sink.port}"
        assert main(["send", *message, "--url", f"{url}?openssl_ca_file={sink.ca_file}"]) == 77
        assert main(["send", *message, "--url", url]) == 76
    assert "wrong" not in capsys.readouterr().err


def test_one_refused_among_many_recipients_is_67_and_named(
    sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    sink.add_fault(Fault(on="RCPT", when="gone@", reply="550 5.1.1 no such user"))
    assert main(["send", *ANN, "--to", "bob@b.example,gone@b.example", "--text", "x"]) == 67
    assert sink.messages[0].recipients == ("bob@b.example",)
    assert "gone@b.example refused: 550 5.1.1 no such user" in capsys.readouterr().out


def test_a_host_that_does_not_exist_is_68() -> None:
    url = ["--url", "smtp://no.such.invalid"]
    assert main(["send", *ANN, "--to", "bob@b.example", "--text", "x", *url]) == 68


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        ([*ANN, "--text", "x"], "--to: missing", 64),
        (["--to", "b@b.example", "--text", "x"], "--from: missing", 64),
        ([*ANN, "--to", "bob", "--text", "x"], "--to: 'bob' has no domain", 65),
        ([*ANN, "--to", "b@b.example", "--subject", "a\nb", "--text", "x"], "--subject: ", 65),
        ([*ANN, "--to", "b@b.example", "--header", "x", "--text", "x"], "'NAME: VALUE'", 64),
        ([*ANN, "--to", "b@b.example", "--attach", "no.pdf"], "no.pdf: cannot be read: No", 66),
        ([*ANN, "--to", "b@b.example", "--text-file", "no.txt"], "no.txt: cannot be read: No", 66),
        ([*ANN, "--to", "b@b.example", "--text", "x", "--text-file", "y"], "choose one", 64),
        (["--subjct", "x"], "--subjct: unknown option, did you mean --subject?", 64),
        (["a.eml", "--to", "b@b.example"], "--to: not for a finished message", 64),
        (["no.eml"], "no.eml: cannot be read: No such file", 66),
        (["--rate", "fast"], "--rate: 'fast': expected a rate such as", 64),
        (["--connections", "0"], "--connections: '0' is no whole number from 1", 64),
        ([*ANN, "--to", "b@b.example", "--text", "x"], "no relay is named", 78),
        ([*ANN, "--to", "b@b.example", "--header", "To: x"], "--header 'To: x': To has an", 65),
        ([*ANN, "--to", "b@b.example", "--first-row", "2"], "--first-row: only with", 64),
        (["a.eml", "--first-row", "2"], "--first-row: only with", 64),
        (["-", "-"], "standard input can be sent once only", 64),
        (
            [*ANN, "--to", "{{ m }}", "--mailing", "-"],
            "standard input holds the rows; say --te",
            64,
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str],
    words: str,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["send", *arguments]) == status
    complaint = capsys.readouterr().err
    assert complaint.startswith("smtps: ")
    assert words in complaint
    assert complaint.count("\n") == 1


def test_a_misspelled_command_is_told_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sned"]) == 64
    assert "did you mean send?" in capsys.readouterr().err


# --- many messages --------------------------------------------------------------------------------


def test_every_row_is_a_message_and_every_recipient_a_line_of_the_receipts(
    sink: Sink, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sink.add_fault(Fault(on="RCPT", when="bob@", reply="550 5.1.1 no such user"))
    receipts = tmp_path / "receipts.csv"
    arguments = [*MERGE, "--mailing", str(rows), "--receipts", str(receipts)]
    assert main(["send", *arguments]) == 67
    assert [one.recipients for one in sink.messages] == [("zoe@b.example",), ("eve@b.example",)]
    with receipts.open(newline="") as file:
        lines = sorted(csv.DictReader(file), key=lambda line: line["row"])
    assert [(one["row"], one["recipient"], one["outcome"], one["code"]) for one in lines] == [
        ("1", "zoe@b.example", "accepted", "250"),
        ("2", "bob@b.example", "refused", "550"),
        ("3", "eve@b.example", "accepted", "250"),
    ]
    captured = capsys.readouterr()
    assert "3 messages: 2 accepted, 1 refused" in captured.out
    assert "row 2: bob@b.example refused: 550 5.1.1 no such user" in captured.out


def test_rows_may_come_from_a_pipe(sink: Sink, rows: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, rows.read_bytes())
    os.close(writing)
    try:
        assert main(["send", *MERGE, "--mailing", f"/dev/fd/{reading}"]) == 0
    finally:
        os.close(reading)
    assert sink.count == 3


def test_where_nobody_watches_there_is_no_bar(
    sink: Sink, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", *MERGE, "--mailing", str(rows), "--json"]) == 0
    assert sink.count == 3
    assert capsys.readouterr().err == ""


def test_several_connections_share_the_rows(sink: Sink, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    lines = (f"n{number};n{number}@b.example" for number in range(300))
    path.write_text("name;mail\n" + "\n".join(lines))
    assert main(["send", *MERGE, "--mailing", str(path), "--connections", "3"]) == 0
    assert sink.count == 300
    assert len(sink.connections) == 3


def test_it_can_begin_with_a_later_row(sink: Sink, rows: Path) -> None:
    assert main(["send", *MERGE, "--mailing", str(rows), "--first-row", "3"]) == 0
    assert [one.recipients for one in sink.messages] == [("eve@b.example",)]


def test_a_row_that_cannot_be_filled_is_named_and_the_others_go_out(
    sink: Sink, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows.write_text("name,mail\nZoë,zoe@b.example\nBob,bob\nEve,eve@b.example\n")
    assert main(["send", *MERGE, "--mailing", str(rows)]) == 65
    assert sink.count == 2
    assert "row 2: not sent: to: 'bob' has no domain" in capsys.readouterr().out


def test_receipts_of_an_earlier_run_are_not_written_over(
    sink: Sink, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*MERGE, "--mailing", str(rows), "--receipts", str(rows)]
    assert main(["send", *arguments]) == 73
    assert "is there already" in capsys.readouterr().err
    assert sink.count == 0


def test_a_call_that_began_nothing_leaves_no_receipts_in_the_way_of_the_next(
    sink: Sink, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipts = tmp_path / "receipts.csv"
    arguments = [*MERGE, "--mailing", str(rows), "--receipts", str(receipts)]
    assert main(["send", *arguments, "--url", "smtp://127.0.0.1:1?tls=none"]) == 75
    assert "Connection refused" in capsys.readouterr().err
    assert not receipts.exists()
    assert main(["send", *arguments]) == 0
    assert receipts.exists()


@pytest.mark.parametrize(
    ("content", "words", "status"),
    [
        (b"nam,mail\nx,x@b.example\n", "has no such column; did you mean nam?", 65),
        (b"name,mail\n", "no rows", 65),
        (b"", "empty; the first line names the columns", 65),
        (b"name,name\nx,y\n", "two columns are called 'name'", 65),
        (b"name,mail\nx,x@b.example,z\n", "line 2 has 3 cells, and there are 2 columns", 65),
        (b"name,mail\n\xff,x@b.example\n", "not in UTF-8", 65),
        (b'name,mail\n"x,x@b.example\n', "no CSV", 65),
        (None, "cannot be read: No such file", 66),
    ],
)
def test_a_csv_that_cannot_be_used_is_named_before_anything_is_sent(
    content: bytes | None,
    words: str,
    status: int,
    rows: Path,
    sink: Sink,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows.unlink()
    if content is not None:
        rows.write_bytes(content)
    assert main(["send", *MERGE, "--mailing", str(rows)]) == status
    complaint = capsys.readouterr().err
    assert str(rows) in complaint
    assert words in complaint
    assert sink.count == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*ANN, "--to", "b@b.example"], "nothing of the message comes from it; write {{ name }}"),
        (["--from", "{{ name }} <a@a.example>", "--to", "{{ mail }}"], "--from: "),
        ([*ANN, "--to", "{{ mail }}", "--reply-to", "{{ name }} <r@a.example>"], "--reply-to: "),
    ],
)
def test_a_mailing_that_is_none_and_fields_where_none_is_filled_are_refused(
    arguments: list[str], words: str, rows: Path, sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", *arguments, "--text", "x", "--mailing", str(rows)]) == 65
    assert words in capsys.readouterr().err
    assert sink.count == 0


def test_an_option_that_cannot_be_used_is_a_wrong_configuration(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = [*ANN, "--to", "bob@b.example", "--text", "x"]
    monkeypatch.setenv("SMTPS_SSL_START_MODE", "explicit")
    monkeypatch.setenv("SMTPS_OPENSSL_CA_FILE", "/no/such")
    assert main(["send", *message]) == 78
    assert "openssl_ca_file: no authorities can be read" in capsys.readouterr().err


def test_nobody_logs_in_with_an_empty_password(
    sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    message = [*ANN, "--to", "bob@b.example", "--text", "x"]
    assert main(["send", *message, "--user", "me"]) == 78
    assert "user me: there is no password; set SMTPS_PASSWORD" in capsys.readouterr().err
    assert not sink.connections
