"""A process that works on a queue and is killed in the middle: `python -m tests.support.victim`.

It imports everything once, then forks a child for each job that it reads, a line of JSON, from its
standard input. The child stops itself, so that a tracer can take hold of it, and does the job once
it is continued. What the job returned is written to the file of its log, one line a result.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from typing import Any

from smtps import SMTPS, Envelope, Outbox, Schedule, SMTPSError
from smtps.outbox import bulk
from smtps.spool.boot import boot_id
from smtps.spool.claim import Claim
from smtps.spool.inflight import Inflight

__all__ = ["item"]


def item(identifier: str, *recipients: str) -> tuple[Envelope, bytes]:
    content = b"Message-ID: <%b@a.example>\r\n\r\nHello\r\n" % identifier.encode()
    return Envelope("ann@a.example", recipients or [f"{identifier}@b.example"]), content


def do(job: dict[str, Any]) -> list[str]:
    outbox = Outbox(job["folder"], schedule=Schedule(first=0), in_doubt=job.get("in_doubt", "hold"))
    if job["do"] == "put":
        return [outbox.put(item(name)) for name in job["names"]]
    if job["do"] == "put_many":
        return outbox.put_many(item(name) for name in job["names"])
    smtp = SMTPS.from_url(job["url"])
    report = outbox.run(smtp, window=job.get("window"))
    return [f"{report.sent} {len(report.failed)} {report.deferred} {len(report.in_doubt)}"]


def cripple(kind: str) -> None:
    """Leave out what makes the writer safe, to see that the tests notice."""
    real = os.fsync

    def leave_out(which: bool) -> Callable[[Any], None]:
        return lambda fd: None if stat.S_ISDIR(os.fstat(fd).st_mode) is which else real(fd)

    if kind == "file syncs":
        setattr(os, "fsync", leave_out(False))  # noqa: B010
        setattr(os, "fdatasync", leave_out(False))  # noqa: B010
    elif kind == "folder syncs":
        setattr(os, "fsync", leave_out(True))  # noqa: B010
    elif kind == "hand-overs":
        setattr(Claim, "hand_over", lambda *_: None)  # noqa: B010
        setattr(Claim, "mark", lambda *_: None)  # noqa: B010
        setattr(bulk, "Inflight", lambda folder, _: Inflight(folder, []))  # noqa: B010


def child(job: dict[str, Any]) -> None:
    log = os.open(job["log"], os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    gc.disable()
    cripple(job.get("without", ""))
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        lines = do(job)
    except SMTPSError as error:
        lines = [f"error: {error}"]
    os.write(log, "".join(f"{line}\n" for line in lines).encode())
    os._exit(0)


def main() -> None:
    boot_id()
    for line in sys.stdin:
        process = os.fork()
        if not process:
            child(json.loads(line))
        # Only one that has stopped can be continued.
        os.waitpid(process, os.WUNTRACED)
        print(process, flush=True)
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
