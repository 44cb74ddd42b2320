"""The embedded server in a process of its own, so that sender and server share no interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .exits import SOFTWARE, Failure

__all__ = ["embedded_server"]


@contextmanager
def embedded_server(tls: str = "starttls") -> Iterator[tuple[str, str]]:
    """Run one that counts messages and forgets them; give its URL, and its authority's file.

    Raises:
        Failure: it did not start.
    """
    command = [sys.executable, "-m", "smtps.testing", "--tls", tls, "--discard"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C at the terminal is for this process, which ends that one by closing its input.
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            about = process.stdout.readline()
            if not about:
                raise Failure("the embedded server did not start", SOFTWARE)
            facts = json.loads(about)
            yield facts["url"], facts["ca_file"]
        finally:
            process.stdin.close()
            process.wait(timeout=10)
