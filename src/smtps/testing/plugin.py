"""The pytest plugin: the fixture `smtps_sink`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .sink import Sink

__all__ = ["smtps_sink"]


@pytest.fixture
def smtps_sink() -> Iterator[Sink]:
    """A recording SMTP server in clear text on a loopback port; `smtps_sink.url` says where."""
    # Imported late: pytest loads this module in every run, with mail in it or not.
    from .sink import Sink

    with Sink() as sink:
        yield sink
