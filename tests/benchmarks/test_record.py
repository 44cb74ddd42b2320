"""Scenarios by name, what is kept of them, and what is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.comparison.figures import Figures
from benchmarks.comparison.publish import publish, replace_between
from benchmarks.comparison.record import Entry, load, save
from benchmarks.comparison.scenario import SCENARIOS, Scenario, matching
from benchmarks.comparison.table import best_peer, markdown, matrix, terminal

SCENARIO = Scenario("sink", True, 1, 20)
ENTRY = Entry(
    scenario=SCENARIO,
    figures={
        "smtps send": Figures(24, 23, 25, 600.0, 3),
        "smtplib": Figures(12, 12, 12, 700.0, 3),
        "nodemailer": Figures(16, 16, 16, 3000.0, 3),
        "C, DATA grouped": Figures(48, 48, 48, 100.0, 3),
    },
    failures={"pycurl": "the server took 1 of 2 messages"},
    missing={"Go net/smtp": "apt-get install golang-go"},
    versions={"smtplib": "Python 3.11"},
    machine="a machine",
    source="abc",
    date="2026-01-02",
    size=1024,
    seconds=1.0,
)


def test_each_scenario_has_a_name_of_its_own() -> None:
    assert len({one.key for one in SCENARIOS}) == len(SCENARIOS) == 27


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("sink-tls-1-20ms", 1),
        ("tls-1-0ms", 2),
        ("sink-plain", 8),
        ("postfix", 2),
        ("8", 8),
        ("letters", 2),
    ],
)
def test_a_scenario_is_found_by_a_part_of_its_name(name: str, count: int) -> None:
    assert len(matching([name])) == count


def test_a_scenario_is_taken_once() -> None:
    assert matching(["postfix", "postfix-tls-1-0ms"]) == matching(["postfix"])


@pytest.mark.parametrize("name", ["2", "0", "sink-tls-1-20", "ink"])
def test_a_name_that_fits_nothing_is_an_error_that_lists_what_there_is(name: str) -> None:
    with pytest.raises(ValueError, match=r"sink-tls-1-0ms, "):
        matching([name])


def test_what_is_kept_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "compare.json"
    assert load(path) == {}
    save(path, {SCENARIO.key: ENTRY})
    assert load(path) == {SCENARIO.key: ENTRY}


def test_the_table_gives_ratios_to_smtplib_and_to_the_best_peer() -> None:
    lines = terminal(ENTRY).splitlines()
    assert best_peer(ENTRY) == "nodemailer"
    assert lines[0] == "one connection, TLS, 20 ms of round trip, into a discarding sink"
    assert lines[2].split() == ["smtps", "send", "24", "4%", "2.0", "1.50", "600.0"]
    assert lines[3].split() == ["smtplib", "12", "0%", "1.00", "0.75", "700.0"]


def test_the_table_names_who_failed_and_who_was_not_there() -> None:
    assert terminal(ENTRY).splitlines()[-2:] == [
        "  pycurl: failed, the server took 1 of 2 messages",
        "  Go net/smtp: not here, apt-get install golang-go",
    ]


def test_the_table_for_markdown_has_a_row_for_each_client() -> None:
    rows = [line for line in markdown(ENTRY).splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == [
        "| **smtps send**", "| smtplib", "| nodemailer", "| C, DATA grouped",
    ]  # fmt: skip
    assert {row.count("|") for row in rows} == {7}


def test_one_table_of_many_scenarios_leaves_out_what_was_not_measured() -> None:
    other = replace(ENTRY, figures={"smtplib": ENTRY.figures["smtplib"]})
    assert matrix([ENTRY, other]).splitlines()[2:] == [
        "| **smtps send** | 24 (2.0) |  |",
        "| smtplib | 12 | 12 |",
        "| nodemailer | 16 (1.33) |  |",
        "| C, DATA grouped | 48 (4.0) |  |",
    ]


def test_a_scenario_that_was_not_measured_cannot_be_published(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not measured: sink-tls-8-0ms"):
        publish({SCENARIO.key: ENTRY}, ["sink-tls-8-0ms"], tmp_path)


COMPOSED = replace(
    ENTRY,
    scenario=Scenario("sink", False, 1, 0, "attachment"),
    figures={
        "smtps send": Figures(40, 39, 41, 600.0, 3, 41.2),
        "smtplib": Figures(1, 1, 1, 700.0, 3, 180.0),
        "C, the same message again": Figures(80, 80, 80, 100.0, 3),
    },
)


def test_files_are_counted_by_their_megabytes_and_with_the_memory_they_took() -> None:
    lines = terminal(replace(COMPOSED, failures={}, missing={})).splitlines()
    assert lines[1].split()[:4] == ["MB/s", "of", "the", "file"]
    assert [line.split()[-7:] for line in lines[2:4]] == [
        ["send", "1,049", "2%", "40", "40", "600.0", "41"],
        ["smtplib", "26", "0%", "1.00", "1.00", "700.0", "180"],
    ]
    assert lines[4].split()[-1] == "-"
    assert markdown(COMPOSED).splitlines()[4].startswith("|  | MB/s of the file |")


def test_what_is_composed_has_a_document_of_its_own(tmp_path: Path) -> None:
    mark = "<!-- composition: made by benchmarks/compare.py -->"
    (tmp_path / "README.md").write_text(f"{mark}<!-- end of composition -->")
    entries = {"attachment-plain": COMPOSED, SCENARIO.key: ENTRY}
    publish(entries, ["attachment-plain"], tmp_path)
    document = (tmp_path / "docs/composition.md").read_text()
    assert "## A file of 25 MiB, clear text" in document
    assert ENTRY.scenario.title not in document
    assert "docs/composition-light.svg" in (tmp_path / "README.md").read_text()
    assert not (tmp_path / "docs/comparison.md").exists()
    with pytest.raises(SystemExit, match="apart"):
        publish(entries, list(entries), tmp_path)


def test_text_goes_between_the_marks_and_nowhere_else() -> None:
    once = replace_between("a <b> old <e> z", "<b>", "<e>", r"new \1")
    assert once == "a <b>\nnew \\1\n<e> z"
    assert replace_between(once, "<b>", "<e>", r"new \1") == once


def test_a_document_without_marks_is_left_alone() -> None:
    with pytest.raises(SystemExit, match="<b>"):
        replace_between("text", "<b>", "<e>", "new")
