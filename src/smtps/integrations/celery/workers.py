"""What a worker process has: one pool, the record, the rate; made when needed, closed at its end.

A prefork worker forks before its processes send anything; each then has its own.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from celery import signals

from ...errors import BadValue
from ...pool import Pool
from ..sharing import Pools
from .configuration import Configuration, without_password
from .memory import Memory, MemoryUnavailable
from .rate import Pace, SharedRate
from .record import Record

__all__ = ["Engine", "close", "engine_of"]

_log = logging.getLogger("smtps.celery")
# The exit code of a configuration that cannot be used, as in sysexits.h.
_EX_CONFIG = 78


@dataclass(slots=True)
class Engine:
    """What sends for one configuration in this process."""

    configuration: Configuration
    memory: Memory | None = None
    record: Record | None = None
    rate: SharedRate | None = None

    def __post_init__(self) -> None:
        given = self.configuration
        if not given.redis:
            return
        self.memory = Memory(given)
        self.record = Record(
            self.memory,
            ttl=given.record_ttl,
            lease=given.lease,
            resend=given.in_doubt == "resend",
        )
        if given.rate is not None:
            self.rate = SharedRate(self.memory, given.rate, given.relay)

    @contextmanager
    def pool(self) -> Iterator[Pool]:
        """Lend the pool of this process."""
        given = self.configuration
        with _pools.lent(given, self._pool) as pool:
            yield pool

    def _pool(self) -> Pool:
        given = self.configuration
        pool = Pool(given.make, connections=given.connections, per_connection=given.in_flight)
        pool._throttle = Pace(given.connections, given.in_flight, self.rate)
        return pool

    def close(self) -> None:
        """Write down what is to be written, and close the connection to Redis."""
        if self.record is not None:
            self.record.close()


_pools = Pools()
_engines: dict[tuple[int, str], Engine] = {}
_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # Windows has no fork.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def engine_of(conf: Mapping[str, Any]) -> Engine:
    """Give what sends in this process for the configuration of an app.

    Raises:
        BadValue: the configuration cannot be used.
    """
    key = os.getpid(), repr(Configuration.values(conf))
    with _lock:
        if key not in _engines:
            _engines[key] = Engine(Configuration.of(conf))
        return _engines[key]


def close() -> None:
    """Close the connections of this process. The next task makes others."""
    _pools.close()
    with _lock:
        mine = [key for key in _engines if key[0] == os.getpid()]
        engines = [_engines.pop(key) for key in mine]
    for engine in engines:
        engine.close()


class _Worker(Protocol):
    app: Any


def _check(sender: _Worker, **_: Any) -> None:
    """Let no worker start that could not send, and hide passwords from what shows settings."""
    conf = sender.app.conf
    try:
        configuration = Configuration.of(conf)
        if configuration.redis:
            Memory(configuration).close()
    except BadValue as error:
        # Logging may not be set up yet, and nothing else says why no worker comes.
        sys.stderr.write(f"smtps: {error}\n")
        raise SystemExit(_EX_CONFIG) from None
    for name in ("smtps_url", "smtps_redis"):
        url, password = without_password(conf.get(name) or "")
        if password:
            # Celery shows no setting with this word in its name.
            conf.update({name: url, f"{name.replace('_url', '')}_password": password})


def _look(sender: _Worker, **_: Any) -> None:
    """Warn of a Redis that is down, or that may forget what was sent."""
    configuration = Configuration.of(sender.app.conf)
    if not configuration.redis:
        return
    memory = Memory(configuration)
    try:
        for doubt in memory.doubts():
            _log.warning("%s", doubt)
    except MemoryUnavailable as error:
        # It may come; until then tasks go again.
        _log.warning("%s", error)
    memory.close()


def _end(**_: Any) -> None:
    close()


signals.worker_init.connect(_check, weak=False)
signals.worker_ready.connect(_look, weak=False)
signals.worker_process_shutdown.connect(_end, weak=False)
signals.worker_shutdown.connect(_end, weak=False)
