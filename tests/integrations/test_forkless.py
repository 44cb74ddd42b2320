"""Where a system has no fork, as Windows, what else there is works."""

from __future__ import annotations

import subprocess
import sys

import pytest

MODULES = [
    *("smtps", "smtps.pool", "smtps.integrations.sharing", "smtps.integrations.logs"),
    *("smtps.integrations.celery", "smtps.integrations.celery.workers"),
]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_loads_without_a_fork(module: str) -> None:
    code = (
        "import os, importlib\n"
        "import random, logging, threading, concurrent.futures.thread\n"
        "del os.register_at_fork\n"
        f"importlib.import_module({module!r})\n"
        "from smtps.integrations import sharing\n"
        "sharing.Pools().close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
