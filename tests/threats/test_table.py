"""docs/threats.md: what it says is shown, is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs/threats.md").read_text()
ROWS = {row.split("|")[1].strip(): row for row in PAGE.splitlines() if row.startswith("| T")}


def named(text: str) -> list[tuple[str, str]]:
    return re.findall(r"`([\w/]+\.py)::(test_\w+)`", text)


def test_every_attack_has_a_row() -> None:
    assert list(ROWS) == [f"T{number}" for number in range(1, 41)]


@pytest.mark.parametrize("attack", ROWS)
def test_a_row_names_tests_that_there_are(attack: str) -> None:
    shown_by = named(ROWS[attack].split("|")[5])
    assert shown_by
    missing = [
        f"{file}::{name}"
        for file, name in shown_by
        if not (TESTS / file).exists()
        or not re.search(rf"^(async )?def {name}\(", (TESTS / file).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_test_of_attacks_is_in_the_table() -> None:
    there = {
        (f"threats/{path.name}", name)
        for path in TESTS.glob("threats/test_*.py")
        if path != Path(__file__)
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert there - set(named(PAGE)) == set()
