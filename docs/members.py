"""Make docs/members.md, and the tables in the README and in docs/ipworks.md, of docs/members.toml.

Where each member is read and what it is before it is assigned come from the code.

Run it as `python docs/members.py`.
"""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smtps import SMTPS, AsyncSMTPS
from smtps.events import HANDLERS
from smtps.options import Option
from smtps.settings import Settings

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "docs/members.toml"
TABLE = ROOT / "docs/members.md"
README = ROOT / "README.md"
GUIDE = ROOT / "docs/ipworks.md"
BEGIN, END = "<!-- members -->", "<!-- end of members -->"
#: What is taken and has no effect, and why.
IDLE = {"firewall_listener": "nothing: it has no effect in SMTP, in the original neither"}
#: Where properties are read by their names as text.
BY_NAME = ("classic.py",)

HEAD = """\
# The members of the classic component

`SMTPS` and, awaited, `AsyncSMTPS` have every member of the component that they are modelled on.
A test makes each of them do nothing, one after another, and sees the test that is named here fail.

This page is made by `python docs/members.py`.
"""


def members() -> dict[str, dict[str, tuple[str, str]]]:
    """Give each kind of member: its name in the component, its name here, and its test."""
    tables = tomllib.loads(SOURCE.read_text())
    return {
        kind: {name: (python, test) for name, (python, test) in rows.items()}
        for kind, rows in tables.items()
    }


def page() -> str:
    """Write the page."""
    places = reads()
    lines = [HEAD]
    for kind, rows in members().items():
        lines += [f"\n## {kind.capitalize()}\n", "| Member | Here | Default | Read in | Test |"]
        lines.append("|---|---|---|---|---|")
        for name, (python, test) in rows.items():
            found = IDLE.get(python) or ", ".join(
                f"`{place}`" for place in sorted(places[kind, python])
            )
            file, _, function = test.partition("::")
            lines.append(
                f"| {name} | `{python}` | {default(kind, python)} | {found} |"
                f" [{function}](../{file}) |"
            )
    return "\n".join(lines) + "\n"


def readme() -> str:
    """Write the README with the table of members in it."""
    lines = ["| Classic component | Members, each with a test that fails without it |", "|---|---|"]
    for kind, rows in members().items():
        names = ", ".join(f"`{python}`" for python, _ in rows.values())
        lines.append(f"| {len(rows)} {kind} | {names} |")
    return _filled(README, lines)


def guide() -> str:
    """Write the guide from IP*Works with the old and the new name of each member in it."""
    lines: list[str] = []
    for kind, rows in members().items():
        lines += ["", f"### {kind.capitalize()}", "", "| There | Here |", "|---|---|"]
        for name, (python, _) in rows.items():
            there = {"methods": f"{name}()", "events": f"On{name}"}.get(kind, name)
            here = {"methods": f"{python}()", "settings": f"settings.{python}"}.get(kind, python)
            lines.append(f"| `{there}` | `{here}` |")
    return _filled(GUIDE, lines[1:])


def _filled(page: Path, lines: list[str]) -> str:
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, f"{page.name} has no {BEGIN}"
    assert end, f"{page.name} has no {END}"
    return "".join((before, begin, "\n", "\n".join(lines), "\n", end, after))


def default(kind: str, python: str) -> str:
    """Give the value that a member has before it is assigned."""
    if kind in ("methods", "events"):
        return ""
    option = option_of(kind, python)
    if option is None:
        return "computed"
    return f"`{option.show(option.default)}`" if option.default not in ("", b"", None) else "empty"


def option_of(kind: str, python: str) -> Option[Any] | None:
    """Give the option behind a property or setting, if there is one."""
    own = Settings.options.get(python) if kind == "settings" else None
    return own or SMTPS.options.get(python)


def reads() -> dict[tuple[str, str], set[str]]:
    """Tell in which modules each member is read, called or emitted."""
    emitted = {handler: event.__name__ for event, handler in HANDLERS.items()}
    wanted: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for kind, rows in members().items():
        for python, _ in rows.values():
            spelling = f"{emitted[python]}()" if kind == "events" else python
            is_computed = kind == "properties" and option_of(kind, python) is None
            if kind == "methods" or is_computed:
                wanted[f"def {python}"].append((kind, python))
            if kind != "methods":
                wanted[spelling].append((kind, python))
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in sorted((ROOT / "src/smtps").rglob("*.py")):
        place = str(path.relative_to(ROOT / "src/smtps"))
        if path.parent.name in ("testing", "cli", "_pure") or path.name == "accessors.py":
            continue
        for spelling in spellings(ast.parse(path.read_text()), place):
            for member in wanted.get(spelling, ()):
                found[member].add(place)
    return found


def spellings(tree: ast.AST, place: str) -> Iterator[str]:
    """Give what a module reads (`name`), defines (`def name`) and calls (`name()`)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"def {node.name}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()"
        elif isinstance(node, ast.Constant) and place in BY_NAME:
            yield str(node.value)


def owners(python: str) -> list[type]:
    """Give the fronts, each of which has every member."""
    return [front for front in (SMTPS, AsyncSMTPS) if hasattr(front, python)]


if __name__ == "__main__":
    TABLE.write_text(page())
    README.write_text(readme())
    GUIDE.write_text(guide())
