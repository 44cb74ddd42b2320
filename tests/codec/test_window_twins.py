"""The compiled window and its plain twin do the same, whatever a server answers."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtps._pure.window import Window as PureWindow
from smtps.codec import implementation
from smtps.envelope import Envelope
from smtps.errors import ConnectionLost, NotOffered
from smtps.letter import Letter
from smtps.receipt import Receipt

pytestmark = pytest.mark.skipif(
    implementation == "pure", reason="the pure implementation was asked for"
)

REPLIES = st.sampled_from(
    [
        b"250 ok\r\n",
        b"250 2.0.0 taken\r\n",
        b"250-two\r\n250 lines\r\n",
        b"251 will forward\r\n",
        b"354 go\r\n",
        b"421 bye\r\n",
        b"450 later\r\n",
        b"452 4.5.3 too many\r\n",
        b"550 5.1.1 no\r\n",
        b"503 sequence\r\n",
        b"554 no\r\n",
        b"220 hello\r\n",
        b"250\n",
        b"nonsense\r\n",
        b"250-a\r\n550 b\r\n",
        b"250 " + b"x" * 700 + b"\r\n",
        b"250 \xff\xc3\xa4\r\n",
    ]
)
GOOD = st.just(b"250 ok\r\n")
#: Mostly what a server says, so that messages do get through.
STREAMS = st.lists(st.one_of(GOOD, GOOD, GOOD, REPLIES), max_size=30).map(b"".join)
CONTENTS = st.sampled_from(
    [b"", b"a", b"a\r\n", b".\n..\r.", b"\xc3\xa4\n", b"\r", b"\n\n", b"x" * 3000 + b"\n.y"]
)
#: Some of them as a mailing makes them.
FILLED = (b"a\r\n", b"\xc3\xa4\n")
ENVELOPES = st.builds(
    Envelope,
    st.sampled_from(["", "a@b.example", "\N{LATIN SMALL LETTER O WITH STROKE}@b.example"]),
    st.lists(st.sampled_from(["x@y.example", "z@y.example"]), min_size=1, max_size=3),
    requiretls=st.sampled_from([False, False, False, True]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.tuples(ENVELOPES, CONTENTS), max_size=4)),
        st.tuples(st.just("letter"), st.tuples(ENVELOPES, CONTENTS)),
        st.tuples(st.just("feed"), STREAMS, st.integers(0, 40)),
    ),
    max_size=12,
)


def prepare(envelope: Envelope, size: int, eight_bit: bool) -> tuple[bytes, list[bytes]]:
    if envelope.requiretls:
        raise NotOffered("REQUIRETLS", "requiretls")
    return b"MAIL %d %d\r\n" % (size, eight_bit), [b"RCPT\r\n"] * len(envelope.addresses)


def fill(module: str, content: bytes) -> Any:
    """Make a message of a form, by the twin that belongs to a window."""
    forms = importlib.import_module(module.replace("window", "forms"))
    texts = [("plain", ((content.decode(), ""), (0,)))]
    mailbox = (("", ""), (1,))
    form = forms.Form("a@b.example", None, mailbox, None, b"From: a@b.example\r\n", b"", texts)
    return form.fill(("b", "x@y.example"), "abc", "", "<1@b>", b"", True)


def whole(letter: Letter) -> Letter:
    """Give a letter that can be compared."""
    return letter._replace(content=letter.whole)


def told(receipt: Receipt) -> tuple[Any, ...]:
    error = receipt.error
    cause = None if error is None else error.__cause__
    return (
        *(receipt.index, receipt.message_id, receipt.sender, receipt.results, receipt.reply),
        *(type(error), str(error), type(cause), str(cause)),
    )


def state(window: Any) -> tuple[Any, ...]:
    return (
        *(window.in_flight, window.awaits, window.bytes_in_flight, window.answered),
        *(window.setbacks, window.closing, window.is_clean, window.pending, str(window.failure)),
        *(window.doubtful, window.has_room(3), [told(receipt) for receipt in window.take()]),
        bytes(window.outgoing()),
        [(whole(one.letter), told(one.receipt), one.places) for one in window.remainders],
    )


def play(window: Any, steps: list[Any], sent: int, ended: bool) -> list[Any]:
    seen = []
    number = 0
    for step in steps:
        if step[0] == "add":
            added = window.add(step[1], 0, number, 5)
            number += added
            seen.append(added)
        elif step[0] == "letter":
            envelope, content = step[1]
            if content in FILLED:
                content = fill(type(window).__module__, content)
            window.add_letter(Letter(number, envelope, content, f"<{number}>"))
            number += 1
        elif window.failure is None:
            window.written()
            cut = min(step[2], len(step[1]))
            window.feed(step[1][:cut])
            if window.failure is None:
                seen.append(state(window))
                window.written()
                window.feed(step[1][cut:])
        seen.append(state(window))
    again = window.abandon(min(sent, window.pending), ConnectionLost("gone"), ended=ended)
    seen.append(([*map(whole, again)], state(window)))
    return seen


@settings(max_examples=400, deadline=None)
@given(
    form=st.sampled_from(["BDAT", "DATA"]),
    steps=STEPS,
    sent=st.integers(0, 5000),
    ended=st.booleans(),
    trail=st.booleans(),
    limit=st.sampled_from([0, 100]),
)
def test_both_write_and_conclude_the_same(
    form: str, steps: list[Any], sent: int, ended: bool, trail: bool, limit: int
) -> None:
    fast_window = importlib.import_module("smtps._fast.window").Window
    seen = []
    kind: Any
    for kind in (PureWindow, fast_window):
        lines: list[Any] | None = [] if trail else None
        window = kind(
            form,
            prepare,
            announces_size=True,
            takes_eight_bits=True,
            size_limit=limit,
            max_line_length=256,
            trail=lines,
        )
        seen.append((play(window, steps, sent, ended), lines))
    assert seen[0] == seen[1]
