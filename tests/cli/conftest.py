"""Commands see no configuration but what a test gives them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what the machine says, but for which implementation is tested."""
    for name in os.environ:
        if name.startswith("SMTPS_") and name not in ("SMTPS_IMPL", "SMTPS_REQUIRE_SERVERS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
