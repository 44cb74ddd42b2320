"""Message-ID and Date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.errors import BadValue
from smtps.mime.msgid import check_date, check_message_id, format_date, new_message_id


def test_a_new_message_id_is_random_and_of_the_domain() -> None:
    made = {new_message_id("b.example") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"<[0-9a-f]{32}@b\.example>", identifier) for identifier in made)


@pytest.mark.parametrize("given_id", ["<a.b@c>", "a.b@c", "<a.b@c", "a.b@c>"])
def test_missing_angle_brackets_are_added(given_id: str) -> None:
    assert check_message_id(given_id, field="message_id") == "<a.b@c>"


@pytest.mark.parametrize(
    "bad", ["", "<>", "a b@c", "a@b> <c@d", "<<a@b>>", "a@b\r\nBcc: c", "é@b", "a\t@b", "x" * 901]
)
def test_what_is_not_a_message_id_is_refused(bad: str) -> None:
    with pytest.raises(BadValue) as caught:
        check_message_id(bad, field="message_id")
    assert caught.value.field == "message_id"


def test_a_date_keeps_its_zone() -> None:
    zone = timezone(timedelta(hours=-3, minutes=-30))
    when = datetime(2024, 2, 29, 23, 59, 1, tzinfo=zone)
    assert format_date(when) == "Thu, 29 Feb 2024 23:59:01 -0330"


def test_a_date_without_a_zone_is_local_time() -> None:
    when = datetime(2024, 7, 1, 12, 0, 0)
    assert parsedate_to_datetime(format_date(when)) == when.astimezone()


def test_a_zone_with_seconds_is_written_as_utc() -> None:
    zone = timezone(timedelta(seconds=17 * 60 + 30))
    when = datetime(1900, 1, 1, 0, 17, 30, tzinfo=zone)
    assert format_date(when) == "Mon, 01 Jan 1900 00:00:00 +0000"


def test_without_a_date_it_is_now() -> None:
    written = parsedate_to_datetime(format_date())
    assert abs(written - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 02 Jan 2006 15:04:05 +0000",
        "2 Jan 2006 15:04 -0700",
        "Mon, 2 Jan 2006 15:04:05 GMT",
        "Mon, 02 Jan 2006 15:04:05 +0200 (CEST)",
    ],
)
def test_a_date_of_rfc_5322_is_used_as_it_is(date: str) -> None:
    assert check_date(date, field="message_date") == date


@pytest.mark.parametrize(
    "date",
    [
        "",
        "now",
        "2006-01-02T15:04:05Z",
        "Mon, 32 Jan 2006 15:04:05 +0000",
        "Mon, 02 Jan 2006 25:04:05 +0000",
        "Mon, 02 Jan 2006 15:04:05",
        "Mon, 02 Jan 2006 15:04:05 +0000\n",
        "Mon, 02 Jan 2006 15:04:05 +0000\r\nBcc: a@b",
        "Mon, 02 Jan \uff12006 15:04:05 +0000",
    ],
)
def test_any_other_date_is_refused(date: str) -> None:
    with pytest.raises(BadValue) as caught:
        check_date(date, field="message_date")
    assert str(caught.value).isprintable()


@given(st.datetimes(timezones=st.just(UTC) | st.timezones()))
def test_whatever_date_is_written_would_be_taken(when: datetime) -> None:
    assert check_date(format_date(when), field="message_date")
