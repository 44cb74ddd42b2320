"""Run CPython's tests of smtplib on every CPython of this machine: `make compat`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "tests/support/smtplib_suite.py"
ENVIRONMENTS = ROOT / ".compat"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
#: Those that must pass where they are; a later one may have changed what its tests look at.
SUPPORTED = ("3.11", "3.12", "3.13")


def main() -> int:
    """Print a line for each version; 1 if one of the supported fails, or none is there."""
    ran, status = 0, 0
    for version in VERSIONS:
        python = find(version)
        if python is None:
            print(f"CPython {version}: not on this machine, or without its tests", flush=True)
            continue
        outcome = run(environment(version, python))
        print(describe(version, outcome), flush=True)
        if version in SUPPORTED:
            ran += 1
            status |= outcome is None or bool(outcome["failed"])
    return int(status or not ran)


def find(version: str) -> str | None:
    """Give an interpreter of a version that has its own tests."""
    for candidate in candidates(version):
        probe = [candidate, "-W", "ignore", "-c", "import test.test_smtplib, ensurepip"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def candidates(version: str) -> Iterator[str]:
    """Give where such an interpreter may be."""
    if sys.version.startswith(f"{version}."):
        yield sys.executable
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    yield from map(str, sorted(versions.glob(f"{version}.*/bin/python3")))
    if found := shutil.which(f"python{version}"):
        yield found


def environment(version: str, python: str) -> str:
    """Give an interpreter with what the package depends on; the own one has it."""
    if python == sys.executable:
        return python
    own = ENVIRONMENTS / version / "bin/python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", own.parents[1]], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    install = [str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *project["dependencies"]], check=True)
    return str(own)


def run(python: str) -> dict[str, object] | None:
    """Run the suite; None if it did not come to an end."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(
        [python, SUITE], env=variables, capture_output=True, text=True, check=False, timeout=120
    )
    if not result.stdout.startswith("{") or result.returncode:
        print(result.stderr, file=sys.stderr)
    if not result.stdout.startswith("{"):
        return None
    outcome: dict[str, object] = json.loads(result.stdout)
    return outcome


def describe(version: str, outcome: dict[str, object] | None) -> str:
    """Give the line for a version."""
    if outcome is None:
        return f"CPython {version}: the tests did not run"
    failed, skipped = outcome["failed"], outcome["skipped"]
    counts = f"{outcome['ran']} tests of smtplib, {len(failed) if isinstance(failed, list) else 0}"
    left = f", skipped: {skipped}" if skipped else ""
    return f"CPython {outcome['python']} ({outcome['implementation']}): {counts} failed{left}"


if __name__ == "__main__":
    sys.exit(main())
