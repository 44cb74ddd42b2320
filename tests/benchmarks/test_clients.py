"""Which clients there are, for which scenarios, and what installs one that is missing."""

from __future__ import annotations

import pytest

from benchmarks.comparison import clients
from benchmarks.comparison.clients import BASE, CLIENTS, Client, Missing
from benchmarks.comparison.scenario import SCENARIOS, Scenario


def client(**more: object) -> Client:
    return Client("x", lambda job: [], lambda: "", **more)  # type: ignore[arg-type]


def test_each_row_has_a_name_of_its_own_and_the_base_is_among_them() -> None:
    names = [one.name for one in CLIENTS]
    assert len(set(names)) == len(names)
    assert BASE in names


def test_a_client_without_tls_has_no_row_over_tls() -> None:
    assert not client(speaks_tls=False).fits(Scenario("sink", True, 1, 0))
    assert client(speaks_tls=False).fits(Scenario("sink", False, 1, 0))


@pytest.mark.parametrize(("connections", "fits"), [(1, False), (2, True), (8, True), (9, False)])
def test_a_row_may_need_some_connections(connections: int, fits: bool) -> None:
    assert client(least=2, most=8).fits(Scenario("sink", True, connections, 0)) is fits


def test_there_is_a_row_of_the_library_for_one_and_for_many_connections() -> None:
    for connections in (1, 8):
        scenario = Scenario("sink", True, connections, 0)
        fitting = [one.name for one in CLIENTS if one.fits(scenario)]
        assert [name for name in fitting if name.startswith("smtps")]


def test_a_program_that_is_missing_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "_PATH", "/nowhere")
    (source,) = (one for one in CLIENTS if one.name == "smtp-source")
    with pytest.raises(Missing, match="apt-get install postfix"):
        source.prepare()


def test_a_method_that_the_library_lacks_leaves_its_row_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("smtps.SMTPS.send")
    (own,) = (one for one in CLIENTS if one.name == "smtps send")
    with pytest.raises(Missing, match=r"smtps has no SMTPS\.send"):
        own.prepare()


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.composes], ids=str)
def test_what_is_composed_has_a_row_of_the_library_and_one_of_the_base(scenario: Scenario) -> None:
    fitting = [one.name for one in CLIENTS if one.fits(scenario)]
    assert BASE in fitting
    assert any(name.startswith("smtps") for name in fitting)


def test_a_client_that_composes_nothing_has_no_row_there() -> None:
    assert not client().fits(Scenario("sink", False, 1, 0, "letters"))
    assert client(works=("letters",)).fits(Scenario("sink", False, 1, 0, "letters"))
