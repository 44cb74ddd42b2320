"""Every fault in every phase: what a program is told, and that nothing is lost or doubled."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from .matrix import GRACE, Cell, Told, cells, run_all
from .page import PAGE, write

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def told() -> dict[Cell, Told]:
    before = threading.active_count()
    found = run_all(list(cells()))
    assert threading.active_count() <= before
    return found


def test_the_page_is_what_the_run_gives(told: dict[Cell, Told]) -> None:
    assert PAGE.read_text() == write(told), "run: python -m tests.faults.page"


def test_both_components_tell_the_same(told: dict[Cell, Told]) -> None:
    differ = {
        cell: (row, other)
        for cell, row in told.items()
        if cell.front == "sync"
        and _shown(row) != _shown(other := told[dataclasses.replace(cell, front="async")])
    }
    assert not differ


def _shown(row: Told) -> tuple[object, ...]:
    return row.error, row.retryable, row.session_usable, row.outcomes


def test_no_fault_takes_longer_than_its_timeout(told: dict[Cell, Told]) -> None:
    slow = {cell: row.seconds for cell, row in told.items() if row.seconds > GRACE - 1}
    assert not slow


def test_the_next_message_goes_after_every_fault(told: dict[Cell, Told]) -> None:
    assert not [cell for cell, row in told.items() if not row.goes_on]


def test_no_fault_delivers_a_message_twice(told: dict[Cell, Told]) -> None:
    assert not [cell for cell, row in told.items() if max(row.copies) > 1]


def test_what_is_accepted_is_with_the_server(told: dict[Cell, Told]) -> None:
    for cell, row in told.items():
        for outcomes, copies in zip(row.outcomes.split("; "), row.copies, strict=False):
            if "accepted" in outcomes:
                assert copies == 1, cell


def test_what_was_not_sent_is_not_with_the_server(told: dict[Cell, Told]) -> None:
    for cell, row in told.items():
        for outcomes, copies in zip(row.outcomes.split("; "), row.copies, strict=False):
            if outcomes == "not sent":
                assert copies == 0, cell


def test_what_is_unknown_is_not_called_retryable(told: dict[Cell, Told]) -> None:
    for cell, row in told.items():
        if "unknown" in row.outcomes:
            assert (row.error, row.retryable) == ("DeliveryUnknown", False), cell
