"""What all tests of the place of smtplib share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtps.testing import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(auth_in_clear=True) as sink:
        yield sink
