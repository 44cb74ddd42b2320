"""The page about the command line knows every command, and no status that is not."""

from __future__ import annotations

import re
from pathlib import Path

from smtps.cli import exits
from smtps.cli.main import make_parser

PAGE = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")


def test_every_command_has_a_section() -> None:
    sections = " ".join(re.findall(r"^## (.*)", PAGE, re.MULTILINE)).replace(",", "").split()
    (commands,) = (
        one.choices for one in make_parser()._actions if one.choices and one.dest == "==SUPPRESS=="
    )
    assert set(commands) - {"config"} <= set(sections)


def test_the_statuses_are_those_of_the_program() -> None:
    table = PAGE.partition("## Exit statuses")[2].partition("Of several")[0]
    told = {int(number) for number in re.findall(r"\| (\d+) \|", table)}
    assert told == {value for value in vars(exits).values() if type(value) is int}
