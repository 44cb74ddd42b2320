"""`interrupt` reaches a method whenever one is running, also between two of its steps."""

from __future__ import annotations

import time
from typing import Any

import pytest

from smtps import SMTPS, AsyncSMTPS, Envelope
from smtps.errors import Interrupted
from smtps.testing import Sink
from tests.support.fronts import Front

pytestmark = pytest.mark.uvloop

ITEM = (Envelope("s@b.example", ["r@y.example"]), b"Subject: x\r\n\r\nx\r\n")


def hasty(base: type[Any]) -> type[Any]:
    """Make a component that is interrupted the moment it has begun a method."""

    class Hasty(base):  # type: ignore[misc]
        hurry = False

        @property
        def on_expand(self) -> Any:
            if self.hurry:
                self.interrupt()
            return None

    return Hasty


def test_an_interruption_at_the_very_beginning_is_not_lost(front: Front) -> None:
    base = SMTPS if front.kind == "sync" else AsyncSMTPS
    with Sink() as sink:
        smtp = hasty(base).from_url(sink.url)
        smtp.hurry = True
        with pytest.raises(Interrupted):
            front.run(smtp.connect())
        smtp.hurry = False
        assert front.send(smtp, ITEM).ok


def test_an_interruption_between_two_receipts_ends_the_method(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        receipts = front.each(smtp.send_many(ITEM for _ in range(1000)))
        next(receipts)
        smtp.interrupt()
        with pytest.raises(Interrupted):
            for _ in receipts:
                pass
        assert not smtp.connected
        assert front.send(smtp, ITEM).ok


def test_what_interrupted_one_method_does_not_reach_the_next(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.interrupt()
        assert front.send(smtp, ITEM).ok


def test_what_is_posted_meanwhile_is_called_by_the_next_do_events(front: Front) -> None:
    smtp = front.make()
    called: list[float] = []

    def again() -> None:
        called.append(time.monotonic())
        if len(called) < 100:
            smtp.post(again)

    smtp.post(again)
    front.run(smtp.do_events())
    assert 1 <= len(called) <= 2
