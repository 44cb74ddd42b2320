"""A sink in a process of its own: `python -m smtps.testing`.

Prints one line of JSON that says where it is, serves until its standard input is closed or Ctrl-C
is pressed, and then prints one more that says what it took.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from queue import SimpleQueue

from .extensions import ALL_EXTENSIONS
from .sink import Sink

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Serve until standard input ends, so that the sink cannot outlive who started it."""
    options = _parser().parse_args(arguments)
    endings = _endings()
    with Sink(
        host=options.host,
        port=options.port,
        tls=None if options.tls == "none" else options.tls,
        users=dict(options.user) or None,
        extensions=_extensions(options.without),
        record=not options.discard,
    ) as sink:
        _say(url=sink.url, host=sink.host, port=sink.port, ca_file=sink.ca_file)
        endings.get()
        received = sum(connection.received for connection in sink.connections)
        _say(count=sink.count, received=received, connections=len(sink.connections))


def _endings() -> SimpleQueue[str]:
    """Give what the reason to end is put into: standard input ended, or Ctrl-C was pressed.

    An exception at Ctrl-C could come at any moment, also while the sink is closed; this waits.
    """
    endings: SimpleQueue[str] = SimpleQueue()
    signal.signal(signal.SIGINT, lambda *_: endings.put("interrupted"))

    def drain() -> None:
        # Past the buffer of `sys.stdin`, whose lock must be free when the interpreter ends.
        while os.read(0, 65536):
            pass
        endings.put("ended")

    threading.Thread(target=drain, daemon=True).start()
    return endings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m smtps.testing", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--discard", action="store_true", help="count messages and forget them")
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        type=_user,
        metavar="NAME:PASSWORD",
        help="who can log in",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="KEYWORD",
        help="an extension to leave out",
    )
    return parser


def _user(text: str) -> tuple[str, str]:
    name, separator, password = text.partition(":")
    if not separator:
        raise argparse.ArgumentTypeError("write NAME:PASSWORD")
    return name, password


def _extensions(without: list[str]) -> tuple[str, ...]:
    left_out = {keyword.upper() for keyword in without}
    return tuple(line for line in ALL_EXTENSIONS if line.split(" ")[0] not in left_out)


def _say(**facts: object) -> None:
    try:
        print(json.dumps(facts), flush=True)  # noqa: T201
    except BrokenPipeError:
        # Who started it is gone, and so its standard input ends it; Python would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main()
