"""Names of queue files."""

from __future__ import annotations

import pytest

from smtps import BadValue
from smtps.spool import names
from smtps.spool.names import check_id, is_safe, new_id

HOSTILE = ["", ".", "..", "../x", "a/b", "-x", ".x", "a\0b", "a\nb", "a b", "é", "x" * 201, "a\\b"]


def test_names_sort_in_the_order_in_which_they_were_made() -> None:
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000


def test_a_clock_that_goes_back_makes_no_earlier_name(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr("time.time_ns", lambda: 10**18)
    assert new_id() > first


def test_two_processes_with_the_same_clock_make_different_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 10**18)
    monkeypatch.setattr(names, "_last", 0)
    first = new_id()
    monkeypatch.setattr(names, "_last", 0)
    second = new_id()
    assert first.split("-")[0] == second.split("-")[0]
    assert first != second


def test_a_name_holds_only_what_no_system_reads_otherwise() -> None:
    assert is_safe(new_id())


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_is_not_an_id(name: str) -> None:
    assert not is_safe(name)
    with pytest.raises(BadValue, match=r"id: .* is not the id"):
        check_id(name)


@pytest.mark.parametrize("extension", ["", ".queued", ".sending", ".sent", ".failed"])
def test_an_id_is_taken_with_or_without_the_extension_of_its_file(extension: str) -> None:
    assert check_id("20261125T085012-1" + extension) == "20261125T085012-1"
