"""Mailings on their way: what each reader gets, and what becomes of rows that cannot go."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from smtps import Mailing, Message, Receipt
from smtps.testing import ALL_EXTENSIONS, Fault, Sink
from tests.support.fronts import Front

PEOPLE = ["Ann", "Zoë & <Co>", "Jörg, M.", "日本"]
#: What servers offer that mailings have to know of.
OFFERS = {
    "everything": ALL_EXTENSIONS,
    "DATA": [one for one in ALL_EXTENSIONS if one != "CHUNKING"],
    "7 bits": ["PIPELINING", "CHUNKING", "SIZE"],
    "little": ["SIZE"],
}


@pytest.fixture(params=list(OFFERS.values()), ids=list(OFFERS))
def sink(request: pytest.FixtureRequest) -> Iterator[Sink]:
    with Sink(extensions=request.param) as server:
        yield server


def mailing(**changes: Any) -> Mailing:
    fields: dict[str, Any] = {
        "from_": "News <news@b.example>",
        "to": "{{ name }} <{{ mail }}>",
        "subject": "Hello {{ name }}",
        "text": "Dear {{ name }},\n.{{ mail }}\n" + "äöü\n" * 900,
        "html": "<p>Dear {{ name }}</p>\n" + "<p>äöü</p>\n" * 900,
    }
    return Mailing(Message(**fields | changes))


def rows(count: int) -> list[dict[str, str]]:
    return [
        {"name": f"{PEOPLE[number % len(PEOPLE)]} {number}", "mail": f"r{number}@y.example"}
        for number in range(count)
    ]


def parsed(sink: Sink) -> dict[str, Any]:
    """Give what was taken, by its recipient."""
    return {
        message.recipients[0]: message_from_bytes(message.content, policy=default)
        for message in sink.messages
    }


def test_each_reader_gets_the_own_values_in_every_part(front: Front, sink: Sink) -> None:
    receipts = front.send_many(front.at(sink.url), mailing().for_each(rows(40)))
    assert [receipt.index for receipt in receipts if receipt.ok] == list(range(40))
    taken = parsed(sink)
    assert len(taken) == 40
    for row, receipt in zip(rows(40), receipts, strict=True):
        message = taken[row["mail"]]
        text, html = message.iter_parts()
        shown = row["name"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert not message.defects
        assert message["Message-ID"] == receipt.message_id
        assert message["Subject"] == f"Hello {row['name']}"
        assert message["To"].addresses[0].display_name == row["name"]
        assert message["To"].addresses[0].addr_spec == row["mail"]
        lines = text.get_content().splitlines()
        assert lines == [f"Dear {row['name']},", f".{row['mail']}", *["äöü"] * 900]
        lines = html.get_content().splitlines()
        assert lines == [f"<p>Dear {shown}</p>", *["<p>äöü</p>"] * 900]


def test_a_row_without_a_field_says_which_and_the_rest_goes(front: Front, sink: Sink) -> None:
    wanted = rows(6)
    del wanted[2]["name"]
    wanted[4]["mail"] = "nobody"
    receipts = by_index(front.send_many(front.at(sink.url), mailing().for_each(wanted)))
    assert [receipt.ok for receipt in receipts] == [True, True, False, True, False, True]
    assert "row 2" in str(receipts[2].error)
    assert "name" in str(receipts[2].error)
    assert "row 4" in str(receipts[4].error)
    assert sorted(parsed(sink)) == ["r0@y.example", "r1@y.example", "r3@y.example", "r5@y.example"]


@pytest.mark.parametrize("at", [40_000, 200_000, 300_001])
def test_rows_that_a_lost_connection_did_not_deliver_go_over_another(front: Front, at: int) -> None:
    with Sink(faults=[Fault(received=at, connection=1, drop=True)]) as sink:
        receipts = by_index(front.send_many(front.at(sink.url), mailing().for_each(rows(60))))
    assert len(receipts) == 60
    assert {receipt.index for receipt in receipts if not receipt.ok} <= {
        receipt.index for receipt in receipts if receipt.unknown
    }
    # Each once, and as its receipt names it.
    assert len(sink.messages) == len(parsed(sink)) >= sum(receipt.ok for receipt in receipts)
    named = {message["Message-ID"] for message in parsed(sink).values()}
    assert {receipt.message_id for receipt in receipts if receipt.ok} <= named


def test_a_row_that_the_server_refuses_is_told_of_alone(front: Front) -> None:
    with Sink(faults=[Fault(on="RCPT", when="r2@", reply="550 5.1.1 no")]) as sink:
        receipts = by_index(front.send_many(front.at(sink.url), mailing().for_each(rows(5))))
    assert [receipt.index for receipt in receipts if receipt.refused] == [2]
    assert receipts[2].message_id is not None


def by_index(receipts: list[Receipt]) -> list[Receipt]:
    return sorted(receipts, key=lambda receipt: receipt.index)
