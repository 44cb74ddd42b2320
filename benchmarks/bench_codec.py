"""Measure the hot functions beside memcpy, the standard library, pybase64 and aiosmtplib.

All contenders of a path take turns within each round; figures are medians of the rounds, ratios the
medians of the rounds' ratios. Bodies have 64 KiB, so that source and result lie in the second level
cache. Functions that can write to a buffer of the caller do, and write to the same one each time,
as memcpy does; the others make a new object for each call, which is measured with them. "memcpy" is
a slice of a memoryview that is assigned.

The table goes to the terminal, and with a plot to `benchmarks/results/codec.json`,
`codec-light.svg` and `codec-dark.svg`.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path as FilePath

from comparison.machine import describe_machine, describe_source
from hotpaths.measure import Turn, take_turns
from hotpaths.paths import IMPLEMENTATIONS, Path, paths
from hotpaths.results import MEMCPY, OWN, STDLIB, Result, as_json, draw, table

RESULTS = FilePath(__file__).parent / "results"


def main() -> None:
    """Measure the paths whose titles hold what was given, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("titles", nargs="*", help="measure paths with one of these in their titles")
    parser.add_argument("--rounds", type=int, default=21, help="turns of each (default: 21)")
    arguments = parser.parse_args()
    packages = f"{_versions('pybase64', 'aiosmtplib')}, Python {platform.python_version()}"
    print(f"{describe_machine()}\n{packages}\n", flush=True)
    results = []
    for path in paths():
        if arguments.titles and not any(word in path.title for word in arguments.titles):
            continue
        results.append(Result(path, take_turns(_turns(path), arguments.rounds)))
        print(f"{table(results[-1])}\n", flush=True)
    if arguments.titles:
        return
    RESULTS.mkdir(exist_ok=True)
    saved = {
        "machine": describe_machine(),
        "packages": packages,
        "source": describe_source(),
        "date": datetime.now(UTC).date().isoformat(),
        "paths": [as_json(result) for result in results],
    }
    (RESULTS / "codec.json").write_text(json.dumps(saved, indent=1) + "\n")
    for theme in ("light", "dark"):
        draw(results, RESULTS / f"codec-{theme}.svg", dark=theme == "dark")
    print(f"saved {RESULTS / 'codec.json'}, plots beside it")


def _turns(path: Path) -> dict[str, Turn]:
    turns: dict[str, Turn] = {
        MEMCPY: (_nothing, _copy(path.data)),
        STDLIB: (_nothing, path.stdlib),
        **{name: (_nothing, function) for name, function in path.others.items()},
    }
    for name, (codec, before) in IMPLEMENTATIONS.items():
        turns[OWN + name] = (before, path.make(codec))
    return turns


def _copy(data: bytes) -> Callable[[], object]:
    view, size = memoryview(bytearray(2 * len(data))), len(data)

    def copy() -> None:
        view[:size] = data

    return copy


def _nothing() -> None:
    pass


def _versions(*names: str) -> str:
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


if __name__ == "__main__":
    main()
