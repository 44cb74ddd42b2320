"""Fuzz every target for a time, in turn; what breaks one is kept in its corpus.

    python -m tests.fuzz --seconds 60 [replies addresses ...]

Where a target fails, the input is in `tests/fuzz/corpus/TARGET/`, and the usual tests replay it
from then on. Needs atheris.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
GROWN = Path("build/fuzz")
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("[a-z]*.py"))


def main() -> int:
    """Run them, print the executions of each, and fail if one failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=TARGETS, help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="the same inputs again (0: others)")
    given = parser.parse_args()
    each = max(1, given.seconds * given.jobs // len(given.targets))
    total, failed = 0, 0
    with ThreadPoolExecutor(given.jobs) as pool:
        runs = pool.map(lambda target: run(target, each, given.seed), given.targets)
        for target, (executions, report) in zip(given.targets, runs, strict=True):
            total, failed = total + executions, failed + bool(report)
            print(f"{target}: {executions:,} executions{' FAILED' if report else ''}", flush=True)
            print(report, end="")
    print(f"{total:,} executions in {len(given.targets)} targets")
    return int(failed > 0)


def run(target: str, seconds: int, seed: int) -> tuple[int, str]:
    """Fuzz one target; give the executions, and what it printed if it failed."""
    grown = GROWN / target
    grown.mkdir(parents=True, exist_ok=True)
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    crash = GROWN / f"{target}.failed"
    crash.unlink(missing_ok=True)
    command = [
        *(sys.executable, "-m", "tests.fuzz.one", target),
        *(f"-max_total_time={seconds}", "-timeout=20", "-max_len=1024", "-rss_limit_mb=2048"),
        *(f"-exact_artifact_path={crash}", "-print_final_stats=1", f"-seed={seed}"),
        *(str(grown), str(CORPUS / target)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    said = done.stdout + done.stderr
    found = re.search(r"number_of_executed_units: (\d+)", said)
    executions = int(found[1]) if found else 0
    if crash.exists():
        number = sum(1 for _ in (CORPUS / target).iterdir())
        shutil.copy(crash, CORPUS / target / f"failed-{number}")
    if done.returncode or not executions:
        return executions, said[-4000:]
    return executions, ""


if __name__ == "__main__":
    sys.exit(main())
