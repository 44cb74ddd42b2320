"""The clock jumps, for real: a library moves what it shows while everything is under way.

The clock that only runs on is not moved: that is what timeouts are to use.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

#: To where, in the clock's own zone; or by how many seconds.
JUMPS: dict[str, str | int] = {
    "back a day": -86_400,
    "on ten years": 10 * 365 * 86_400,
    "over the end of 32 bits": "2038-01-19 04:14:06",
    "into the lost hour of a spring": "2026-03-29 01:59:59",
    "into the doubled hour of an autumn": "2026-10-25 02:59:59",
    "back to 1970": "1970-01-02 00:00:00",
}
SOURCE = Path(__file__).parents[1] / "support" / "clock.c"

_PROGRAM = r"""
import faulthandler, os, sys, time
from email.utils import parsedate_to_datetime
from pathlib import Path
from smtps import SMTPS, Envelope, Message, Outbox, Pool, TimedOut
from smtps.testing import Fault, Sink

clock, jump, folder = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
begun = time.time()
faulthandler.dump_traceback_later(90, exit=True)

def move(seconds):
    # In place, as it is read at every look at the clock.
    with clock.open("r+b") as file:
        file.write(seconds.to_bytes(8, sys.byteorder, signed=True))
    assert abs(time.time() - begun - seconds) < 120

def item(number):
    envelope = Envelope(f"s{number}@a.example", ["r@b.example"])
    return envelope, b"Subject: %d\r\n\r\nx\r\n" % number

def timeout_is_kept(sink):
    struck = []
    def strikes(line):
        if not struck:
            struck.append(line)
            move(jump)
        return len(struck) == 1
    sink.add_fault(Fault(on="MAIL", nth=1, stall=True, when=strikes))
    before = time.monotonic()
    try:
        SMTPS.from_url(sink.url + "&timeout=0.5").send(item(0))
    except TimedOut:
        assert 0.4 < time.monotonic() - before < 60
    else:
        raise AssertionError("nothing timed out")
    move(0)

def a_pool_goes_on(sink):
    def source():
        for number in range(40):
            if number in (10, 30):
                move(jump if number == 10 else 0)
            yield item(number)
    with Pool(sink.url, connections=2, rate="1000/s") as pool:
        assert [receipt.ok for receipt in pool.send_many(source())] == [True] * 40
        move(jump)
        assert pool.send(item(40)).ok
    move(0)

def a_queue_keeps_its_order(sink):
    folder.mkdir()
    outbox = Outbox(folder)
    names = [outbox.put(item(number)) for number in range(3)]
    move(jump)
    names += [outbox.put(item(number)) for number in range(3, 6)]
    move(0)
    names += [outbox.put(item(number)) for number in range(6, 9)]
    assert len(set(names)) == 9
    already = sink.count
    move(jump)
    with SMTPS.from_url(sink.url) as smtp:
        report = outbox.run(smtp)
        move(0)
        again = outbox.run(smtp)
    assert report.sent + again.sent == 9, (report, again)
    arrived = [message.sender for message in sink.messages[already:]]
    assert sorted(arrived) == [f"s{number}@a.example" for number in range(9)]
    assert arrived == sorted(arrived), arrived

def a_message_has_the_date_that_the_clock_shows(sink):
    move(jump)
    data = Message(from_="a@b.example", to="c@d.example", text="x").render()
    (line,) = [one for one in data.split(b"\r\n") if one.startswith(b"Date:")]
    date = parsedate_to_datetime(line[5:].decode().strip())
    assert abs(date.timestamp() - time.time()) < 60, line
    move(0)

with Sink() as sink:
    for check in (
        timeout_is_kept, a_pool_goes_on, a_queue_keeps_its_order,
        a_message_has_the_date_that_the_clock_shows,
    ):
        check(sink)
print("as it should")
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", SOURCE, "-o", path, "-ldl"], check=True)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="a library goes before the system's own")
@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_under_way_changes_nothing(
    jump: str, library: Path, tmp_path: Path
) -> None:
    to = JUMPS[jump]
    if isinstance(to, str):
        zone = ZoneInfo("Europe/Berlin")
        to = int(datetime.fromisoformat(to).replace(tzinfo=zone).timestamp() - time.time())
    clock = tmp_path / "clock"
    clock.write_bytes(bytes(8))
    moved = {"LD_PRELOAD": str(library), "SMTPS_TEST_CLOCK": str(clock), "TZ": "Europe/Berlin"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(clock), str(to), str(tmp_path / "queue")],
        env={**os.environ, **moved},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert (done.returncode, done.stdout) == (0, "as it should\n"), done.stderr
