"""Workers on one queue, two of which are killed again and again: `python -m tests.support.crew`.

Takes the folder, the relay's URL, the number of workers, the seconds until two of them are killed
for the first time, and how many messages each has in flight (0: as many as it can); ends when the
queue is empty and no worker is left, and prints how many were killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from smtps import SMTPS, Outbox, Schedule, SMTPSError

__all__: list[str] = []


def work(folder: str, url: str, window: int | None) -> None:
    """Send until nothing is left that somebody else does not have."""
    outbox = Outbox(folder, schedule=Schedule(first=0))
    with SMTPS.from_url(url) as smtp:
        while True:
            try:
                outbox.run(smtp, window=window)
            except SMTPSError as error:
                print(error, file=sys.stderr)
            if not outbox.count()["queued"]:
                break
    os._exit(0)


def hire(folder: str, url: str, window: int | None) -> int:
    process = os.fork()
    if not process:
        work(folder, url, window)
    return process


def main(folder: str, url: str, count: int, pause: float, window: int | None) -> None:
    chance = random.Random(1)
    crew = {hire(folder, url, window) for _ in range(count)}
    killed = 0
    moment = time.monotonic() + pause
    while crew:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process:
            crew.discard(process)
            if os.waitstatus_to_exitcode(status):
                crew.add(hire(folder, url, window))
        elif time.monotonic() < moment:
            time.sleep(0.01)
        else:
            # On a machine so slow that nobody lives to deliver anything they come to live longer.
            pause *= 1.05
            moment = time.monotonic() + pause
            for victim in chance.sample(sorted(crew), min(2, len(crew))):
                os.kill(victim, signal.SIGKILL)
                killed += 1
    print(killed)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]) or None)
