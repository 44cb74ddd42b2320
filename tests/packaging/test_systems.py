"""Nothing of POSIX alone is needed to import the package and to send with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "support" / "fewer.py"


def test_it_imports_and_sends_without_what_windows_lacks() -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "sent 41\n"), done.stderr[-3000:]
