"""Records that wait."""

from __future__ import annotations

from smtps.integrations.logs.tray import Entry, Tray


def entry(number: int, level: str = "ERROR") -> Entry:
    return Entry(
        f"record {number}", f"subject {number}", {"ERROR": 40, "CRITICAL": 50}[level], level
    )


def test_records_come_in_their_order_in_batches() -> None:
    tray = Tray(capacity=10, batch=2)
    for number in range(3):
        tray.put(entry(number))
    assert tray.is_full
    assert [one.text for one in tray.take().entries] == ["record 0", "record 1"]
    assert [one.text for one in tray.take().entries] == ["record 2"]
    assert tray.is_empty


def test_what_has_no_room_is_counted_by_level_behind_what_had() -> None:
    tray = Tray(capacity=1, batch=10)
    for number, level in enumerate(("ERROR", "ERROR", "CRITICAL", "ERROR")):
        tray.put(entry(number, level))
    batch = tray.take()
    assert batch.text.startswith("record 0\n\n3 records were left out since 20")
    assert batch.text.endswith(": 2 ERROR, 1 CRITICAL\n")
    assert tray.is_empty


def test_the_summary_comes_with_the_last_of_those_that_waited() -> None:
    tray = Tray(capacity=2, batch=1)
    for number in range(3):
        tray.put(entry(number))
    assert tray.take().left_out == ""
    assert tray.take().left_out.startswith("1 record was left out")


def test_what_is_put_back_comes_first_again() -> None:
    tray = Tray(capacity=10, batch=2)
    for number in range(3):
        tray.put(entry(number))
    tray.put_back(tray.take())
    assert [one.text for one in tray.take(everything=True).entries] == [
        "record 0",
        "record 1",
        "record 2",
    ]


def test_what_is_put_back_without_room_is_counted() -> None:
    tray = Tray(capacity=2, batch=2)
    for number in range(2):
        tray.put(entry(number))
    batch = tray.take()
    tray.put(entry(2))
    tray.put_back(batch)
    again = tray.take()
    assert [one.text for one in again.entries] == ["record 0", "record 2"]
    assert again.left_out.startswith("1 record was")


def test_a_summary_that_could_not_be_sent_is_told_again() -> None:
    tray = Tray(capacity=1, batch=1)
    tray.put(entry(0))
    tray.put(entry(1))
    batch = tray.take()
    tray.put_back(batch)
    assert tray.take().left_out == batch.left_out


def test_the_subject_is_that_of_the_gravest() -> None:
    tray = Tray(capacity=10, batch=10)
    for number, level in enumerate(("ERROR", "CRITICAL", "ERROR")):
        tray.put(entry(number, level))
    assert tray.take().subject == "subject 1 (3 records)"
