"""What is still to be sent: in which order, as what, and what becomes of it unsent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from smtps.client import SMTPS
from smtps.dialogue import work as module
from smtps.dialogue.transaction import Transaction
from smtps.dialogue.work import Work
from smtps.enumerations import RecipientPolicy
from smtps.envelope import Envelope
from smtps.errors import BadValue, ConnectionLost, SMTPSError, SourceFailed
from smtps.letter import Letter, Remainder
from smtps.mime.message import Message
from smtps.ops import Call
from smtps.receipt import Outcome, Receipt
from smtps.wire.capabilities import Capabilities
from smtps.wire.content import Content
from smtps.wire.window import Window

CONTENT = b"Subject: x\r\n\r\ny\r\n"
LOST = ConnectionLost("gone")


class Supply:
    """Gives what a test puts into it, and notes what it is asked."""

    def __init__(self, *items: Any) -> None:
        self.items = list(items)
        self.exhausted = False
        self.failure: BaseException | None = None
        self.others: list[Any] = []
        self.has_others = False
        self.given_up: list[Any] = []
        self.asked: list[tuple[int, bool]] = []
        self.ended = 0

    def pause(self, most: float) -> float:
        return most / 4

    def adopt(self, jobs: list[Any]) -> bool:
        self.given_up += jobs
        return self.has_others

    def adopted(self) -> list[Any]:
        others, self.others = self.others, []
        return others

    def end(self) -> None:
        self.ended += 1

    def take(self, most: int, wait: bool) -> tuple[int, list[Any]]:
        self.asked.append((most, wait))
        items, self.items = self.items, []
        return 10 * len(self.asked), items


def work_on(supply: Supply, **options: Any) -> Work:
    return SMTPS(mail_server="relay.example", **options)._work(supply, None)


def refill(work: Work, most: int = 5, *, wait: bool = False) -> bool:
    """Carry a refill out; gives whether the program was asked."""
    dialogue = work.refill(most, wait=wait)
    try:
        op = next(dialogue)
    except StopIteration:
        return False
    assert isinstance(op, Call)
    with pytest.raises(StopIteration):
        dialogue.send(op.function(*op.arguments))
    return True


def envelope(name: str, people: int = 1) -> Envelope:
    return Envelope(f"{name}@b.example", [f"{name}{n}@y.example" for n in range(people)])


def item(name: str, people: int = 1) -> tuple[Envelope, bytes]:
    return envelope(name, people), CONTENT


def message(name: str, **options: Any) -> Message:
    return Message(
        from_=f"{name}@b.example", to=f"{name}0@y.example", subject="x", text="y", **options
    )


def letter(name: str, number: int = 0, people: int = 1) -> Letter:
    return Letter(number, envelope(name, people), CONTENT, f"<{name}@id>")


def remainder(name: str, number: int = 0) -> Remainder:
    whole = letter(name, number, people=3)
    return Remainder(whole, whole.unsent(LOST), (0, 2))


def new_window() -> Window:
    def prepare(envelope: Envelope, _: int, __: bool) -> tuple[bytes, list[bytes]]:
        return f"MAIL FROM:<{envelope.sender}>\r\n".encode(), [b"RCPT TO:<x>\r\n"]

    return Window("BDAT", prepare)


def senders(window: Window) -> str:
    return b" ".join(re.findall(rb"MAIL FROM:<(\w+)@", bytes(window.outgoing()))).decode()


def next_names(work: Work) -> list[tuple[str, int]]:
    """Take all out one by one; gives the sender and the place in the caller's input of each."""
    names = []
    while work.at_hand:
        transaction = work.transaction(work.next())
        names.append((transaction.sender.partition("@")[0], transaction.index))
    return names


# --- what there is --------------------------------------------------------------------------------


def test_at_first_nothing_is_at_hand_and_nothing_is_known() -> None:
    work = work_on(Supply())
    assert (work.at_hand, work.finished, work.is_odd, work.progress) == (False, False, False, 0)
    assert work.most_recipients is None
    assert not work.capabilities.pipelining


