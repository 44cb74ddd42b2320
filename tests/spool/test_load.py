"""Reading a queue file: what is damaged in any way is refused, or is the same message."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtps.receipt import Outcome
from smtps.spool.claim import Claim, take
from smtps.spool.entry import Damaged
from smtps.spool.folder import Folder
from smtps.spool.history import Attempt, Standing
from smtps.spool.load import load
from tests.support.queues import CONTENT, put

ATTEMPT = (
    b'{"at": "2026-11-25T08:51:00Z", "event": "attempt", "results": [], "wait": %b, "waited": %b}'
)
LONG = b"Subject: long\r\n\r\n" + b"0123456789" * 20_000 + b"\r\n"


def loaded_from(file: Path) -> object:
    with file.open("rb") as opened:
        return load(opened.fileno(), file.stat().st_size)


def with_history(path: Path, content: bytes = CONTENT) -> Path:
    name = put(path, "bob@b.example", "eve@b.example", content=content)
    with Folder(path) as folder:
        claim = take(folder, name, None)
        assert isinstance(claim, Claim)
        attempt = Attempt(((0, Outcome.ACCEPTED, "250 ok"), (1, Outcome.DEFERRED, "451 later")))
        claim.note_attempt(attempt, wait=300, waited=0, sync=True)
        claim.close()
    return path / f"{name}.sending"


@pytest.mark.parametrize("content", [CONTENT, LONG], ids=["short", "long"])
def test_any_truncation_of_the_message_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / f"{put(tmp_path, content=content)}.queued"
    data = file.read_bytes()
    step = max(1, len(data) // 300)
    for size in range(0, len(data), step):
        file.write_bytes(data[:size])
        with pytest.raises(Damaged):
            loaded_from(file)


@pytest.mark.parametrize("content", [CONTENT, LONG], ids=["short", "long"])
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None
)
@given(data=st.data())
def test_any_bit_that_changed_in_the_message_is_noticed(
    tmp_path: Path, content: bytes, data: st.DataObject
) -> None:
    file = tmp_path / f"{put(tmp_path, content=content)}.queued"
    whole = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(whole)
    with pytest.raises(Damaged):
        loaded_from(file)
    file.unlink()


def test_a_history_that_was_torn_anywhere_gives_what_was_whole(tmp_path: Path) -> None:
    file = with_history(tmp_path)
    data = file.read_bytes()
    start = data.index(CONTENT) + len(CONTENT)
    for size in range(start, len(data)):
        file.write_bytes(data[:size])
        with file.open("rb") as opened:
            loaded = load(opened.fileno(), size)
        assert loaded.progress.standings == [Standing.WAITING, Standing.WAITING]
        assert loaded.torn == (size > start + 1)
    file.write_bytes(data)
    with file.open("rb") as opened:
        loaded = load(opened.fileno(), len(data))
    assert loaded.progress.standings == [Standing.ACCEPTED, Standing.WAITING]


@pytest.mark.parametrize("rest", [b"\0" * 40, b"\0\0\n", b"garbage\n", b'{"event": "att'])
def test_what_a_power_cut_leaves_behind_the_history_is_cut_off(tmp_path: Path, rest: bytes) -> None:
    file = with_history(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole + rest)
    with Folder(tmp_path) as folder:
        claim = take(folder, file.stem, None, ".sending")
        assert isinstance(claim, Claim)
        assert claim.progress.standings == [Standing.ACCEPTED, Standing.WAITING]
        claim.note({"event": "retry"})
        claim.close()
    assert file.read_bytes().startswith(whole + b'{"at"')


@pytest.mark.parametrize(
    "line",
    [
        b"no record",
        b"[]",
        b"{}",
        b'{"event": "unknown"}',
        b'{"event": "handed over", "to": [2]}',
        b'{"event": "handed over", "to": [true]}',
        b'{"event": "handed over", "to": [-1]}',
        b'{"event": "attempt", "results": [[0, "eaten", ""]]}',
        ATTEMPT % (b"Infinity", b"0"),
        ATTEMPT % (b"0", b"NaN"),
        ATTEMPT % (b"1" + b"0" * 400, b"0"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_a_line_in_the_middle_that_makes_no_sense_is_damage(tmp_path: Path, line: bytes) -> None:
    file = with_history(tmp_path)
    file.write_bytes(file.read_bytes() + line + b'\n{"at": "", "event": "retry"}\n')
    with pytest.raises(Damaged):
        loaded_from(file)
