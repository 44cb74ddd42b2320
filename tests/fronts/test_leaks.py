"""What was done leaves nothing behind: no memory, descriptor or thread, seen in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from smtps.testing import Fault, Sink

#: What the interpreter itself keeps here and there.
FEW_BLOCKS, FEW_BYTES = 150, 3 << 20


@pytest.mark.parametrize("what", ["send", "asend", "connect", "pool", "compose", "errors"])
def test_thousands_of_times_leave_nothing_behind(what: str) -> None:
    refusals = [Fault(on="RCPT", reply="550 5.1.1 no such user")]
    with Sink(record=False) as sink, Sink(record=False, faults=refusals) as refusing:
        command = [sys.executable, "-m", "tests.support.leaking", what, "3000"]
        command += [sink.url, refusing.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    growth = json.loads(done.stdout)
    assert growth["blocks"] < FEW_BLOCKS, growth
    assert growth["resident"] < FEW_BYTES, growth
    assert (growth["descriptors"], growth["threads"]) == (0, 0)
