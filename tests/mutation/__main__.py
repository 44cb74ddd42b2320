"""Make mistakes in a module, one at a time, and count those that the tests notice.

    python -m tests.mutation _pure wire dialogue --sample 300 --seed 1

Each mutant runs only against the tests that reach its line, in a process of its own. A test that
takes longer than half a minute hangs, and has noticed it; so have tests that together take a minute
and ten times as long as without the mutant.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants

SOURCE = Path("src/smtps")
KEPT = Path("build/mutation.json")
#: The tests that run without servers of others, and end soon.
TESTS = [
    "tests/codec", "tests/dialogue", "tests/wire", "tests/tls", "tests/drivers", "tests/dkim",
    "tests/mime/test_from_email.py", "tests/mime/test_headers.py", "tests/mime/test_message.py",
    "tests/mime/test_message_files.py", "tests/mime/test_plain.py", "tests/sasl",
    "tests/test_firewall.py", "tests/test_newlines.py", "tests/fronts/test_authentication.py",
    "tests/fronts/test_authentication_tokens.py", "tests/fronts/test_binary.py",
    "tests/fronts/test_classic.py", "tests/fronts/test_classic_streams.py",
    "tests/fronts/test_commands.py", "tests/fronts/test_configuration.py",
    "tests/fronts/test_extensions.py", "tests/fronts/test_firewall.py",
    "tests/fronts/test_lmtp.py", "tests/fronts/test_many.py", "tests/fronts/test_many_broken.py",
    "tests/fronts/test_many_limits.py", "tests/fronts/test_messages.py",
    "tests/fronts/test_network.py", "tests/fronts/test_pool.py", "tests/fronts/test_portions.py",
    "tests/fronts/test_refusals.py", "tests/fronts/test_sending.py",
    "tests/fronts/test_timeouts.py",
]  # fmt: skip
#: Of a line that very many reach, this many are asked: the file's own, and the quickest.
MOST_TESTS = 600
# So many times as long as without it may the tests of a mutant take; machines are busy.
_SLOWER = 10


@dataclass
class Score:
    """The count, for each package too, and what went unnoticed."""

    counts: Counter[str] = field(default_factory=Counter)
    packages: Counter[tuple[str, bool]] = field(default_factory=Counter)
    unnoticed: list[str] = field(default_factory=list)

    def add(self, file: str, mutant: Mutant, outcome: str) -> None:
        """Take the outcome of one."""
        noticed = outcome in ("noticed", "hung")
        self.counts[outcome] += 1
        self.packages[Path(file).parent.name, noticed] += 1
        if not noticed:
            self.unnoticed.append(f"{file}:{mutant.line}: {mutant.told} ({outcome})")

    @property
    def percent(self) -> float:
        """The share that was noticed."""
        noticed = self.counts["noticed"] + self.counts["hung"]
        return 100 * noticed / max(1, self.counts.total())

    def __str__(self) -> str:
        lines = [f"{self.percent:.1f} % of {self.counts.total()} noticed, {dict(self.counts)}"]
        for name in sorted({name for name, _ in self.packages}):
            yes, no = self.packages[name, True], self.packages[name, False]
            lines.append(f"  {name}: {yes} of {yes + no}, {100 * yes / (yes + no):.1f} %")
        return "\n".join(lines)


def main() -> int:
    """Do it, print what went unnoticed, and fail below the score asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="+", help="modules or packages below smtps: _pure, wire")
    parser.add_argument("--sample", type=int, help="so many mutants of all, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for a mutant, besides")
    parser.add_argument("--at-least", type=float, default=0.0, metavar="PERCENT")
    given = parser.parse_args()
    os.environ["SMTPS_IMPL"] = "pure"
    files = [str(path) for name in given.modules for path in _files(name)]
    todo = [(file, mutant) for file in files for mutant in mutants(Path(file).read_text())]
    print(f"{len(todo)} mutants in {len(files)} files", flush=True)
    if given.sample and given.sample < len(todo):
        todo = random.Random(given.seed).sample(todo, given.sample)
        print(f"of them {given.sample}, drawn with seed {given.seed}", flush=True)
    score = _try_all(todo, given.jobs, given.limit)
    print(*sorted(score.unnoticed), sep="\n")
    print(score)
    return int(score.percent < given.at_least)


def _files(name: str) -> list[Path]:
    place = SOURCE / name
    found = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return [path for path in found if path.name != "__init__.py"]


def _try_all(todo: list[tuple[str, Mutant]], jobs: int, limit: float) -> Score:
    if not _is_fresh():
        # Apart, so that no module of the package is here when the trials are forked.
        script = "from tests.mutation.__main__ import keep; keep()"
        subprocess.run([sys.executable, "-c", script], check=True)
    from tests.mutation.reach import Reach
    from tests.mutation.trial import start

    _import_what_all_need()
    reach = Reach.load(KEPT)
    score = Score()
    running: dict[int, tuple[str, Mutant, float]] = {}
    waiting = list(reversed(todo))
    while waiting or running:
        while waiting and len(running) < jobs:
            file, mutant = waiting.pop()
            tests = reach.tests(file, mutant.line, MOST_TESTS)
            if not tests:
                score.add(file, mutant, "unreached")
                continue
            process = start(file, mutant.number, tests)
            until = time.monotonic() + limit + _SLOWER * reach.time(tests)
            running[process] = file, mutant, until
        for process, (file, mutant, until) in list(running.items()):
            outcome = _outcome(process, until)
            if outcome:
                del running[process]
                score.add(file, mutant, outcome)
                if score.counts.total() % 50 == 0:
                    print(score, flush=True)
        time.sleep(0.02)
    return score


def _outcome(process: int, until: float) -> str:
    ended, status = os.waitpid(process, os.WNOHANG)
    if ended:
        return "noticed" if status else "unnoticed"
    if time.monotonic() < until:
        return ""
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return "hung"


def _is_fresh() -> bool:
    places = [*SOURCE.rglob("*.py"), *(file for name in TESTS for file in _tests(name))]
    newest = max(path.stat().st_mtime for path in places)
    return KEPT.exists() and KEPT.stat().st_mtime > newest


def _tests(name: str) -> list[Path]:
    place = Path(name)
    return list(place.rglob("*.py")) if place.is_dir() else [place]


def _import_what_all_need() -> None:
    for name in (
        *("asyncio", "email.message", "hypothesis.stateful", "hypothesis.strategies"),
        *("cryptography.x509", "pytest_asyncio.plugin", "trustme"),
    ):
        import_module(name)


def keep() -> None:
    """Measure which tests reach which lines, and keep that for the runs to come."""
    from tests.mutation.reach import measure

    KEPT.parent.mkdir(exist_ok=True)
    sources = [f"{SOURCE}/{name}/*.py" for name in ("_pure", "wire", "dialogue", "sasl", "mime")]
    measure(sources, TESTS).save(KEPT)


if __name__ == "__main__":
    sys.exit(main())