def test_a_program_that_wants_all_or_nothing_has_messages_to_several_wait() -> None:
    assert work_on(Supply(), recipient_policy=RecipientPolicy.ALL).most_recipients == 1
    assert Work(Supply(), lambda item: item, lambda *_: None).most_recipients is None


@pytest.mark.parametrize("came_back", [False, True])
def test_a_connection_takes_messages_to_so_many_domains_as_the_server_says(
    came_back: bool,
) -> None:
    def to(name: str, domain: str) -> Letter:
        return Letter(0, Envelope(f"{name}@b.example", [f"x@{domain}.example"]), CONTENT)

    letters = [to("a", "one"), to("b", "two"), to("c", "one"), to("d", "three"), to("e", "two")]
    supply = Supply() if came_back else Supply(*[(one.envelope, CONTENT) for one in letters])
    work = work_on(supply)
    work.capabilities = Capabilities.parse(["relay", "LIMITS RCPTDOMAINMAX=2"])
    if came_back:
        work.take_back(letters)
    else:
        refill(work)
    window = new_window()
    assert work.put_into(window, 9)
    assert senders(window) == "a b c"
    assert work.domains == {"one.example", "two.example"}


def test_work_is_finished_when_the_source_is_and_nothing_is_left() -> None:
    supply = Supply(item("a"))
    work = work_on(supply)
    refill(work)
    supply.exhausted = True
    assert (work.exhausted, work.finished) == (True, False)
    work.next()
    assert work.finished
    work.take_back([letter("a")])
    assert (work.at_hand, work.finished) == (True, False)


def test_the_source_is_asked_only_when_nothing_is_at_hand() -> None:
    supply = Supply(item("a"), item("b"))
    work = work_on(supply)
    assert refill(work, 7, wait=True)
    assert not refill(work)
    work.next()
    assert not refill(work)
    work.next()
    assert refill(work, 3)
    assert supply.asked == [(7, True), (3, False)]
    supply.exhausted = True
    assert not refill(work)


def test_items_have_the_places_that_the_source_says() -> None:
    supply = Supply(item("a"), item("b"))
    work = work_on(supply)
    refill(work)
    assert next_names(work) == [("a", 10), ("b", 11)]
    supply.items = [item("c")]
    refill(work)
    assert next_names(work) == [("c", 20)]


def test_what_others_have_given_up_is_taken_instead_of_asking() -> None:
    supply = Supply(item("b"))
    supply.others = [letter("a", 3)]
    work = work_on(supply)
    assert not refill(work)
    assert next_names(work) == [("a", 3)]


def test_pause_failure_and_end_are_those_of_the_source() -> None:
    supply = Supply()
    supply.failure = ValueError("of the program")
    work = work_on(supply)
    assert work.pause(8.0) == 2.0
    assert work.failure is supply.failure
    work.end()
    assert supply.ended == 1


# --- the order ------------------------------------------------------------------------------------


def test_what_comes_back_goes_before_what_is_new_in_its_order() -> None:
    work = work_on(Supply(item("c")))
    refill(work)
    work.take_back([letter("b", 2)])
    work.take_back([letter("a", 0), letter("a", 1)])
    assert next_names(work) == [("a", 0), ("a", 1), ("b", 2), ("c", 10)]


def test_a_message_that_a_server_cannot_stand_goes_behind_the_others_that_came_back() -> None:
    work = work_on(Supply(item("c")))
    refill(work)
    work.take_back([letter("a", 0), letter("b", 1), letter("b", 2)])
    work.put_first_last()
    assert next_names(work) == [("b", 1), ("b", 2), ("a", 0), ("c", 10)]


def test_of_two_that_came_back_the_second_goes_first() -> None:
    work = work_on(Supply())
    work.take_back([letter("a", 0), letter("b", 1)])
    work.put_first_last()
    assert next_names(work) == [("b", 1), ("a", 0)]


