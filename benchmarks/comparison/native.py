"""Build the C programs of the comparison when they are needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDER", "NotBuilt", "Program", "RESULTS"]

FOLDER = Path(__file__).parent.parent
RESULTS = FOLDER / "results"

_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra")


class NotBuilt(RuntimeError):
    """A C program could not be built; the text says what is missing."""


@dataclass(frozen=True)
class Program:
    """A C program, by the files in `benchmarks/` that it is made of."""

    name: str
    sources: tuple[str, ...]
    headers: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    def build(self) -> str:
        """Give the path of the program, built anew where a source is younger.

        Raises:
            NotBuilt: there is no compiler, or it refused.
        """
        target = RESULTS / "bin" / self.name
        sources = [FOLDER / name for name in self.sources]
        needed = [*sources, *(FOLDER / name for name in self.headers)]
        if target.exists() and all(
            path.stat().st_mtime <= target.stat().st_mtime for path in needed
        ):
            return str(target)
        compiler = os.environ.get("CC") or "gcc"
        if shutil.which(compiler) is None:
            raise NotBuilt(f"{compiler} is missing: apt-get install gcc libc6-dev")
        target.parent.mkdir(parents=True, exist_ok=True)
        # Under a name of its own first: others may be building, or running, the same program.
        new = target.with_suffix(f".{os.getpid()}")
        command = [compiler, *_FLAGS, *self.flags, "-o", str(new), *map(str, sources)]
        command += [f"-l{name}" for name in self.libraries]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            hint = " (apt-get install libssl-dev)" if "openssl/" in result.stderr else ""
            raise NotBuilt(f"{self.name} was not built{hint}:\n{result.stderr}")
        new.replace(target)
        return str(target)
