"""Measure the outbox against bare loops of the same system calls, and against smtplib.

Each figure is the median of rounds in which the contenders take turns, in one process, on one
folder's file system. `put` and `put_many` are held against loops that create, write, sync, rename
and sync; `run`, against a loop that claims, reads and removes the same files, and against smtplib
sending what such a loop reads. The server is the discarding sink in C, in clear, with CHUNKING.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import smtplib
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(1, str(Path(__file__).parent.parent))

from comparison.machine import describe_machine
from comparison.native import RESULTS
from comparison.sink import Sink

from smtps import SMTPS, Envelope, Outbox
from smtps.spool.entry import Addressee, Entry
from smtps.spool.folder import Folder
from smtps.spool.store import Draft, write_message
from smtps.wire.content import Content

CONTENT = b"From: ann@a.example\r\nSubject: small\r\n\r\n" + (b"x" * 62 + b"\r\n") * 15
GROUP = 256


def item(number: int) -> tuple[Envelope, bytes]:
    return Envelope("ann@a.example", [f"bob{number}@b.example"]), CONTENT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="messages of a run (20000)")
    parser.add_argument("--puts", type=int, default=2_000, help="messages of a put (2000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", help="where; the default is the system's temporary folder")
    arguments = parser.parse_args()
    print(describe_machine(), flush=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place, Sink() as sink:
        bench = Bench(Path(place), sink)
        puts, count = arguments.puts, arguments.count
        bench.compare("put", puts, arguments.rounds, [bench.put, bench.bare_put])
        bench.compare("put_many", puts, arguments.rounds, [bench.put_many, bench.bare_put_many])
        bench.compare(
            "run", count, arguments.rounds, [bench.run, bench.bare_run, bench.smtplib_run]
        )
    saved = {
        "machine": describe_machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "rounds": arguments.rounds,
        "rows": bench.rows,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "outbox.json").write_text(json.dumps(saved, indent=1) + "\n")


class Bench:
    """A folder, and what is measured in it."""

    def __init__(self, place: Path, sink: Sink) -> None:
        self.place = place / "queue"
        self.sink = sink
        self.rows: list[dict[str, Any]] = []
        with tempfile.TemporaryFile() as file, Folder(place) as folder:
            write_message(folder, file.fileno(), self._draft(0))
            self.size = os.fstat(file.fileno()).st_size
            self.data = os.pread(file.fileno(), self.size, 0)

    @staticmethod
    def _draft(number: int) -> Draft:
        envelope, content = item(number)
        addressees = tuple(Addressee(recipient) for recipient in envelope.recipients)
        return Draft(Entry(envelope, addressees, time.time()), Content(content))

    def compare(
        self, title: str, count: int, rounds: int, contenders: list[Callable[[int], float]]
    ) -> None:
        """Let them take turns, and show each with what the first is in its terms."""
        seconds: dict[str, list[float]] = {one.__name__: [] for one in contenders}
        for _ in range(rounds):
            for contender in contenders:
                self.place.mkdir()
                seconds[contender.__name__].append(contender(count))
                shutil.rmtree(self.place)
                os.sync()
        first = median(seconds[contenders[0].__name__])
        for name, times in seconds.items():
            rate = count / median(times)
            ratio = median(times) / first
            print(f"{title:10}{name:16}{rate:10,.0f}/s {1e6 / rate:8.1f} us {ratio:8.2f}x")
            self.rows.append(
                {"what": title, "contender": name, "messages": count, "rate": rate, "times": ratio}
            )
        sys.stdout.flush()

    # --- put --------------------------------------------------------------------------------------

    def put(self, count: int) -> float:
        outbox = Outbox(self.place)
        start = time.perf_counter()
        for number in range(count):
            outbox.put(item(number))
        return time.perf_counter() - start

    def bare_put(self, count: int) -> float:
        start = time.perf_counter()
        for number in range(count):
            folder = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
            fd = self._create(folder, number)
            os.fsync(fd)
            os.close(fd)
            self._name(folder, number)
            os.fsync(folder)
            os.close(folder)
        return time.perf_counter() - start

    def put_many(self, count: int) -> float:
        outbox = Outbox(self.place)
        start = time.perf_counter()
        outbox.put_many(map(item, range(count)))
        return time.perf_counter() - start

    def bare_put_many(self, count: int) -> float:
        start = time.perf_counter()
        folder = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        for first in range(0, count, 200):
            group = range(first, min(first + 200, count))
            fds = [self._create(folder, number) for number in group]
            for fd in fds:
                os.fsync(fd)
                os.close(fd)
        for number in range(count):
            self._name(folder, number)
        os.fsync(folder)
        os.close(folder)
        return time.perf_counter() - start

    def _create(self, folder: int, number: int) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        fd = os.open(f"20261125T{number:022}.tmp", flags, 0o600, dir_fd=folder)
        os.pwrite(fd, self.data, 0)
        return fd

    def _name(self, folder: int, number: int) -> None:
        name = f"20261125T{number:022}"
        os.rename(f"{name}.tmp", f"{name}.queued", src_dir_fd=folder, dst_dir_fd=folder)

    # --- run --------------------------------------------------------------------------------------

    def _fill(self, count: int) -> None:
        """Put without waiting for the disk, but once."""
        with Folder(self.place) as folder:
            for number in range(count):
                fd = folder.create(f"20261125T{number:022}.queued")
                write_message(folder, fd, self._draft(number))
                os.close(fd)
        os.sync()

    def run(self, count: int) -> float:
        self._fill(count)
        outbox = Outbox(self.place)
        with SMTPS(mail_server=self.sink.host, mail_port=self.sink.port, ssl_start_mode=3) as smtp:
            smtp.connect()
            start = time.perf_counter()
            report = outbox.run(smtp)
            seconds = time.perf_counter() - start
        assert report.sent == count, report
        return seconds

    def bare_run(self, count: int) -> float:
        self._fill(count)
        start = time.perf_counter()
        names = sorted(name[:-7] for name in os.listdir(self.place))
        folder = os.open(self.place, os.O_RDONLY | os.O_DIRECTORY)
        for first in range(0, count, GROUP):
            claimed = []
            for name in names[first : first + GROUP]:
                fd = os.open(f"{name}.queued", os.O_RDWR, dir_fd=folder)
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.pread(fd, 131072, 0)
                os.rename(f"{name}.queued", f"{name}.sending", src_dir_fd=folder, dst_dir_fd=folder)
                claimed.append((name, fd))
            os.fsync(folder)
            for name, fd in claimed:
                os.unlink(f"{name}.sending", dir_fd=folder)
                os.close(fd)
        os.fsync(folder)
        os.close(folder)
        return time.perf_counter() - start

    def smtplib_run(self, count: int) -> float:
        self._fill(count)
        with smtplib.SMTP(self.sink.host, self.sink.port) as client:
            client.ehlo()
            start = time.perf_counter()
            for name in sorted(os.listdir(self.place)):
                path = self.place / name
                head, _, content = path.read_bytes().partition(b"\n\n")
                recipient = head.split(b"X-Envelope-To: <")[1].split(b">")[0].decode()
                client.sendmail("ann@a.example", [recipient], content)
                path.unlink()
            return time.perf_counter() - start


if __name__ == "__main__":
    main()
