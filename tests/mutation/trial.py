"""Run the tests against one mutant, in a process of its own that a fork makes cheap."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import Phase, settings

from tests.mutation.mutants import compile_mutant

__all__ = ["NOTICED", "UNNOTICED", "start"]

NOTICED, UNNOTICED = 1, 0


class _Mutated(MetaPathFinder, Loader):
    """Import one module with its mistake; all others as they are."""

    def __init__(self, file: str, number: int) -> None:
        self._path = Path(file).resolve()
        self._number = number
        self._name = ".".join(Path(file).with_suffix("").parts[1:]).removesuffix(".__init__")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        source = self._path.read_text()
        exec(compile_mutant(source, self._number, str(self._path)), vars(module))


class _Chosen:
    """A pytest plugin that keeps the tests that reach the mutant, in their order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: place for place, test in enumerate(tests)}

    def pytest_collection(self) -> None:
        # The same examples for every mutant; what failed need not be made small.
        settings.register_profile(
            "mutation",
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
        )
        settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._order),
            key=lambda item: self._order[item.nodeid],
        )


def start(file: str, number: int, tests: list[str]) -> int:
    """Begin the trial of a mutant, and give the process; its exit status says what came of it."""
    process = os.fork()
    if process:
        return process
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    os.setsid()
    status = NOTICED
    try:
        sys.meta_path.insert(0, _Mutated(file, number))
        files = sorted({test.partition("::")[0] for test in tests})
        options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
        chosen = _Chosen(tests)
        code = pytest.main([*options, "--timeout", "30", *files], plugins=[chosen])
        # Where no test is left to run, none has noticed anything.
        passed = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        status = UNNOTICED if passed else NOTICED
    finally:
        os._exit(status)
