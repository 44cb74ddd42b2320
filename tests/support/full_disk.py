"""Fill a small disk with messages, and send them from it: `python -m tests.support.full_disk`.

Takes the folder, which must be on a disk of its own, and the relay's URL; prints one line of JSON.
"""

from __future__ import annotations

import errno
import json
import os
import sys

from smtps import SMTPS, Outbox, QueueFolderError
from tests.support.victim import item

__all__: list[str] = []


def main(folder: str, url: str) -> None:
    outbox = Outbox(folder)
    put: list[str] = []
    error: QueueFolderError | None = None
    while error is None:
        try:
            put.append(outbox.put(item(f"m{len(put)}")))
        except QueueFolderError as caught:
            error = caught
    with_batch = None
    try:
        outbox.put_many(item(f"x{number}") for number in range(50))
    except QueueFolderError as caught:
        with_batch = caught.errno
    listed = [one.id for one in outbox.list()]
    with SMTPS.from_url(url) as smtp:
        report = outbox.run(smtp)
    facts = {
        "error": str(error),
        "is_full": error.errno == with_batch == errno.ENOSPC,
        "all_there": listed == put,
        "put": len(put),
        "sent": report.sent,
        "left": os.listdir(folder),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
