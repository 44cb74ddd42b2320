"""Eight workers on one folder, two of them killed again and again: each message exactly once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from smtps import SMTPS, Outbox
from smtps.testing import Sink
from tests.support.victim import item

# SMTPS_KILLS=all takes 20,000 messages and a second between the kills.
WHOLE = os.environ.get("SMTPS_KILLS") == "all"
MESSAGES = 20_000 if WHOLE else 2_000
SECONDS = 1.0 if WHOLE else 0.2


def test_eight_workers_of_which_two_always_die_send_each_message_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    names = [f"m{number}" for number in range(MESSAGES)]
    outbox.put_many(map(item, names))
    with Sink() as sink:
        command = [sys.executable, "-m", "tests.support.crew", str(tmp_path), sink.url, "8"]
        done = subprocess.run([*command, str(SECONDS)], capture_output=True, text=True, check=True)
        with SMTPS.from_url(sink.url) as smtp:
            report = outbox.run(smtp)
        counts = Counter(
            match
            for message in sink.messages
            for match in re.findall(r"Message-ID: <(\w+)@", message.content.decode())
        )
    assert int(done.stdout) >= 4
    assert done.stderr == ""
    held = {file.read_bytes() for file in tmp_path.iterdir()}
    in_doubt = {re.findall(rb"Message-ID: <(\w+)@", data)[0].decode() for data in held}
    assert len(in_doubt) == len(report.in_doubt)
    assert max(counts.values()) == 1
    assert set(counts) | in_doubt == set(names)
    # One message a worker at most was between its end and its answer.
    assert len(in_doubt) <= int(done.stdout)
