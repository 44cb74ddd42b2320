"""CPython's own tests of smtplib pass, with this module in its place."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = Path(__file__).parent.parent / "support/smtplib_suite.py"


def test_the_tests_of_smtplib_pass_unmodified() -> None:
    if importlib.util.find_spec("test.test_smtplib") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        message = f"this Python lacks its tests: apt-get install libpython{version}-testsuite"
        if os.environ.get("SMTPS_REQUIRE_SERVERS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    result = subprocess.run(
        [sys.executable, SUITE], capture_output=True, text=True, check=False, timeout=100
    )
    assert result.stdout, result.stderr
    outcome = json.loads(result.stdout)
    assert outcome["failed"] == [], result.stderr
    assert outcome["ran"] - len(outcome["skipped"]) >= 80
    assert result.returncode == 0
