"""Claims: a message is one worker's at a time, whatever happens between two of its steps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smtps.spool.claim import Claim, Refused, take
from smtps.spool.folder import Folder
from tests.support.queues import put, states

BY_HAND = (
    b"X-SMTPS-Queue: 1\nX-Envelope-From: <ann@a.example>\nX-Envelope-To: <bob@b.example>\n\n"
    b"Subject: by hand\n\nHello\n"
)


def move_after_opening(
    monkeypatch: pytest.MonkeyPatch, path: Path, old: str, new: str | None
) -> None:
    """Let somebody else rename or remove the file once it is open."""
    real = Folder.open

    def open_and_move(folder: Folder, name: str, flags: int = os.O_RDWR) -> int:
        fd = real(folder, name, flags)
        if name.endswith(old) and (path / name).exists():
            if new is None:
                (path / name).unlink()
            else:
                (path / name).rename(path / name.replace(old, new))
        return fd

    monkeypatch.setattr(Folder, "open", open_and_move)


def test_a_message_is_claimed_by_one_worker_only(tmp_path: Path) -> None:
    name = put(tmp_path)
    with Folder(tmp_path) as one, Folder(tmp_path) as other:
        claim = take(one, name, None)
        assert isinstance(claim, Claim)
        assert take(other, name, None) == Refused()
        assert take(other, name, None, ".sending") == Refused()
        claim.close()
        again = take(other, name, None, ".sending")
        assert isinstance(again, Claim)
        again.close()


@pytest.mark.parametrize("data", [None, BY_HAND, b"damaged"], ids=["whole", "by hand", "damaged"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (".sending", ".queued"),
        (".sending", ".failed"),
        (".sending", None),
        (".queued", ".sending"),
        (".queued", ".failed"),
        (".queued", None),
    ],
)
def test_a_file_that_moves_on_between_two_steps_is_left_to_others(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str | None,
    data: bytes | None,
) -> None:
    name = put(tmp_path)
    file = (tmp_path / f"{name}.queued").rename(tmp_path / f"{name}{old}")
    if data is not None:
        file.write_bytes(data)
    move_after_opening(monkeypatch, tmp_path, old, new)
    with Folder(tmp_path) as folder:
        assert take(folder, name, None, old) == Refused()
    assert states(tmp_path) == ([] if new is None else [new])
