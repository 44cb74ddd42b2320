"""`smtps bench` sends the same by each client in turns, and to no other host unasked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from smtps.cli import main
from smtps.testing import Fault, Sink

FEW = ["--count", "3", "--rounds", "2"]


def test_every_client_sends_the_same_to_the_server_that_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink(tls="starttls") as sink:
        assert main(["bench", sink.url, *FEW, "--size", "5000", "--json"]) == 0
        assert sink.count == 3 * 2 * 3
        assert all(abs(len(one.content) - 5000) < 100 for one in sink.messages)
        assert len(sink.connections) == 6
    facts = json.loads(capsys.readouterr().out)
    assert list(facts["clients"]) == ["smtps send_many", "smtps send", "smtplib"]
    assert all(one["accepted"] == 6 for one in facts["clients"].values())
    assert all(len(one["rates"]) == 2 for one in facts["clients"].values())


def test_without_a_server_it_brings_its_own_and_never_the_configured_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sink() as relay:
        monkeypatch.setenv("SMTPS_URL", relay.url)
        assert main(["bench", *FEW]) == 0
        assert relay.count == 0
    shown = capsys.readouterr().out
    assert "smtps send_many" in shown
    assert "medians of 2 turns of 3 messages each" in shown


@pytest.mark.parametrize(("columns", "bars"), [(60, False), (80, True)])
def test_bars_are_drawn_where_the_terminal_has_room(
    columns: int, bars: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["bench", *FEW]) == 0
    shown = capsys.readouterr().out
    assert ("#####" in shown) == bars
    assert max(map(len, shown.splitlines())) <= columns


@pytest.mark.parametrize("host", ["relay.example", "192.0.2.1"])
def test_another_host_gets_nothing_unasked(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", f"smtp://{host}"]) == 64
    assert "--to: missing" in capsys.readouterr().err
    with open("/dev/null") as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert main(["bench", f"smtp://{host}", "--to", "me@b.example"]) == 64
    assert f"{host} is not this machine; --yes sends 15,000 messages" in capsys.readouterr().err


def test_a_server_that_refuses_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    with Sink(faults=[Fault(on="RCPT", reply="550 5.1.1 no such user")]) as sink:
        assert main(["bench", sink.url, *FEW]) == 67
    assert "550 5.1.1 no such user" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--count", "0"], "--count: '0' is no whole number from 1 to 100,000"),
        (["--plot", "x.doc"], "--plot: 'x.doc' does not end in .svg, .png, .pdf"),
        (["smtp://a", "--url", "smtp://b"], "--url: the server is named already"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments]) == 64
    assert words in capsys.readouterr().err


def test_a_plot_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Sink() as sink:
        assert main(["bench", sink.url, *FEW, "--plot", str(tmp_path / "plot.svg")]) == 0
        assert "<svg" in (tmp_path / "plot.svg").read_text()
        assert main(["bench", sink.url, *FEW, "--plot", str(tmp_path / "no/plot.svg")]) == 73


def test_without_matplotlib_the_bars_are_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with Sink() as sink:
        assert main(["bench", sink.url, *FEW, "--plot", str(tmp_path / "plot.svg")]) == 0
    captured = capsys.readouterr()
    assert "####" in captured.out
    assert "pip install matplotlib" in captured.err
