"""What Celery's configuration says about sending, checked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from ...amounts import check_count, check_seconds
from ...client import SMTPS
from ...errors import BadValue
from ...throttle import parse_rate
from ...url import RelayURL

__all__ = ["Configuration", "without_password"]

_IN_DOUBT = ("hold", "resend")
# What may be in the environment, where only the worker sees it.
_VARIABLES = {"url": "SMTPS_URL", "redis": "SMTPS_REDIS"}


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings that begin with `smtps_` in Celery's configuration; its repr has no secret.

    Raises:
        BadValue: one of them cannot be used.
    """

    #: The relay, as `SMTPS.from_url` takes it. Without it the environment's SMTPS_URL.
    url: str = field(default="", repr=False)
    #: The password of the relay, in place of one in the URL.
    password: str = field(default="", repr=False)
    #: The most connections of one worker process.
    connections: int = 4
    #: The most messages in flight on one connection, and so in doubt when a worker is killed.
    in_flight: int = 16
    #: The most messages a second of all workers together, as "14/s", or a preset of `Pool`.
    rate: str | None = None
    #: The Redis of the record and the rate. Without it the environment's SMTPS_REDIS, or none.
    redis: str = field(default="", repr=False)
    #: Its password, in place of one in the URL.
    redis_password: str = field(default="", repr=False)
    #: What all keys in Redis begin with.
    prefix: str = "smtps"
    #: Seconds for which the record remembers a message.
    record_ttl: float = 7 * 86400.0
    #: Seconds after which a worker that says nothing is taken for dead.
    lease: float = 30.0
    #: What happens to recipients of whom it is not known whether they have a message: "hold" tells
    #: of them in the result, "resend" sends again, perhaps twice.
    in_doubt: str = "hold"
    #: Seconds until deferred recipients are tried again; doubled each time,
    retry_first: float = 60.0
    #: up to so many,
    retry_most: float = 900.0
    #: and so many times.
    max_retries: int = 48
    #: The folder that `path` in a message is relative to; nothing outside of it is read.
    folder: str | None = None

    def __post_init__(self) -> None:
        for name in ("url", "password", "redis", "redis_password", "prefix"):
            if not isinstance(getattr(self, name), str):
                raise BadValue(f"smtps_{name}", "expected text")
        for name in ("connections", "in_flight", "max_retries"):
            least = 0 if name == "max_retries" else 1
            check_count(f"smtps_{name}", getattr(self, name), least=least)
        for name in ("record_ttl", "lease", "retry_first", "retry_most"):
            if not check_seconds(f"smtps_{name}", getattr(self, name)):
                raise BadValue(f"smtps_{name}", "expected seconds, more than 0")
        if self.in_doubt not in _IN_DOUBT:
            raise BadValue("smtps_in_doubt", 'expected "hold" or "resend"')
        if self.folder is not None and not os.path.isdir(self.folder):
            raise BadValue("smtps_folder", "it is not a folder here; check that it is mounted")
        self._check_rate()
        self._check_url()

    def _check_rate(self) -> None:
        if self.rate is None:
            return
        try:
            parse_rate(self.rate)
        except BadValue as error:
            raise BadValue("smtps_rate", error.reason) from None
        if not self.redis:
            raise BadValue("smtps_rate", "all workers share it in Redis; set smtps_redis")

    def _check_url(self) -> None:
        if not self.url:
            raise BadValue("smtps_url", "not set, and neither is SMTPS_URL in the environment")
        try:
            self.make()
        except BadValue as error:
            raise BadValue("smtps_url", error.reason) from None

    @classmethod
    def of(cls, conf: Mapping[str, Any]) -> Configuration:
        """Read the configuration of an app.

        Raises:
            BadValue: a setting cannot be used, or there is none of that name.
        """
        known = {f"smtps_{name}" for name in _NAMES}
        for key in conf:
            if str(key).lower().startswith("smtps_") and str(key).lower() not in known:
                raise BadValue(str(key), f"unknown; known are {', '.join(sorted(known))}")
        pairs = zip(_NAMES, cls.values(conf), strict=True)
        return cls(**{name: value for name, value in pairs if value is not None})

    @classmethod
    def values(cls, conf: Mapping[str, Any]) -> tuple[Any, ...]:
        """Give the settings as they are, to tell whether they are those of before."""
        return tuple(
            conf.get(f"smtps_{name}") or os.environ.get(_VARIABLES[name])
            if name in _VARIABLES
            else conf.get(f"smtps_{name}")
            for name in _NAMES
        )

    @property
    def relay(self) -> str:
        """The relay without secrets, as rates are kept apart by it."""
        parsed = RelayURL.parse(self.url)
        return f"{parsed.user}@{parsed.host}:{parsed.port}"

    def make(self) -> SMTPS:
        """Make a component that is set up but not connected."""
        smtp = SMTPS.from_url(self.url)
        if self.password:
            smtp.password = self.password
        return smtp


_NAMES = tuple(one.name for one in fields(Configuration))


def without_password(url: str) -> tuple[str, str]:
    """Part a URL from the password in it."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, ""
    user, _, place = parts.netloc.rpartition("@")
    user = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{place}")), unquote(parts.password)
