"""The command as a whole."""

from __future__ import annotations

import pytest

from smtps import __version__
from smtps.cli import main
from smtps.codec import level


def test_the_version_names_what_the_hot_functions_are_made_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"smtps {__version__} (")
    assert (level if level != "pure" else "pure Python") in shown


def test_the_demo_sends_every_message_and_shows_the_figures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--count", "300"]) == 0
    shown = capsys.readouterr().out
    assert "300 of 300" in shown
    assert "latency, median" in shown
