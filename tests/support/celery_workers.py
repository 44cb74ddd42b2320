"""Celery on real brokers: an app, and workers in processes of their own that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from celery import Celery

__all__ = ["Crew", "app_for", "configuration"]

_ROOT = Path(__file__).parents[2]


def configuration(broker: str, redis: str, url: str, **settings: Any) -> dict[str, Any]:
    """Give what an app and its workers are set up with; waits are short."""
    return {
        "broker_url": broker,
        "result_backend": redis,
        "imports": ["smtps.integrations.celery"],
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": (
            {"visibility_timeout": 4, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}
            if broker.startswith("redis")
            else {}
        ),
        "redis_retry_on_timeout": True,
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "smtps_url": url,
        "smtps_redis": redis,
        "smtps_lease": 2,
        "smtps_retry_first": 1,
        **settings,
    }


def app_for(settings: Mapping[str, Any]) -> Celery:
    """Make an app of this process that adds tasks for the workers."""
    app = Celery("tests", set_as_current=False)
    app.conf.update(settings)
    app.loader.import_default_modules()
    return app


class Crew:
    """Workers of one app, each a process with children of its own.

    Args:
        pool: Celery's kind of pool.
        children: how many tasks each works on at a time.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        workers: int = 1,
        pool: str = "prefork",
        children: int = 1,
    ) -> None:
        self._settings = json.dumps(settings)
        self._options = ["-P", pool, "-c", str(children)]
        handle, name = tempfile.mkstemp(prefix="smtps-celery-", suffix=".log")
        self._log, self._log_file = handle, Path(name)
        self._number = 0
        self.processes: list[subprocess.Popen[bytes]] = []
        for _ in range(workers):
            self.hire()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(self.log[-6000:])
        self.stop()

    @property
    def log(self) -> str:
        """What the workers had to say."""
        return self._log_file.read_text(errors="backslashreplace")

    def hire(self) -> None:
        """Start one more worker."""
        self._number += 1
        command = [sys.executable, "-m", "celery", "-A", "tests.support.celery_app", "worker"]
        command += [*self._options, "-n", f"w{self._number}@localhost", "-l", "INFO"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self.processes.append(
            subprocess.Popen(
                command,
                cwd=_ROOT,
                env={**os.environ, "SMTPS_TEST_CELERY": self._settings, "C_FORCE_ROOT": "1"},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        )

    def kill(self, number: int) -> None:
        """Kill a worker with its children, as the end of its machine would."""
        process = self.processes.pop(number)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)

    def kill_child(self, number: int) -> bool:
        """Kill a child of a worker, as the kernel does when memory is short; false without one."""
        children = _children(self.processes[number].pid)
        if children:
            os.kill(children[0], signal.SIGKILL)
        return bool(children)

    def stop(self) -> None:
        """End all of them once they have done what they are at."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)
        self.processes.clear()
        os.close(self._log)
        self._log_file.unlink()

    def await_words(self, words: str, count: int = 1, timeout: float = 30.0) -> None:
        """Wait until a worker has said something so often."""
        deadline = time.monotonic() + timeout
        while self.log.count(words) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {words!r} in {timeout:g} s:\n{self.log[-6000:]}")
            time.sleep(0.02)


def _children(process: int) -> list[int]:
    return [
        int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]
