"""`smtps probe` shows a server as it is, with any certificate, and tells it no password."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from smtps.cli import main
from smtps.cli.probe import _certificate
from smtps.testing import Fault, Sink
from tests.support.postfix import Postfix


def probe(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, int]:
    status = main(["probe", "--json", *arguments])
    return json.loads(capsys.readouterr().out), status


def test_a_server_with_starttls_is_shown_from_both_sides_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink(tls="starttls") as sink:
        facts, status = probe(capsys, sink.url, "--count", "3")
        assert sum(line == "NOOP" for line in sink.commands) == 3
    assert status == 0
    assert "STARTTLS" in facts["before_tls"]
    assert "AUTH PLAIN LOGIN" not in facts["before_tls"]
    assert "AUTH PLAIN LOGIN" in facts["after_tls"]
    assert facts["tls"]["version"] == "TLSv1.3"
    assert facts["tls"]["certificate"] == "OK"
    assert facts["tls"]["chain"][0]["subject"] == "CN=localhost"
    assert facts["auth"] == ["PLAIN", "LOGIN"]
    assert facts["window"] == "BDAT"
    assert 0 < facts["seconds"]["round_trip"] < 10


def test_text_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    with Sink(tls="implicit") as sink:
        assert main(["probe", sink.url]) == 0
    shown = capsys.readouterr().out
    assert "certificate trusted" in shown
    assert "29 days left" in shown or "30 days left" in shown
    assert "limits      messages of 104.9 MB" in shown
    assert "the median of 5 NOOPs" in shown
    assert "none waits for an answer" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_a_certificate_that_cannot_be_trusted_is_said_and_is_76(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink(tls="starttls") as sink:
        assert main(["probe", f"127.0.0.1:{sink.port}"]) == 76
        assert "AUTH PLAIN LOGIN" in capsys.readouterr().out
        facts, _ = probe(capsys, f"127.0.0.1:{sink.port}")
    assert facts["tls"]["certificate"] == "unable to get local issuer certificate"


def test_a_server_without_tls_is_looked_at_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink(extensions=["PIPELINING"]) as sink:
        facts, status = probe(capsys, f"127.0.0.1:{sink.port}")
    assert status == 76
    assert "does not offer STARTTLS" in facts["problem"]
    assert facts["before_tls"] == ["PIPELINING"]
    assert facts["window"] == "DATA"
    assert len(sink.connections) == 2


def test_without_pipelining_the_round_trips_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink(extensions=["SIZE 1000"]) as sink:
        assert main(["probe", sink.url]) == 0
    assert "4 round trips a message" in " ".join(capsys.readouterr().out.split())


def test_nobody_logs_in_unless_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sink(tls="starttls", users={"me": "secret"}) as sink:
        monkeypatch.setenv("SMTPS_URL", sink.url)
        assert main(["probe"]) == 0
        assert sink.connections[0].user is None
        assert not any(line.startswith("AUTH") for line in sink.commands)
        capsys.readouterr()
        facts, status = probe(capsys, "--login")
        assert (status, facts["user"]) == (0, "me")
        assert sink.connections[1].user == "me"


def test_without_a_login_no_password_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sink() as sink:
        url = f"smtp://me@127.0.0.1:{sink.port}?tls=none"
        assert main(["probe", url, "--password-command", "exit 1"]) == 0
        assert main(["probe", url, "--password-command", "exit 1", "--login"]) == 78


def test_no_password_reaches_a_server_whose_certificate_cannot_be_trusted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sink(tls="starttls", users={"me": "secret"}) as sink:
        monkeypatch.setenv("SMTPS_URL", f"smtp://me:secret@127.0.0.1:{sink.port}")
        facts, status = probe(capsys, "--login")
        assert status == 76
        assert facts["tls"]["certificate"] == "unable to get local issuer certificate"
        assert not any(line.startswith("AUTH") for line in sink.commands)


def test_a_refused_login_is_77(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sink(tls="starttls", users={"me": "secret"}) as sink:
        ca_file = quote(sink.ca_file)
        url = f"smtp://me:wrong@127.0.0.1:{sink.port}?openssl_ca_file={ca_file}"
        monkeypatch.setenv("SMTPS_URL", url)
        assert main(["probe", "--login"]) == 77
        assert "wrong" not in "".join(capsys.readouterr())


def test_a_server_that_refuses_is_shown_with_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    with Sink(faults=[Fault(on="greeting", reply="554 5.7.1 not\x1b[2J you")]) as sink:
        assert main(["probe", sink.url]) == 69
    captured = capsys.readouterr()
    assert "554 5.7.1 not" in captured.out
    assert "\x1b" not in captured.out + captured.err


def test_nothing_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "no.such.invalid"]) == 68
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["probe", "smtp://127.0.0.1:1"]) == 75
    assert "cannot connect to 127.0.0.1 port 1" in capsys.readouterr().err


def test_what_is_wrong_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["h.example", "--url", "smtp://h.example"], "--url: "),
        (["--login", "--url", "smtp://h.example"], "--login: no user is named"),
        (["smtp://u:p@h.example"], "--url: every user of this machine"),
        (["--count", "x"], "--count: 'x' is no whole number"),
        (["http://h.example"], "unknown scheme"),
    ):
        assert main(["probe", *arguments]) == 64
        complaint = capsys.readouterr().err
        assert words in complaint
        assert complaint.count("\n") == 1


def test_a_real_postfix(postfix: Postfix, capsys: pytest.CaptureFixture[str]) -> None:
    for url in (postfix.url, postfix.implicit_url):
        facts, status = probe(capsys, url)
        assert status == 0
        assert facts["greeting"].startswith("220 postfix.example ESMTP")
        assert facts["limits"]["size"] == 20480000
        assert facts["window"] == "BDAT"


def test_lines_are_no_longer_than_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    with Sink() as sink:
        assert main(["probe", sink.url]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


@pytest.mark.parametrize("host", ["", "relay.example:x", "relay.example:99999"])
def test_a_host_that_is_none_is_shown_as_it_was_written(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", host]) == 64
    assert f"smtps: HOST {host!r}: write a name or an address" in capsys.readouterr().err


def test_a_certificate_that_cannot_be_read_is_said_to_be_none() -> None:
    described = _certificate(b"\x30\x03no!")
    assert described["text"] == "5 bytes that cannot be read as a certificate"
    assert described["subject"] == described["not_after"] == ""
