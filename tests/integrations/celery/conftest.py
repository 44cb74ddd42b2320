"""A Redis that the tests of one worker share, each with keys of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.redis import Redis


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A private Redis, one for each worker of the suite."""
    server = Redis()
    yield server
    server.stop()


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A private Redis that a test may stop."""
    server = Redis()
    yield server
    server.stop()
