"""What runs beside the callers is done once for all who ask, and done where no thread can be."""

from __future__ import annotations

import threading

import pytest

from smtps import SMTPS, Envelope
from smtps.drivers.background import in_background
from smtps.testing import Sink


@pytest.fixture
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no thread of the look-up, as where the program ends, or the system has no more."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "smtps-lookup":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_those_who_ask_for_the_same_meanwhile_share_the_answer() -> None:
    go = threading.Event()
    first = in_background("shared", go.wait)
    second = in_background("shared", lambda: pytest.fail("a second look-up"))
    assert first is second
    go.set()
    assert first.result(10) is True


@pytest.mark.usefixtures("_no_threads")
def test_where_no_thread_starts_the_caller_does_it() -> None:
    assert in_background("alone", lambda: 7).done()
    assert in_background("alone", lambda: 8).result() == 8


@pytest.mark.usefixtures("_no_threads")
def test_its_error_there_is_the_answer_as_elsewhere() -> None:
    with pytest.raises(ZeroDivisionError):
        in_background("failing", lambda: 1 // 0).result()


@pytest.mark.usefixtures("_no_threads")
def test_a_message_is_sent_where_no_thread_starts() -> None:
    with Sink() as sink, SMTPS.from_url(sink.url.replace("127.0.0.1", "localhost")) as smtp:
        assert smtp.send((Envelope("s@b.example", ["r@y.example"]), b"x\r\n")).ok
