"""What all tests of the outbox share."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtps import Outbox, Schedule


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """An outbox that tries again at once."""
    return Outbox(tmp_path, schedule=Schedule(first=0))
