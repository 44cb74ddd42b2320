"""Measure Django's mail through this package beside its own SMTP backend, in one run.

Each figure is the median of rounds in which the two take turns: `send_messages` with a list of
small messages, each with a subject and a recipient of its own, into the discarding sink in C. The
messages are made anew for every round, outside of the clock; connecting is inside.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(1, str(Path(__file__).parent.parent))

import django
from comparison.machine import describe_machine
from comparison.sink import Sink
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

STOCK = "django.core.mail.backends.smtp.EmailBackend"
OURS = "smtps.integrations.django.EmailBackend"
BODY = "Dear reader,\nthis is what is new today.\n" * 8


def messages(count: int) -> list[EmailMessage]:
    return [
        EmailMessage(f"News {n}", BODY, "The News <news@a.example>", [f"reader{n}@b.example"])
        for n in range(count)
    ]


def seconds(backend: str, count: int) -> float:
    batch = messages(count)
    start = time.perf_counter()
    sent = get_connection(backend).send_messages(batch)
    taken = time.perf_counter() - start
    assert sent == count, f"{backend} sent {sent} of {count}"
    return taken


def compare(sink: Sink, count: int, rounds: int, *, tls: bool) -> None:
    """Let the two take turns, and show both."""
    settings.EMAIL_PORT = sink.tls_port if tls else sink.port
    settings.EMAIL_USE_SSL = tls
    before = sink.tally().messages
    times: dict[str, list[float]] = {STOCK: [], OURS: []}
    for _ in range(rounds):
        for backend, found in times.items():
            found.append(seconds(backend, count))
    assert sink.tally().messages - before == 2 * rounds * count
    stock, ours = (median(times[backend]) for backend in (STOCK, OURS))
    how = "TLS" if tls else "in clear"
    for name, taken in (("Django's own", stock), ("smtps", ours)):
        rate, cost, ratio = count / taken, taken / count * 1e6, stock / taken
        print(f"{how:10}{name:14}{rate:10,.0f}/s {cost:8.1f} us {ratio:8.2f}x", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5_000, help="messages of a round (5000)")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with Sink() as sink:
        os.environ["SSL_CERT_FILE"] = sink.ca_file
        settings.configure(EMAIL_HOST="localhost", EMAIL_OPTIONS={"openssl_ca_file": sink.ca_file})
        django.setup()
        print(f"{describe_machine()}, Django {django.__version__}", flush=True)
        for tls in (False, True):
            compare(sink, arguments.count, arguments.rounds, tls=tls)


if __name__ == "__main__":
    main()
