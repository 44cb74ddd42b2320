"""Connect while the process may open no more files."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from smtps import SMTPSError
from tests.support.fronts import Front


def main(kind: str) -> None:
    with Front(kind) as front:
        # The loop of the asynchronous one is made before.
        front.disconnect(front.make())
        used = len(os.listdir("/proc/self/fd"))
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (used - 1, limit[1]))
        smtp = front.make(mail_server="127.0.0.1", hello="client.example", ssl_start_mode=3)
        try:
            front.connect(smtp)
        except SMTPSError as error:
            print(type(error).__name__, error.code, error.retryable)


if __name__ == "__main__":
    main(sys.argv[1])
