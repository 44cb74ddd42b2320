"""What is remembered of a server: how many messages its connections carry, and for how long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smtps import SMTPS
from smtps.dialogue import manners
from smtps.dialogue.manners import Manners, manners_of
from smtps.session import Session


@pytest.fixture(autouse=True)
def _unknown_servers() -> Iterator[None]:
    manners.forget()
    yield
    manners.forget()


def session(host: str) -> Session:
    return SMTPS(mail_server=host)._live


@pytest.mark.parametrize("carried", [1, 100])
def test_once_is_no_count(carried: int) -> None:
    server = Manners()
    server.ended(carried)
    assert server.most_messages is None


def test_nothing_is_held_against_a_server_that_nobody_knows() -> None:
    server = manners_of(session("relay.example"))
    assert not server.breaks_off
    assert not server.breaks_pipelining


@pytest.mark.parametrize(
    ("first", "second", "most"),
    [
        (100, 100, 100),
        (100, 91, 91),
        (91, 100, 91),
        (90, 100, 90),
        (100, 90, None),
        (89, 100, None),
    ],
)
def test_twice_about_as_many_is_what_the_server_wants(
    first: int, second: int, most: int | None
) -> None:
    server = Manners()
    server.ended(first)
    server.ended(second)
    assert server.most_messages == most


def test_connections_that_carried_nothing_count_for_nothing() -> None:
    server = Manners()
    server.ended(0)
    server.ended(0)
    assert server.most_messages is None


@pytest.mark.parametrize(("most", "next_most"), [(1, 2), (9, 10), (10, 11), (100, 110), (205, 225)])
def test_a_connection_that_lasted_lets_the_next_carry_more(most: int, next_most: int) -> None:
    server = Manners(most_messages=most)
    server.lasted()
    assert server.most_messages == next_most


def test_a_server_that_does_not_count_stays_without_a_limit() -> None:
    server = Manners()
    server.lasted()
    assert server.most_messages is None


def test_a_server_is_known_again_until_it_is_to_be_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(manners, "monotonic", lambda: now)
    known = manners_of(session("a.example"))
    now += 3600
    assert manners_of(session("a.example")) is known
    now += 1
    assert manners_of(session("a.example")) is not known


def test_the_oldest_of_257_servers_is_forgotten() -> None:
    first, second = manners_of(session("0.example")), manners_of(session("1.example"))
    for number in range(2, 256):
        manners_of(session(f"{number}.example"))
    assert manners_of(session("0.example")) is first
    manners_of(session("256.example"))
    assert manners_of(session("1.example")) is second
    assert manners_of(session("0.example")) is not first
