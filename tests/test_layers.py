"""Imports point down: a module knows those of its own layer and below, never above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import smtps

PACKAGE = Path(smtps.__file__).parent
LAYERS = [
    {
        "_choice", "_fast", "_pure", "address", "amounts", "ber", "certificate",
        "certificate_store", "charsets", "codec", "controls", "domain", "enumerations", "envelope",
        "errors", "events", "firewall", "forks", "hidden", "hosts", "kinds", "letter",
        "mailboxes", "meter", "newlines", "octets", "options", "parameters", "phase",
        "private_keys", "properties", "receipt", "recipients", "reply", "rounds", "settings",
        "throttle", "tls_properties", "tls_settings", "tokens", "tray", "url",
    },
    {"dkim", "mime", "sasl", "wire"},
    {"dialogue", "journal", "ops", "session", "spool", "watching"},
    {"drivers"},
    {
        "accessors", "aclient", "apool", "classic", "client", "component", "explaining", "items",
        "pool", "pooling", "queueing", "shares",
    },
    {"outbox"},
    {"cli", "compat", "integrations", "testing"},
]  # fmt: skip
SIBLINGS = LAYERS[1]
INPUT_AND_OUTPUT = {"asyncio", "selectors", "select", "socket", "ssl"}
MAY_DO_IO = {"cli", "compat", "drivers", "integrations", "testing"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def layer(name: str) -> int:
    for number, names in enumerate(LAYERS):
        if name in names:
            return number
    raise AssertionError(f"{name} has no layer; give it one in LAYERS")


def imports(path: Path) -> Iterator[str]:
    """Name what a module imports, absolutely."""
    inside = ("smtps", *path.relative_to(PACKAGE).with_suffix("").parts)
    package = inside[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            yield base
            if base == "smtps":
                yield from (f"{base}.{alias.name}" for alias in node.names)


def top(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    name = top(path)
    if name == "__init__":
        return
    for target in imports(path):
        parts = target.split(".")
        if parts[0] in INPUT_AND_OUTPUT:
            assert name in MAY_DO_IO, f"{name} imports {target}, which does input and output"
        if parts[0] != "smtps" or len(parts) < 2:
            continue
        assert layer(parts[1]) <= layer(name), f"{name} imports {target} from above"
        both = {name, parts[1]}
        assert len(both) == 1 or not both <= SIBLINGS, f"{name} imports its sibling {target}"
