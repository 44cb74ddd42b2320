"""Measure Celery's tasks: messages a second by workers, size of batches, connections and limits.

Broker, results and record are one private Redis, which syncs every write; the workers are processes
with one child each. All of them, the relay, and the producer share this machine. Each figure is of
one run from the first task that is handed over to the last result.

The near relay is the discarding sink in C. The slow one takes 50 ms to answer each message, as a
server that checks content does. Needs redis-server.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parent.parent))

from comparison.machine import describe_machine
from comparison.sink import Sink as FastSink

from smtps.testing import Fault, Sink
from tests.support.celery_workers import Crew, app_for, configuration
from tests.support.redis import Redis

DELAY = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="about how long a run is (1)")
    parser.add_argument("--relay", choices=["near", "slow"], help="only this relay")
    arguments = parser.parse_args()
    print(describe_machine(), flush=True)
    redis = Redis()
    try:
        if arguments.relay != "slow":
            with FastSink() as sink:
                url = f"smtp://127.0.0.1:{sink.port}?tls=none"
                Bench(redis, url, arguments.seconds).near()
        if arguments.relay != "near":
            with Sink(faults=[Fault(on=".", delay=DELAY)], record=False) as sink:
                # What is slow has its rate only after a while.
                Bench(redis, sink.url, 3 * arguments.seconds).slow()
    finally:
        redis.stop()


class Bench:
    """Runs against one relay."""

    def __init__(self, redis: Redis, url: str, seconds: float) -> None:
        self._redis = redis
        self._url = url
        self._seconds = seconds
        self._runs = 0

    def near(self) -> None:
        print("\n| task | workers | record | messages/s |\n|---|---|---|---|")
        for size, guess in ((1, 500), (10, 2000), (100, 6000), (1000, 6000)):
            name = "`send`" if size == 1 else f"`send_many`, {size}"
            for workers in (1, 2):
                for record in (False, True):
                    rate = self.run(size, guess, workers, record=record)
                    said = "yes" if record else "no"
                    print(f"| {name} | {workers} | {said} | {rate:,.0f} |", flush=True)

    def slow(self) -> None:
        print("\n| workers | connections each | in flight on each | smtps_rate | messages/s |")
        print("|---|---|---|---|---|")
        for workers, connections, flight, limit in (
            (1, 1, 16, None),
            (1, 4, 16, None),
            (2, 4, 16, None),
            (2, 16, 16, None),
            (2, 16, 2, None),
            (2, 16, 2, "100/s"),
        ):
            settings: dict[str, Any] = {
                "smtps_connections": connections,
                "smtps_in_flight": flight,
                "smtps_rate": limit,
            }
            guess = min(connections / DELAY, 100 / workers if limit else 250)
            rate = self.run(100, guess, workers, record=True, **settings)
            row = f"| {workers} | {connections} | {flight} | {limit or ''} | {rate:,.0f} |"
            print(row, flush=True)

    def run(self, size: int, guess: float, workers: int, *, record: bool, **settings: Any) -> float:
        """Give the messages a second of one run of about so many."""
        batches = max(workers, round(guess * workers * self._seconds / size))
        if not record:
            settings["smtps_redis"] = None
        with self._crew(workers, settings) as app:
            name = "smtps.send" if size == 1 else "smtps.send_many"
            arguments = [
                [letter(batch * size + one) for one in range(size)] for batch in range(batches)
            ]
            began = time.perf_counter()
            tasks = [app.tasks[name].delay(one[0] if size == 1 else one) for one in arguments]
            for task in tasks:
                found = task.get(timeout=60)
                assert found["ok"] if size == 1 else all(one["ok"] for one in found)
            return batches * size / (time.perf_counter() - began)

    @contextmanager
    def _crew(self, workers: int, settings: dict[str, Any]) -> Iterator[Any]:
        self._runs += 1
        whole = configuration(self._redis.url, self._redis.url, self._url, **settings)
        whole.update(task_default_queue=f"run{self._runs}", worker_prefetch_multiplier=4)
        whole["broker_transport_options"] = {}
        app = app_for(whole)
        with Crew(whole, workers=workers) as crew:
            crew.await_words(" ready.", workers)
            # Connections are there before the clock starts.
            for task in [app.tasks["smtps.send_many"].delay([letter(0)] * 2) for _ in range(4)]:
                task.get(timeout=60)
            yield app


def letter(number: int) -> dict[str, Any]:
    return {
        "from": "ann@a.example",
        "to": f"bob{number}@b.example",
        "subject": "News of the week",
        "text": "Hello Bob,\n" + "here is what happened this week, line by line.\n" * 20,
    }


if __name__ == "__main__":
    main()
