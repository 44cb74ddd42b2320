"""The code of the recipes, which need something of their own to run, by heading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

__all__ = ["run", "source"]

_DOCS = Path(__file__).parents[2] / "docs"


def source(heading: str, number: int = 0, language: str = "py", page: str = "recipes") -> str:
    """Give the code of a recipe as it stands."""
    whole = (_DOCS / f"{page}.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", whole, flags=re.MULTILINE)
    (text,) = [one for one in section if one.startswith(heading)]
    return str(re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[number])


def run(heading: str, number: int = 0, page: str = "recipes") -> dict[str, Any]:
    """Run the code of a recipe, and give what it defined."""
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(source(heading, number, page=page), f"{page}.md, {heading}", "exec"), names)
    return names
