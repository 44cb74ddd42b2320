"""The Redis that all workers share, and the error that says that it is not there."""

from __future__ import annotations

import logging
from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from ...errors import BadValue, SMTPSError
from .configuration import Configuration

__all__ = ["Memory", "MemoryUnavailable"]

_log = logging.getLogger("smtps.celery")
# Seconds that one call may take, and how often it is tried again: longer than Redis takes to start.
_PATIENCE = 5.0
_TRIES = 3


class MemoryUnavailable(SMTPSError):
    """Redis could not be asked, and so nothing is sent; what was asked for goes again later.

    Args:
        what: what it is needed for.
        place: host, port and database; a password is never in it.
    """

    retryable = True

    def __init__(self, what: str, place: str, command: str, cause: Exception) -> None:
        super().__init__(
            162,
            f"{what} in Redis at {place} cannot be used ({cause}); nothing is sent without it."
            f" Check it with: {command}",
        )


class Memory:
    """A connection to Redis for scripts. It may be shared by threads, and outlives a fork.

    Raises:
        BadValue: the URL of Redis is not one.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.prefix = f"{{{configuration.prefix}}}:"
        options: dict[str, Any] = {}
        if configuration.redis_password:
            options["password"] = configuration.redis_password
        try:
            self._redis = redis.Redis.from_url(
                configuration.redis,
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
                socket_keepalive=True,
                retry=Retry(ExponentialBackoff(cap=1, base=0.1), _TRIES),
                decode_responses=True,
                **options,
            )
        except ValueError:
            # Its sentence may repeat the URL, with a password in it.
            raise BadValue(
                "smtps_redis", "not a URL of Redis; write redis://:password@host:6379/0"
            ) from None
        given = self._redis.connection_pool.connection_kwargs
        host, port = given.get("host", "localhost"), given.get("port", 6379)
        number = given.get("db", 0)
        self._place, self._command = (
            f"{host}:{port}/{number}",
            f"redis-cli -h {host} -p {port} ping",
        )
        if "path" in given:
            self._place, self._command = given["path"], f"redis-cli -s {given['path']} ping"

    def run(self, script: str, keys: list[str], arguments: list[Any], *, what: str) -> Any:
        """Run a script in one step.

        Args:
            what: what it is for, as the error says it.

        Raises:
            MemoryUnavailable: it could not be run, or whether it was is not known.
        """
        try:
            # It travels by its digest, and whole if Redis has been restarted since.
            return self._redis.register_script(script)(keys=keys, args=arguments)
        except redis.RedisError as error:
            raise MemoryUnavailable(what, self._place, self._command, error) from error

    def touch(self, key: str, milliseconds: int, *, what: str) -> None:
        """Let a key live for so long from now on.

        Raises:
            MemoryUnavailable: as `run`.
        """
        try:
            self._redis.set(key, "1", px=milliseconds)
        except redis.RedisError as error:
            raise MemoryUnavailable(what, self._place, self._command, error) from error

    def drop(self, key: str) -> None:
        """Remove a key that would go by itself; it does no harm if that fails."""
        try:
            self._redis.delete(key)
        except redis.RedisError as error:
            _log.debug("%s stays until it ends: %s", key, error)

    def doubts(self) -> list[str]:
        """Tell what in Redis's configuration could make it forget.

        Raises:
            MemoryUnavailable: as `run`.
        """
        try:
            found = self._redis.info()
        except redis.RedisError as error:
            raise MemoryUnavailable("the record", self._place, self._command, error) from error
        doubts = []
        if not found.get("aof_enabled"):
            doubts.append("it forgets when it restarts: set appendonly yes")
        if found.get("maxmemory") and found.get("maxmemory_policy") != "noeviction":
            doubts.append("it forgets when it is full: set maxmemory-policy noeviction")
        return [f"Redis at {self._place}: {doubt}" for doubt in doubts]

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
