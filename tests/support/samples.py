"""Real and broken mail that comes with other packages, which keep it for their own tests."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from .servers import cached, miss

__all__ = ["SAMPLES", "require_samples"]

#: The folders, by what brings them.
_FOLDERS = {
    "apt-get install libpython3.11-testsuite": (
        Path(spec.origin).parent / "data"
        if (spec := find_spec("test.test_email")) and spec.origin
        else None
    ),
    "run .ci/servers": cached("mail-parser-4.8.0") / "tests/mails",
}

SAMPLES = sorted(
    path
    for folder in _FOLDERS.values()
    if folder and folder.is_dir()
    for path in folder.iterdir()
    if path.name.startswith(("msg_", "mail_"))
)


def require_samples() -> None:
    """Skip or fail the test where samples are missing, as servers do."""
    for remedy, folder in _FOLDERS.items():
        if folder is None or not folder.is_dir():
            miss(f"samples of mail are missing: {remedy}")
