"""Every fault at every place of a session: both fronts tell what they are to tell."""

from __future__ import annotations

import threading
import tracemalloc
from pathlib import Path

import pytest

from tests.faults.expected import expected
from tests.faults.page import PAGE, page
from tests.faults.plan import FAULTS, WAYS, Cell, Place, Way, cells, occurs
from tests.faults.queue import QUEUE
from tests.faults.running import observe, observe_all

ROOT = Path(__file__).parents[2]
CODES = (400, 450, 451, 452, 454, 500, 501, 502, 503, 504, 521, 530, 535, 550, 551, 552, 554, 555)
REFUSED = {name: fault for fault in FAULTS if (name := fault.name) in ("4xx", "5xx")}
MIB = 1 << 20


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_fault_is_told_as_the_page_says(way: Way, kind: str) -> None:
    chosen = [cell for cell in cells() if cell.way is way]
    wrong = [
        f"{cell}: {observed}, not {expected(cell)}"
        for cell, observed in observe_all(chosen, kind)
        if str(observed) not in expected(cell).split(" or ")
    ]
    assert not wrong


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("code", CODES)
def test_every_code_of_a_refusal_fares_like_its_kind(code: int, kind: str) -> None:
    fault = REFUSED[f"{code // 100}xx"]
    chosen = [
        Cell(fault, place, way) for way in WAYS for place in Place if occurs(fault, place, way)
    ]
    answered = [cell for cell in chosen if cell.place not in (Place.CONTENT, Place.BETWEEN)]
    wrong = [
        f"{cell}: {observed}, not {expected(cell, code)}"
        for cell, observed in observe_all(answered, kind, reply=f"{code} no\r\n")
        if str(observed) not in expected(cell, code).split(" or ")
    ]
    assert not wrong


def test_the_page_is_what_the_run_gives() -> None:
    # The tests above hold each cell against the same words.
    assert PAGE.read_text() == page({cell: expected(cell) for cell in cells()}), (
        "run: python -m tests.faults.page"
    )


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", ["endless line", "endless reply"])
def test_a_server_that_talks_without_end_takes_no_memory(name: str, kind: str) -> None:
    fault = next(fault for fault in FAULTS if fault.name == name)
    chosen = [cell for cell in cells() if cell.fault is fault]
    observe(chosen[0], kind)
    tracemalloc.start()
    try:
        for cell in chosen:
            observe(cell, kind)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_descriptor_and_no_thread_is_left_by_any_fault(kind: str) -> None:
    chosen = [Cell(fault, place, WAYS[0]) for fault in FAULTS for place in (Place.EHLO, Place.MAIL)]
    observe(chosen[0], kind)
    threads, files = threading.active_count(), _open_files()
    for cell in chosen:
        if occurs(cell.fault, cell.place, cell.way):
            observe(cell, kind)
    assert threading.active_count() <= threads
    assert _open_files() <= files


def test_the_tests_that_the_page_names_are_there() -> None:
    for _, tests in QUEUE.values():
        for test in tests:
            file, _, function = test.partition("::")
            assert f"def {function}(" in (ROOT / file).read_text(), test


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
