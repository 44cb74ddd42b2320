"""The table of members is complete and true: without a member, the test that it names fails."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from smtps.codec import implementation

ROOT = Path(__file__).parents[2]


def _load() -> ModuleType:
    spec = spec_from_file_location("members", ROOT / "docs/members.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


table = _load()
ROWS = [
    (kind, python, test) for kind, rows in table.members().items() for python, test in rows.values()
]


def test_every_member_of_the_component_is_there() -> None:
    counts = {kind: len(rows) for kind, rows in table.members().items()}
    assert counts == {"properties": 36, "methods": 15, "events": 9, "settings": 25}


def test_the_page_is_what_the_code_says() -> None:
    assert table.TABLE.read_text() == table.page(), "run: python docs/members.py"
    assert table.README.read_text() == table.readme(), "run: python docs/members.py"
    assert table.GUIDE.read_text() == table.guide(), "run: python docs/members.py"


@pytest.mark.parametrize(("kind", "python", "test"), ROWS, ids=[row[1] for row in ROWS])
def test_every_member_is_on_both_fronts_and_read_somewhere(
    kind: str, python: str, test: str
) -> None:
    assert bool(table.reads()[kind, python]) is (python not in table.IDLE)
    if kind != "settings":
        assert len(table.owners(python)) == 2
    else:
        assert table.option_of(kind, python) is not None
    file, _, function = test.partition("::")
    assert f"def {function}(" in (ROOT / file).read_text()


@pytest.fixture(scope="module")
def endings() -> dict[str, int]:
    """Tell how the test of each member ended without the member."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.support.without"),
            *(f"{kind}:{python}={test}" for kind, python, test in ROWS),
        ],
        cwd=ROOT,
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return {member: int(ending) for member, ending in lines}


@pytest.mark.skipif(implementation == "pure", reason="the run on the compiled code proves it")
def test_without_a_member_its_test_fails(endings: dict[str, int]) -> None:
    # 1: a test failed. Anything else is a test that is not there, or one that notices nothing.
    assert {member: ending for member, ending in endings.items() if ending != 1} == {}
    assert len(endings) == len(ROWS)
