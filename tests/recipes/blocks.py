"""The code of the recipes, by heading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

__all__ = ["run", "source"]

_TEXT = (Path(__file__).parents[2] / "docs/recipes.md").read_text(encoding="utf-8")


def source(heading: str, number: int = 0, language: str = "python") -> str:
    """Give the code of a recipe as it stands."""
    section = re.split(r"^## ", _TEXT, flags=re.MULTILINE)
    (text,) = [one for one in section if one.startswith(heading)]
    return str(re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[number])


def run(heading: str, number: int = 0) -> dict[str, Any]:
    """Run the code of a recipe, and give what it defined."""
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(source(heading, number), f"recipes.md, {heading}", "exec"), names)
    return names
