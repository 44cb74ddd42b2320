"""A disk without room: put says so and leaves nothing, and run makes room again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smtps.testing import Sink


@pytest.mark.parametrize("limit", ["size=64k", "nr_inodes=12"])
def test_a_full_disk_takes_no_half_message_and_is_emptied_by_a_run(
    tmp_path: Path, limit: str
) -> None:
    mount = f"mount -t tmpfs -o {limit},mode=700 none"
    script = mount + ' "$1" && exec "$2" -m tests.support.full_disk "$1" "$3"'
    with Sink() as sink:
        arguments = [str(tmp_path), sys.executable, sink.url]
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
    facts = json.loads(done.stdout)
    assert facts["error"].endswith("failed: No space left on device")
    assert facts["is_full"]
    assert facts["all_there"]
    assert facts["sent"] == facts["put"] == sink.count >= 8
    assert facts["left"] == []
