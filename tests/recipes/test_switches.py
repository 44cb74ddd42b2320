"""Each switch of the README is one line, and names what is there."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SWITCHES = re.findall(r"^```diff\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_there_are_switches() -> None:
    assert len(SWITCHES) >= 3


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_is_one_line_that_works(switch: str) -> None:
    lines = switch.splitlines()
    (added,) = [line[1:] for line in lines if line.startswith("+")]
    assert len([line for line in lines if line.startswith("-")]) <= 1
    if "import" in added:
        exec(added, {})
        return
    assert resolve_name(re.findall(r'"(smtps[\w.]+)"', added)[0])
