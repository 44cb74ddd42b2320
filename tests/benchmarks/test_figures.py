"""The arithmetic of the comparison."""

from __future__ import annotations

import pytest

from benchmarks.comparison.figures import Figures, Run, next_count, ratio, summarise


def figures(rate: float) -> Figures:
    return Figures(rate, rate, rate, 1.0, 1)


def test_a_run_gives_messages_a_second_and_microseconds_a_message() -> None:
    run = Run(messages=1000, seconds=0.5, cpu=0.004)
    assert run.rate == 2000
    assert run.cpu_microseconds == pytest.approx(4)


def test_the_median_is_that_of_the_rates() -> None:
    summary = summarise([Run(100, 1.0, 0.3), Run(100, 10.0, 0.1), Run(400, 2.0, 0.8)])
    assert (summary.rate, summary.slowest, summary.fastest) == (100, 10, 200)
    assert summary.cpu == pytest.approx(2000)
    assert summary.runs == 3


def test_the_spread_is_half_of_the_range_as_a_share_of_the_median() -> None:
    assert Figures(rate=100, slowest=90, fastest=130, cpu=1, runs=3).spread == pytest.approx(0.2)


def test_no_run_has_no_figures() -> None:
    with pytest.raises(ValueError, match="no run"):
        summarise([])


def test_a_ratio_needs_both_clients() -> None:
    both = {"a": figures(300), "b": figures(3)}
    assert ratio(both, "a", "b") == 100
    assert ratio(both, "b", "a") == pytest.approx(0.01)
    assert ratio(both, "a", "c") is None
    assert ratio(both, "c", "a") is None


@pytest.mark.parametrize(
    ("messages", "took", "wanted", "connections", "count"),
    [
        (50, 0.1, 1.0, 1, 500),
        (50, 2.0, 1.0, 1, 25),
        (50, 0.001, 1.0, 1, 1000),
        (8, 9.0, 1.0, 8, 8),
        (3, 1.0, 0.5, 1, 2),
        (16, 1.0, 2.1, 8, 40),
    ],
)
def test_the_next_run_takes_the_time_that_is_wanted(
    messages: int, took: float, wanted: float, connections: int, count: int
) -> None:
    assert next_count(Run(messages, took, 0.0), wanted, connections) == count
