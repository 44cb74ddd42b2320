"""What all tests of dialogues share."""

from __future__ import annotations

import pytest

from smtps.dialogue import manners


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    """Let no test know what a relay of the same name did in another."""
    manners.forget()
