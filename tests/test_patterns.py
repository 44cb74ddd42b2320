"""Regular expressions mean the same on every Python."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src" / "smtps"
# Python before 3.11.5, which Debian 12 has, does not go back where a possessive group, as in
# `(?:\.[a-z]+)*+`, ends in half of one more: "a." matches. Runs of characters are right there.
POSSESSIVE_GROUP = re.compile(r"(?<![\\(])\)(?:[*+?]|\{[0-9,]+\})\+|\(\?>")


@pytest.mark.parametrize(
    "file", sorted(SOURCES.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCES))
)
def test_no_group_is_possessive(file: Path) -> None:
    found = [
        node.value
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str | bytes)
        and POSSESSIVE_GROUP.search(
            node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        )
    ]
    assert found == []


@pytest.mark.parametrize("pattern", [r"(?:a)*+", r"(a|b)++", r"(?:a){1,2}+", r"(?>a)"])
def test_a_possessive_group_is_recognised(pattern: str) -> None:
    assert POSSESSIVE_GROUP.search(pattern)
