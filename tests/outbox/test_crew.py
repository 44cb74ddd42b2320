"""Eight workers on one folder, two of them killed again and again: each message exactly once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from smtps import SMTPS, Outbox
from smtps.testing import Sink
from tests.support.victim import item

# SMTPS_KILLS=all takes 20,000 messages, and two kills every second.
WHOLE = os.environ.get("SMTPS_KILLS") == "all"


@pytest.mark.parametrize(
    ("window", "messages", "seconds"),
    [(1, 20_000, 1.0), (None, 20_000, 1.0)] if WHOLE else [(1, 1_200, 0.2), (None, 3_000, 0.1)],
    ids=["one by one", "in bulk"],
)
def test_eight_workers_of_which_two_always_die_send_each_message_once(
    tmp_path: Path, window: int | None, messages: int, seconds: float
) -> None:
    outbox = Outbox(tmp_path)
    names = [f"m{number}" for number in range(messages)]
    outbox.put_many(map(item, names))
    with Sink() as sink:
        arguments = [str(tmp_path), sink.url, "8", str(seconds), str(window or 0)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.crew", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        with SMTPS.from_url(sink.url) as smtp:
            report = outbox.run(smtp)
        counts = Counter(
            match
            for message in sink.messages
            for match in re.findall(r"Message-ID: <(\w+)@", message.content.decode())
        )
    killed = int(done.stdout)
    assert killed >= 4
    assert done.stderr == ""
    held = {file.read_bytes() for file in tmp_path.iterdir()}
    in_doubt = {re.findall(rb"Message-ID: <(\w+)@", data)[0].decode() for data in held}
    assert len(in_doubt) == len(report.in_doubt)
    assert max(counts.values()) == 1
    assert set(counts) | in_doubt == set(names)
    if window == 1:
        # Of each worker that died one message at most was between its end and its answer.
        assert len(in_doubt) <= killed
