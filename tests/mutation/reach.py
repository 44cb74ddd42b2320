"""Which tests reach which line, and how long each takes: one run of the tests under coverage."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import coverage
import pytest
from hypothesis import settings

__all__ = ["Reach", "measure"]

#: Tests with these start real servers, which takes longer than a mutant may.
SERVERS = {"postfix", "exim", "dovecot", "opensmtpd", "smtp_server", "aiosmtpd", "proxies"}


class Reach:
    """What the run saw: the tests of a line, and the seconds of each."""

    def __init__(self, lines: dict[str, dict[str, list[str]]], seconds: dict[str, float]) -> None:
        self.lines, self.seconds = lines, seconds

    def tests(self, file: str, line: int, most: int) -> list[str]:
        """Give the tests that reach a line; of one that runs at import, those of its module.

        Those of the file's own come first, then those of its package, each the quickest first; and
        no more than `most` in all.
        """
        lines = self.lines.get(file, {})
        found = set(lines.get(str(line), ()))
        if not found and str(line) in lines:
            found = {test for tests in lines.values() for test in tests}
        package, own = Path(file).parent.name, f"/test_{Path(file).stem}.py::"
        near = f"tests/{'codec' if package == '_pure' else package}/"

        def order(test: str) -> tuple[bool, bool, float, str]:
            return own not in test, not test.startswith(near), self.seconds[test], test

        return sorted(found, key=order)[:most]

    def time(self, tests: list[str]) -> float:
        """Give the seconds that tests took when nothing was wrong."""
        return sum(self.seconds[test] for test in tests)

    def save(self, path: Path) -> None:
        """Keep it for the next run."""
        path.write_text(json.dumps({"lines": self.lines, "seconds": self.seconds}))

    @classmethod
    def load(cls, path: Path) -> Reach:
        """Take up what was saved."""
        return cls(**json.loads(path.read_text()))


def _is_asked(item: pytest.Item) -> bool:
    """Leave out what needs servers of others, and the compiled twins, which stay as they are."""
    return not SERVERS & set(getattr(item, "fixturenames", ())) and "[fast-" not in item.nodeid


class _Recorder:
    """A pytest plugin that tells coverage which test is on."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.seconds: dict[str, float] = {}

    def pytest_collection(self) -> None:
        # A few examples reach what many do.
        settings.register_profile("reach", deadline=None, database=None, max_examples=10)
        settings.load_profile("reach")

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        kept = [item for item in items if _is_asked(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._measured.switch_context(nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._measured.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.seconds[report.nodeid] = report.duration


def measure(sources: list[str], tests: list[str]) -> Reach:
    """Run the tests once, in this process; those that fail reach nothing."""
    measured = coverage.Coverage(data_file=None, include=sources)
    measured.start()
    recorder = _Recorder(measured)
    options = ["-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
    pytest.main([*options, *tests], plugins=[recorder])
    measured.stop()
    data = measured.get_data()
    lines: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for file in data.measured_files():
        name = str(Path(file).relative_to(Path.cwd()))
        for line, contexts in data.contexts_by_lineno(file).items():
            lines[name][str(line)] = [test for test in contexts if test in recorder.seconds]
    return Reach(dict(lines), recorder.seconds)
