"""The head of a queue file: what is written is what is read, and nothing else is."""

from __future__ import annotations

import dataclasses
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps import Envelope, Recipient
from smtps.spool.entry import Addressee, Damaged, Entry, format_head, parse_head

RECIPIENTS = [
    Recipient("bob@b.example"),
    Recipient('"a> type=BCc"@b.example'),
    Recipient('"back\\\\slash \\" quote"@b.example'),
    Recipient("bøb@tëst.example"),
    Recipient("b@[192.0.2.1]"),
    Recipient("eve@b.example", notify=("SUCCESS", "DELAY"), orcpt='was "e v e"%41@old.example'),
]
ENVELOPES = [
    Envelope("ann@a.example", RECIPIENTS),
    Envelope("", RECIPIENTS[:1]),
    Envelope("ann@a.example", RECIPIENTS[:1], smtputf8=True),
    Envelope("ann@a.example", RECIPIENTS, ret="HDRS", envid="a b+=%41", requiretls=True),
    Envelope("ann@a.example", RECIPIENTS[:1], deliver_by=-120, priority=-3),
    Envelope("ann@a.example", RECIPIENTS[:1], deliver_by=7200, priority=0),
]


def entry(envelope: Envelope) -> Entry:
    addressees = tuple(
        Addressee(recipient, kind, required, options)
        for recipient, (kind, required, options) in zip(
            envelope.recipients,
            [
                ("To", True, ""),
                ("Cc", True, "NOTIFY=SUCCESS,FAILURE X=a%41"),
                ("BCc", False, ""),
                (None, False, ""),
                (None, True, ""),
                ("BCc", True, ""),
            ],
            strict=False,
        )
    )
    return Entry(envelope, addressees, 1795597632.518504, 1234, "ab" * 32)


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_an_entry_is_read_as_it_was_written(envelope: Envelope) -> None:
    written = entry(envelope)
    assert parse_head(format_head(written)) == written


def test_every_field_of_an_envelope_is_kept() -> None:
    """A field that is new in the envelope has to be spelled in the file too."""
    assert set(inspect.signature(Envelope).parameters) == {
        *("sender", "recipients", "smtputf8", "ret", "envid", "requiretls", "deliver_by"),
        "priority",
    }
    assert {field.name for field in dataclasses.fields(Recipient)} == {
        *("address", "notify", "orcpt", "mailbox"),
    }


def test_the_size_of_the_head_does_not_depend_on_what_is_known_last() -> None:
    full = entry(ENVELOPES[0])
    empty = dataclasses.replace(full, length=None, digest=None)
    assert len(format_head(full)) == len(format_head(empty))


def test_the_head_is_text_that_a_person_can_read() -> None:
    head = format_head(entry(Envelope("ann@a.example", ["bob@b.example", "eve@b.example"])))
    assert head.decode().splitlines()[:4] == [
        "X-SMTPS-Queue: 1",
        "X-Envelope-From: <ann@a.example>",
        "X-Envelope-To: <bob@b.example> type=To required",
        "X-Envelope-To: <eve@b.example> type=Cc required options=NOTIFY=SUCCESS,FAILURE%20X=a%2541",
    ]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_head_that_a_person_wrote_needs_the_envelope_only(newline: bytes) -> None:
    lines = [
        b"X-SMTPS-Queue: 1",
        b"X-Envelope-From: <ann@a.example>",
        b"X-Envelope-To: <bob@b.example> type=To",
        b"",
        b"",
    ]
    found = parse_head(newline.join(lines))
    assert found.envelope == Envelope("ann@a.example", ["bob@b.example"])
    assert found.length is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n",
        b"X-SMTPS-Queue: 2\nX-Envelope-From: <a@b>\nX-Envelope-To: <c@d>\n\n",
        b"X-SMTPS-Queue: 1\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-To: <a@b>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: a@b\nX-Envelope-To: <c@d>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\nX-Envelope-To: <c>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b> by=soon\nX-Envelope-To: <c@d>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b> new\nX-Envelope-To: <c@d>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\nX-Envelope-To: <c@d> type=Bcc\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\nX-Envelope-To: <c@d> options=%0D%0AQUIT\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\nX-Envelope-From: <a@b>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\nX-Envelope-To: <c@d>\nSubject: x\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\nX-Envelope-To: <\xff@d>\n\n",
        b"X-SMTPS-Queue: 1\nX-Envelope-From: <a@b>\nX-Envelope-To: <c@d>\nX-Head-CRC32: 0\n\n",
    ],
)
def test_a_head_that_is_none_is_refused(head: bytes) -> None:
    with pytest.raises(Damaged):
        parse_head(head)


@given(st.data())
def test_a_head_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    head = bytearray(format_head(entry(ENVELOPES[3])))
    place = data.draw(st.integers(0, len(head) - 2))
    head[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Damaged):
        parse_head(bytes(head))


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused_with_the_same_error(noise: bytes) -> None:
    with pytest.raises(Damaged):
        parse_head(b"X-SMTPS-Queue: 1\n" + noise + b"\n\n")


@given(st.integers(0, 10**6), st.sampled_from(["a@b.example", "", "x+y@[192.0.2.1]"]))
def test_the_quick_way_reads_what_the_other_reads(number: int, sender: str) -> None:
    envelope = Envelope(sender, [f"bob{number}@b.example"], ret="FULL" if number % 2 else None)
    plain = Entry(envelope, (Addressee(envelope.recipients[0]),), number + 0.5, number, "cd" * 32)
    head = format_head(plain)
    assert parse_head(head) == plain
    # With a carriage return it is nobody's own file, but it is read line by line.
    assert parse_head(head.replace(b"\n", b"\r\n")) == plain
    with pytest.raises(Damaged):
        parse_head(head.replace(b"bob", b"eve"))
