"""Heads of queue files: refused as damaged, or the same again once written and read."""

from __future__ import annotations

from smtps import Envelope, Recipient
from smtps.spool.entry import Addressee, Damaged, Entry, format_head, parse_head

_RECIPIENT = Recipient("bob@b.example", notify=("SUCCESS",), orcpt="was me@c.example")
_ENVELOPE = Envelope("ann@a.example", [_RECIPIENT], ret="HDRS", envid="a b", deliver_by=60)
_HEAD = format_head(Entry(_ENVELOPE, (Addressee(_RECIPIENT, "To", True, ""),), 1.5, 12, "ab" * 32))
_SEALED = parse_head(_HEAD)


def check(data: bytes) -> None:
    """Read it as a head, and read a good head that it damages."""
    for head in (data, b"X-SMTPS-Queue: 1\n" + data + b"\n\n"):
        try:
            found = parse_head(head)
        except Damaged as error:
            assert str(error).isprintable()
        else:
            written = format_head(found)
            assert format_head(parse_head(written)) == written
    if len(data) >= 3:
        _check_splice(int.from_bytes(data[:2]) % len(_HEAD), data[2:])


def _check_splice(place: int, noise: bytes) -> None:
    damaged = _HEAD[:place] + noise + _HEAD[place + len(noise) :]
    try:
        found = parse_head(damaged)
    except Damaged:
        return
    # One without its seal is such as a person writes.
    assert found == _SEALED or b"X-Head-CRC32: " not in damaged, "taken for another"
