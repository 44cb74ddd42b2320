"""The discarding server in C, as a process of its own.

`python -m benchmarks.comparison.sink` runs one until standard input ends, and prints the tally for
each line on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from smtps.testing.certificates import LOCAL_NAMES, default_authority

from .native import Program

__all__ = ["Sink", "Tally"]

PROGRAM = Program(
    "sink", ("sink.c", "receiver.c"), headers=("receiver.h",), libraries=("ssl", "crypto")
)


@dataclass(frozen=True)
class Tally:
    """What a sink took since it was started; `cpu` is its own, in seconds."""

    messages: int
    recipients: int
    bytes: int
    refusals: int
    connections: int
    cpu: float

    def __sub__(self, earlier: Tally) -> Tally:
        return Tally(
            self.messages - earlier.messages,
            self.recipients - earlier.recipients,
            self.bytes - earlier.bytes,
            self.refusals - earlier.refusals,
            self.connections - earlier.connections,
            self.cpu - earlier.cpu,
        )


class Sink:
    """A running sink: `port` offers STARTTLS, `tls_port` expects TLS from the first byte.

    Args:
        ids: give each message a number in its reply, as a queue does.
        size: the limit in octets that is announced and kept; 0 for none.
        refuse: refuse every address that begins so.
        host: the IPv4 address to listen on.
        within: a command that starts the process, to put it into another network namespace.
        program: what to run in place of the usual build.
    """

    def __init__(
        self,
        *,
        chunking: bool = True,
        pipelining: bool = True,
        ids: bool = False,
        size: int = 0,
        refuse: str | None = None,
        host: str = "127.0.0.1",
        within: Sequence[str] = (),
        program: Program = PROGRAM,
    ) -> None:
        certificate = default_authority().issue(*LOCAL_NAMES, host)
        self.host = host
        self.ca_file = certificate.ca_file
        command = [*within, program.build(), "--host", host, "--cert", certificate.pem_file]
        command += ["--size", str(size)] if size else []
        command += ["--refuse", refuse] if refuse else []
        command += [] if chunking else ["--no-chunking"]
        command += [] if pipelining else ["--no-pipelining"]
        command += ["--ids"] if ids else []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        about = self._answer()
        self.port = int(about["port"])
        self.tls_port = int(about["tls_port"])

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def tally(self) -> Tally:
        """Ask what it took so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._answer()
        cpu = answer.pop("cpu")
        return Tally(**{name: int(value) for name, value in answer.items()}, cpu=cpu)

    def close(self) -> int:
        """End the process; gives its exit status."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        status = self._process.wait(timeout=10)
        self._process.stdout.close()
        return status

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the sink ended with status {self._process.wait(timeout=10)}")
        answer: dict[str, float] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def main() -> None:
    """Run one for a person or another program."""
    options = {name: name in sys.argv[1:] for name in ("ids", "no-chunking", "no-pipelining")}
    with Sink(
        ids=options["ids"],
        chunking=not options["no-chunking"],
        pipelining=not options["no-pipelining"],
    ) as sink:
        about = {"port": sink.port, "tls_port": sink.tls_port, "ca_file": sink.ca_file}
        print(json.dumps(about), flush=True)
        for _ in sys.stdin:
            print(sink.tally(), flush=True)


if __name__ == "__main__":
    main()