@pytest.mark.parametrize("has_others", [False, True])
def test_what_is_given_up_goes_to_others_only_if_there_are_any(has_others: bool) -> None:
    supply = Supply(item("b"), item("c"), item("d"))
    supply.has_others = has_others
    work = work_on(supply)
    refill(work)
    work.next()
    work.take_back([letter("a", 0)])
    assert work.hand_over() is has_others
    first, *rest = supply.given_up
    assert first == letter("a", 0)
    assert rest == [(11, item("c")), (12, item("d"))]
    assert work.at_hand is not has_others
    assert len(next_names(work)) == (0 if has_others else 3)


# --- into a window --------------------------------------------------------------------------------


def test_a_window_takes_what_came_back_and_then_what_is_new_while_it_has_room() -> None:
    work = work_on(Supply(item("b"), item("c"), item("d")))
    refill(work)
    work.take_back([letter("a")])
    window = new_window()
    assert work.put_into(window, 3) is False
    assert senders(window) == "a b c"
    assert next_names(work) == [("d", 12)]


def test_a_window_takes_all_that_is_at_hand() -> None:
    work = work_on(Supply(item("a"), message("b"), item("c")))
    refill(work)
    window = new_window()
    assert work.put_into(window, 9) is False
    assert senders(window) == "a b c"
    assert not work.at_hand


@pytest.mark.parametrize("odd", [remainder("x"), (7, item("x"))])
def test_what_came_back_and_is_no_letter_waits_for_a_transaction_of_its_own(odd: Any) -> None:
    work = work_on(Supply())
    work.take_back([letter("a"), odd, letter("b")])
    window = new_window()
    assert work.put_into(window, 9) is True
    assert work.is_odd
    assert senders(window) == "a"
    assert work.next() == odd
    assert not work.is_odd
    assert work.put_into(window, 9) is False
    assert senders(window) == "a b"


class Unread:
    """A file whose size nobody knows."""

    def read(self, _: int = -1, /) -> bytes:
        raise AssertionError("it is read when it is sent")


@pytest.mark.parametrize(
    "odd",
    [
        (envelope("x"), Unread()),
        (envelope("x"), iter([CONTENT])),
        (envelope("x"), CONTENT, "more"),
        None,
        "x",
    ],
)
def test_an_item_that_is_not_in_memory_or_no_message_waits_for_its_turn(odd: Any) -> None:
    work = work_on(Supply(item("a"), odd, item("b")))
    refill(work)
    window = new_window()
    assert work.put_into(window, 9)
    assert senders(window) == "a"
    assert work.next() == (11, odd)
    assert not work.put_into(window, 9)
    assert senders(window) == "a b"


def test_a_small_file_goes_as_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "x.eml").write_bytes(CONTENT)
    work = work_on(Supply((envelope("a"), tmp_path / "x.eml")))
    refill(work)
    window = new_window()
    assert not work.put_into(window, 9)
    assert bytes(window.outgoing()).count(CONTENT) == 1
    (back,) = window.abandon(0, LOST)
    assert (back.number, back.envelope, back.content) == (10, envelope("a"), CONTENT)


@pytest.mark.parametrize(("people", "is_odd"), [(2, False), (3, True)])
def test_a_message_for_more_than_the_server_takes_goes_by_itself(people: int, is_odd: bool) -> None:
    one = Message(
        from_="a@b.example", to=[f"r{n}@y.example" for n in range(people)], subject="x", text="y"
    )
    work = work_on(Supply(one))
    work.capabilities = Capabilities.parse(["relay", "LIMITS RCPTMAX=2"])
    refill(work)
    assert work.put_into(new_window(), 9) is is_odd


