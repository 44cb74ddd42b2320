"""Every test meets servers that were never met before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtps.dialogue import manners
from tests.support.bulk import OFFERS


@pytest.fixture(autouse=True)
def _unknown_servers() -> Iterator[None]:
    manners.forget()
    yield
    manners.forget()


@pytest.fixture(params=OFFERS)
def offers(request: pytest.FixtureRequest) -> list[str]:
    """The extensions of a server that takes BDAT, DATA in groups, or one command at a time."""
    return OFFERS[request.param]
