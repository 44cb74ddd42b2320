"""What an EHLO reply says, from servers of every kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps import Capabilities
from smtps.wire.capabilities import Limits


def parse(*lines: str) -> Capabilities:
    return Capabilities.parse(("mail.example greets", *lines))


def test_keywords_are_known_in_any_case_and_by_tabs() -> None:
    capabilities = parse("pipelining", "Size\t1000", " 8bitmime ")
    assert (capabilities.pipelining, capabilities.size, capabilities.eight_bit_mime) == (
        True,
        1000,
        True,
    )
    assert "pipelining" in capabilities


def test_the_first_line_is_a_greeting_and_no_keyword() -> None:
    assert not Capabilities.parse(("PIPELINING",)).pipelining


def test_of_a_repeated_keyword_the_first_counts() -> None:
    assert parse("SIZE 1", "SIZE 2").size == 1


def test_mechanisms_come_in_the_order_of_the_server_without_doubles() -> None:
    assert parse("AUTH LOGIN PLAIN", "AUTH=LOGIN cram-md5").auth == ("LOGIN", "PLAIN", "CRAM-MD5")


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("SIZE", 0),
        ("SIZE 0", 0),
        ("SIZE 35882577", 35_882_577),
        ("SIZE 99999999999999999999", 99_999_999_999_999_999_999),
        ("SIZE 999999999999999999999", 0),
        ("SIZE -1", 0),
        ("SIZE 1_000", 0),
        ("SIZE \u0661", 0),
        ("SIZE 10 20", 0),
        ("SIZE many", 0),
        ("SIZED 10", None),
    ],
)
def test_a_size_that_is_no_number_is_no_limit(line: str, size: int | None) -> None:
    assert parse(line).size == size


def test_no_more_than_128_keywords_are_kept() -> None:
    capabilities = parse(*(f"X-{number}" for number in range(10_000)))
    assert len(capabilities.raw) == 128


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        ("LIMITS RCPTMAX=20 MAILMAX=5 RCPTDOMAINMAX=1", Limits(5, 20, 1)),
        ("limits rcptmax=999999", Limits(rcpt=999_999)),
        ("LIMITS RCPTMAX=1 RCPTMAX=2", Limits(rcpt=1)),
        ("LIMITS RCPTMAX=0 MAILMAX=1000000 RCPTDOMAINMAX=-1 =3 X", Limits()),
        ("LIMITS RCPTMAX=1_0 MAILMAX=\u0661 RCPTDOMAINMAX", Limits()),
        ("LIMITS", Limits()),
        ("SIZE", Limits()),
    ],
)
def test_limits_are_numbers_of_one_to_six_digits(line: str, limits: Limits) -> None:
    assert parse(line).limits == limits


def test_requiretls_counts_only_from_a_verified_server() -> None:
    lines = ("mail.example", "REQUIRETLS")
    assert not Capabilities.parse(lines).requiretls
    assert Capabilities.parse(lines, verified=True).requiretls


@pytest.mark.parametrize(
    ("line", "minimum"),
    [("DELIVERBY", 0), ("DELIVERBY 240", 240), ("DELIVERBY soon", 0), ("DELIVERBY 9999999999", 0)],
)
def test_the_least_time_to_deliver_is_known(line: str, minimum: int) -> None:
    assert parse(line).deliver_by
    assert parse(line).deliver_by_minimum == minimum


def test_what_is_not_offered_is_not_there() -> None:
    capabilities = parse("X-UNKNOWN one two")
    assert capabilities.raw == {"X-UNKNOWN": "one two"}
    assert not any(
        (
            capabilities.pipelining,
            capabilities.chunking,
            capabilities.binarymime,
            capabilities.smtputf8,
            capabilities.starttls,
            capabilities.dsn,
            capabilities.enhanced_status_codes,
            capabilities.deliver_by,
            capabilities.mt_priority,
            capabilities.auth,
        )
    )


WORDS = st.sampled_from(
    ["SIZE", "AUTH", "AUTH=", "LIMITS", "RCPTMAX=", "DELIVERBY", "=", "7", "\t"]
)
LINES = st.lists(st.lists(WORDS | st.text(max_size=5), max_size=6).map(" ".join), max_size=200)


@given(LINES)
def test_any_lines_are_read(lines: list[str]) -> None:
    capabilities = Capabilities.parse(lines)
    assert len(capabilities.raw) <= 128
    assert all(keyword == keyword.upper() and " " not in keyword for keyword in capabilities.raw)
    assert capabilities.size is None or capabilities.size >= 0
    assert capabilities.deliver_by_minimum >= 0
    assert all(limit is None or 0 < limit < 1_000_000 for limit in astuple(capabilities.limits))


def test_what_is_offered_is_there() -> None:
    capabilities = parse("STARTTLS", "DSN", "ENHANCEDSTATUSCODES", "SMTPUTF8", "CHUNKING")
    assert capabilities.starttls is True
    assert capabilities.dsn is True
    assert capabilities.enhanced_status_codes is True
    assert capabilities.smtputf8 is True
    assert capabilities.chunking is True
    assert capabilities.binarymime is False


def test_what_is_offered_may_be_forgotten() -> None:
    capabilities = Capabilities.parse(
        ("mail.example", "DSN", "SIZE 7", "AUTH PLAIN"), verified=True
    )
    without = capabilities.without("DSN")
    assert without.raw == {"SIZE": "7", "AUTH": "PLAIN"}
    assert (without.size, without.auth, without.verified) == (7, ("PLAIN",), True)
    assert capabilities.without("CHUNKING") is capabilities
    assert capabilities.dsn


def test_what_was_said_by_nobody_is_verified_by_nobody() -> None:
    assert Capabilities().verified is False
    assert Capabilities({"REQUIRETLS": ""}).requiretls is False


@pytest.mark.parametrize(
    "keyword",
    ["BINARYMIME", "MT-PRIORITY", "DELIVERBY", "PIPELINING", "8BITMIME", "CHUNKING", "DSN"],
)
def test_a_keyword_is_known_by_its_name_alone(keyword: str) -> None:
    offers: dict[str, Callable[[Capabilities], bool]] = {
        "BINARYMIME": lambda one: one.binarymime,
        "MT-PRIORITY": lambda one: one.mt_priority,
        "DELIVERBY": lambda one: one.deliver_by,
        "PIPELINING": lambda one: one.pipelining,
        "8BITMIME": lambda one: one.eight_bit_mime,
        "CHUNKING": lambda one: one.chunking,
        "DSN": lambda one: one.dsn,
    }
    capabilities = parse(keyword)
    assert [name for name, offered in offers.items() if offered(capabilities)] == [keyword]
    assert offers[keyword](capabilities) is True