@pytest.mark.parametrize(("spare", "is_odd"), [(0, False), (-1, True)])
def test_a_message_as_large_as_a_window_takes_goes_there(
    spare: int, is_odd: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = message("a")
    whole = work_on(Supply())._draft(one, 0, Capabilities())
    assert whole is not None
    monkeypatch.setattr(module, "LARGEST", len(whole.content) + spare)
    work = work_on(Supply(one))
    refill(work)
    assert work.put_into(new_window(), 9) is is_odd


def test_a_message_whose_commands_are_its_own_goes_by_itself() -> None:
    def prepare(item: str) -> Transaction:
        one = Transaction(envelope(item), Content(CONTENT), message_id=f"<{item}@id>")
        one.verb = "SEND FROM" if item == "odd" else one.verb
        return one

    supply = Supply("a", "odd")
    work = Work(supply, prepare, lambda *_: None)
    refill(work)
    window = new_window()
    assert work.put_into(window, 9)
    assert senders(window) == "a"
    (back,) = window.abandon(0, LOST)
    assert (back.number, back.message_id) == (10, "<a@id>")


def test_a_draft_is_made_for_the_place_and_the_server() -> None:
    asked = []

    def draft(item: str, index: int, capabilities: Capabilities) -> Letter:
        asked.append((item, index, capabilities))
        return letter(item, index)

    def prepare(item: str) -> Transaction:
        raise AssertionError(item)

    work = Work(Supply("a", "b"), prepare, draft)
    refill(work)
    window = new_window()
    assert not work.put_into(window, 9)
    assert senders(window) == "a b"
    assert asked == [("a", 10, work.capabilities), ("b", 11, work.capabilities)]


# --- one by one -----------------------------------------------------------------------------------


def test_a_letter_is_sent_as_it_is() -> None:
    transaction = work_on(Supply()).transaction(letter("a", 5))
    assert transaction.envelope == envelope("a")
    assert (transaction.index, transaction.message_id) == (5, "<a@id>")
    assert transaction.content.whole == CONTENT


def test_a_remainder_is_sent_to_those_who_are_left() -> None:
    transaction = work_on(Supply()).transaction(remainder("a", 5))
    assert transaction.addresses == ("a0@y.example", "a2@y.example")
    assert (transaction.index, transaction.message_id) == (5, "<a@id>")


# --- unsent ---------------------------------------------------------------------------------------


def fate(receipt: Receipt) -> tuple[int, list[str], set[Outcome], SMTPSError | None]:
    addresses = [result.address for result in receipt.results]
    outcomes = {result.outcome for result in receipt.results}
    return receipt.index, addresses, outcomes, receipt.error


def test_a_letter_that_is_not_sent_has_a_receipt_that_says_so() -> None:
    receipt = work_on(Supply()).unsent(letter("a", 3), LOST)
    assert fate(receipt) == (3, ["a0@y.example"], {Outcome.NOT_SENT}, LOST)


def test_an_item_that_is_not_sent_has_a_receipt_that_says_so() -> None:
    receipt = work_on(Supply()).unsent((4, item("a")), LOST)
    assert fate(receipt) == (4, ["a0@y.example"], {Outcome.NOT_SENT}, LOST)


def test_a_remainder_that_is_not_sent_leaves_what_was_said_at_first() -> None:
    rest = remainder("a", 3)
    assert work_on(Supply()).unsent(rest, LOST) is rest.receipt


def test_an_item_that_is_no_message_says_so_instead_of_what_stopped_the_others() -> None:
    receipt = work_on(Supply()).unsent((4, None), LOST)
    assert (receipt.index, receipt.sender, receipt.results, receipt.reply) == (4, "", (), None)
    assert receipt.message_id is None
    assert isinstance(receipt.error, BadValue)


@pytest.mark.parametrize("job", [letter("a", 6), remainder("a", 6), (6, None)])
def test_what_no_transaction_can_be_made_of_has_a_receipt_at_its_place(job: Any) -> None:
    receipt = work_on(Supply()).failed(job, OSError("no such file"))
    assert receipt.index == 6
    assert isinstance(receipt.error, SourceFailed)
    assert isinstance(receipt.error.__cause__, OSError)
