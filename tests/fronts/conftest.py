"""Fixtures of the fronts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fronts import Front


@pytest.fixture(params=["sync", "async"])
def front(request: pytest.FixtureRequest) -> Iterator[Front]:
    """Give one of the two components."""
    with Front(request.param) as front:
        yield front
