"""Messages through a failing server add up; `make soak` sends a million of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest

from smtps import Outcome, Receipt, RecipientResult
from smtps.errors import ConnectionLost, DeliveryUnknown
from tests.soak.ledger import Ledger


def test_every_message_is_accounted_for_in_flat_memory() -> None:
    command = [sys.executable, "-m", "tests.soak", "--messages", "20000", "--restarts", "5"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "doubled: 0\nlost: 0\n" in done.stdout


def ledger(*said: Outcome) -> Ledger:
    found = Ledger(len(said))
    for number, outcome in enumerate(said):
        error = DeliveryUnknown(ConnectionLost()) if outcome is Outcome.UNKNOWN else None
        result = RecipientResult("b@b.example", outcome, None)
        receipt = Receipt(number, None, "a@a.example", (result,), None, error)
        found.take(number, receipt, int(outcome is Outcome.ACCEPTED))
    return found


def test_what_was_put_off_goes_again() -> None:
    assert list(ledger(Outcome.DEFERRED, Outcome.ACCEPTED, Outcome.NOT_SENT).open()) == [0, 2]


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ([Outcome.ACCEPTED], b"\0"),
        ([Outcome.ACCEPTED], b"\2"),
        ([Outcome.REFUSED], b"\1"),
        ([Outcome.UNKNOWN], b"\2"),
        ([Outcome.DEFERRED], b"\1"),
    ],
)
def test_a_difference_between_both_sides_is_found(said: Iterable[Outcome], taken: bytes) -> None:
    books = ledger(*said)
    books.balance(taken)
    assert books.wrong


def test_what_is_unknown_may_be_taken_or_not() -> None:
    books = ledger(Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.ACCEPTED, Outcome.REFUSED)
    books.balance(b"\0\1\1\0")
    assert not books.wrong


@pytest.mark.parametrize(
    ("outcome", "copies"),
    [
        (Outcome.ACCEPTED, (1,)),
        (Outcome.REFUSED, (0,)),
        (Outcome.DEFERRED, (0,)),
        (Outcome.NOT_SENT, (0,)),
        (Outcome.UNKNOWN, (0, 1)),
    ],
)
def test_what_a_receipt_says_is_so_when_it_comes(outcome: Outcome, copies: tuple[int, ...]) -> None:
    error = DeliveryUnknown(ConnectionLost()) if outcome is Outcome.UNKNOWN else None
    result = RecipientResult("b@b.example", outcome, None)
    receipt = Receipt(0, None, "a@a.example", (result,), None, error)
    for taken in range(3):
        books = Ledger(1)
        books.take(0, receipt, taken)
        assert (not books.wrong) == (taken in copies)
