"""What others put into the folder of a queue: pipes and files of theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smtps.spool.folder import Folder

_PROGRAM = """
import sys
from smtps import SMTPS, Outbox

outbox = Outbox(sys.argv[1])
print([one.id for one in outbox.list()])
try:
    outbox.retry("fifo")
except Exception as error:
    print(type(error).__name__)
print(outbox.run(SMTPS(mail_server="127.0.0.1", mail_port=1)).sent)
"""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("state", ["queued", "sending", "sent", "failed"])
def test_a_pipe_makes_nobody_wait(tmp_path: Path, state: str) -> None:
    os.mkfifo(tmp_path / f"fifo.{state}")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "0"


def test_a_file_of_another_user_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.queued"
    path.touch()
    with Folder(tmp_path) as folder:
        about = path.stat()
        assert folder.is_ours(about)
        folder.owners = {about.st_uid + 1}
        assert not folder.is_ours(about)
