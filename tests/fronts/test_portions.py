"""More recipients than a server takes for one message go in transactions of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from smtps import Envelope, MessageRefused, Outcome, RecipientPolicy, RecipientsRefused
from smtps.testing import Fault, Sink
from smtps.testing.extensions import ALL_EXTENSIONS
from tests.support.bulk import full_after
from tests.support.fronts import Front
from tests.support.postfix import Postfix
from tests.support.servers import REFUSED, fresh_address

CONTENT = b"Subject: x\r\n\r\nx\r\n"
PEOPLE = [f"{letter}@x.example" for letter in "abcdefg"]
ENVELOPE = Envelope("s@x.example", PEOPLE, ret="HDRS")


def portions(sink: Sink) -> list[str]:
    """Give the recipients of each message that was taken, a letter for each."""
    return ["".join(one[0] for one in message.recipients) for message in sink.messages]


@pytest.mark.parametrize(
    "reply", ["452 4.5.3 Too many recipients", "452 Too many recipients", "552 5.5.3 Too many"]
)
@pytest.mark.parametrize("extensions", [ALL_EXTENSIONS, ["SIZE", "8BITMIME", "DSN"]])
def test_the_rest_goes_in_another_transaction(
    front: Front, reply: str, extensions: Iterable[str]
) -> None:
    with Sink(faults=full_after(3, reply), extensions=extensions) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert receipt.ok
    assert [result.address for result in receipt.results] == PEOPLE
    assert portions(sink) == ["abc", "def", "g"]
    assert all(message.content == CONTENT for message in sink.messages)
    assert all(message.parameters["RET"] == "HDRS" for message in sink.messages)
    assert len(sink.connections) == 1


def test_a_server_that_says_its_limit_is_not_asked_for_more(front: Front) -> None:
    with Sink(extensions=[*ALL_EXTENSIONS, "LIMITS RCPTMAX=4"]) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert receipt.ok
    assert portions(sink) == ["abcd", "efg"]
    assert sum(line.startswith("RCPT") for line in sink.commands) == 7


def test_a_server_that_takes_few_domains_gets_the_others_over_other_connections(
    front: Front,
) -> None:
    envelope = Envelope("s@x.example", ["a@x.example", "b@y.example", "c@X.example", "d@z.example"])
    with Sink(extensions=[*ALL_EXTENSIONS, "LIMITS RCPTDOMAINMAX=2"]) as sink:
        receipt = front.send(front.at(sink.url), (envelope, CONTENT))
    assert receipt.ok
    assert portions(sink) == ["abc", "d"]
    assert len(sink.connections) == 2


def test_who_cannot_be_reached_over_another_connection_was_not_sent_to(front: Front) -> None:
    envelope = Envelope("s@x.example", ["a@x.example", "b@y.example"])
    faults = [Fault(on="greeting", nth=2, reply="554 5.3.2 no service")]
    with Sink(extensions=[*ALL_EXTENSIONS, "LIMITS RCPTDOMAINMAX=1"], faults=faults) as sink:
        receipt = front.send(front.at(sink.url), (envelope, CONTENT))
    assert [result.outcome for result in receipt.results] == [Outcome.ACCEPTED, Outcome.NOT_SENT]
    assert receipt.error is not None
    assert portions(sink) == ["a"]


def test_who_is_refused_otherwise_stays_refused(front: Front) -> None:
    faults = [Fault(on="RCPT", when="<b@", reply="550 5.1.1 no such user"), *full_after(2)]
    with Sink(faults=faults) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert (receipt.refused, receipt.deferred) == (("b@x.example",), ())
    assert "".join(portions(sink)) == "acdefg"
    assert receipt.error is None


def test_a_server_that_takes_nobody_is_not_asked_again(front: Front) -> None:
    with Sink(faults=full_after(0)) as sink:
        with pytest.raises(RecipientsRefused) as caught:
            front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert caught.value.retryable
    assert sum(line.startswith("MAIL") for line in sink.commands) == 1


def test_a_server_that_then_takes_nobody_is_asked_no_more(front: Front) -> None:
    with Sink(faults=[Fault(on="RCPT", nth=range(4, 100), reply="452 4.5.3 full")]) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert (len(receipt.accepted), len(receipt.deferred)) == (3, 4)
    assert sum(line.startswith("MAIL") for line in sink.commands) == 2


def test_a_portion_without_a_recipient_does_not_stop_the_next(front: Front) -> None:
    faults = [Fault(on="RCPT", when=f"<{letter}@", reply="550 5.1.1 no") for letter in "abc"]
    extensions = [*ALL_EXTENSIONS, "LIMITS RCPTMAX=3"]
    with Sink(faults=faults, extensions=extensions) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert portions(sink) == ["def", "g"]
    assert receipt.refused == tuple(PEOPLE[:3])


def test_content_that_is_refused_is_not_sent_again(front: Front) -> None:
    fault = Fault(on=".", reply="554 5.7.1 not this")
    with Sink(faults=[fault], extensions=[*ALL_EXTENSIONS, "LIMITS RCPTMAX=3"]) as sink:
        with pytest.raises(MessageRefused) as caught:
            front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert caught.value.receipt is not None
    outcomes = [result.outcome for result in caught.value.receipt.results]
    assert outcomes == [Outcome.REFUSED] * 3 + [Outcome.NOT_SENT] * 4


def test_what_a_lost_connection_leaves_is_known_of_each(front: Front) -> None:
    with Sink(faults=[*full_after(3), Fault(on=".", nth=2, drop=True)]) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert receipt.accepted == tuple(PEOPLE[:3])
    assert receipt.unknown == tuple(PEOPLE[3:6])
    assert receipt.deferred == tuple(PEOPLE[6:])


def test_who_must_all_be_taken_are_not_parted(front: Front) -> None:
    with Sink(faults=full_after(3)) as sink:
        smtp = front.at(sink.url)
        smtp.settings.recipient_policy = RecipientPolicy.ALL
        with pytest.raises(RecipientsRefused):
            front.send(smtp, (ENVELOPE, CONTENT))
    assert sink.count == 0


def test_copies_that_nobody_sees_are_parted_from_the_message(front: Front) -> None:
    with Sink(faults=full_after(2)) as sink:
        smtp = front.at(sink.url)
        smtp.from_, smtp.send_to, smtp.message_text = "s@x.example", "a@x.example", "x"
        smtp.bcc = ", ".join(PEOPLE[1:])
        assert front.run(smtp.send()).ok
    assert portions(sink) == ["ab", "cd", "ef", "g"]
    assert len({message.content for message in sink.messages}) == 1


@pytest.mark.parametrize(("kind", "expected"), [("path", ["abc", "def", "g"]), ("chunks", ["abc"])])
def test_content_is_sent_again_where_it_can_be_read_again(
    front: Front, tmp_path: Path, kind: str, expected: list[str]
) -> None:
    path = tmp_path / "message"
    path.write_bytes(CONTENT)
    source: Any = path if kind == "path" else iter([CONTENT])
    with Sink(faults=full_after(3)) as sink:
        receipt = front.send(front.at(sink.url), (ENVELOPE, source))
    assert portions(sink) == expected
    assert len(receipt.accepted) == sum(map(len, expected))
    assert len(receipt.deferred) == 7 - len(receipt.accepted)


def test_postfix_gets_more_than_it_takes_at_once(front: Front, postfix: Postfix) -> None:
    last = fresh_address()
    many = [f"to{number}@discarded.example" for number in range(1_100)]
    people = [*many[:500], REFUSED, *many[500:], last]
    receipt = front.send(front.at(postfix.url), (Envelope("s@x.example", people), CONTENT))
    assert receipt.refused == (REFUSED,)
    assert len(receipt.accepted) == 1_101
    assert postfix.received(last).content == CONTENT
