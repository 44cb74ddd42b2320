"""Workers on one queue, two of which are killed again and again: `python -m tests.support.crew`.

Takes the folder, the relay's URL and the number of workers; ends when the queue is empty and no
worker is left, and prints how many were killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time

from smtps import SMTPS, Outbox, Schedule, SMTPSError

__all__: list[str] = []


def work(folder: str, url: str) -> None:
    """Send until nothing is left that somebody else does not have."""
    outbox = Outbox(folder, schedule=Schedule(first=0))
    with SMTPS.from_url(url) as smtp:
        while True:
            try:
                outbox.run(smtp)
            except SMTPSError as error:
                print(error, file=sys.stderr)
            if not outbox.count()["queued"]:
                break
    os._exit(0)


def hire(folder: str, url: str) -> int:
    process = os.fork()
    if not process:
        work(folder, url)
    return process


def main(folder: str, url: str, count: int, pause: float) -> None:
    chance = random.Random(1)
    crew = {hire(folder, url) for _ in range(count)}
    killed = 0
    moment = time.monotonic() + pause
    while crew:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process:
            crew.discard(process)
            if os.waitstatus_to_exitcode(status):
                crew.add(hire(folder, url))
        elif time.monotonic() < moment:
            time.sleep(0.01)
        else:
            moment += pause
            for victim in chance.sample(sorted(crew), min(2, len(crew))):
                os.kill(victim, signal.SIGKILL)
                killed += 1
    print(killed)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
