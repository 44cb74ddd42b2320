"""Run a job of `victim` under strace: count its system calls, fail one, or kill it before one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

__all__ = ["CALLS", "Outcome", "Tracer"]

#: The calls that touch the folder or the socket.
CALLS = (
    *("openat", "pwrite64", "pread64", "fsync", "fdatasync", "renameat", "unlinkat", "flock"),
    *("close", "ftruncate", "getdents64", "connect", "sendto", "recvfrom", "poll"),
)
_call = re.compile(r"^(\w+)\(", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended."""

    #: The exit status; -9 for one that was killed.
    status: int
    #: What the job returned, if it came so far.
    lines: list[str]
    #: What strace wrote down.
    trace: str

    @property
    def calls(self) -> Counter[str]:
        """How often each call was made."""
        return Counter(_call.findall(self.trace))

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


class Tracer:
    """A victim that waits for jobs."""

    def __init__(self, scratch: Path) -> None:
        self._log = scratch / "victim.log"
        self._trace = scratch / "victim.trace"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.victim"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, job: dict[str, Any], *options: str, calls: tuple[str, ...] = CALLS) -> Outcome:
        """Do a job under strace with these options more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._log.unlink(missing_ok=True)
        print(json.dumps({**job, "log": str(self._log)}), file=self._process.stdin, flush=True)
        victim = int(self._process.stdout.readline())
        command = ["strace", "-o", str(self._trace), "-e", "trace=" + ",".join(calls), *options]
        with subprocess.Popen(
            [*command, "-p", str(victim)], stderr=subprocess.PIPE, text=True
        ) as strace:
            assert strace.stderr is not None
            greeting = strace.stderr.readline()
            assert "attached" in greeting, greeting
            os.kill(victim, signal.SIGCONT)
            status = int(self._process.stdout.readline())
            strace.wait()
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return Outcome(status, lines, self._trace.read_text())

    def kill(self, job: dict[str, Any], call: str, number: int) -> Outcome:
        """Do a job, and kill it before its n-th call of this name."""
        return self.run(job, "-e", f"inject={call}:signal=KILL:when={number}", calls=(call,))

    def fail(self, job: dict[str, Any], call: str, number: int, error: str) -> Outcome:
        """Do a job whose n-th call of this name fails."""
        return self.run(job, "-e", f"inject={call}:error={error}:when={number}", calls=(call,))
