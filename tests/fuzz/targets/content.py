"""Dots, newlines and the survey of content, against regular expressions and a decoder."""

from __future__ import annotations

import re

from tests.codec.oracles import normalized, stuffed, surveyed
from tests.fuzz.feeding import Feed, both

DOTS, SURVEYS = both("dots"), both("survey")


def check(data: bytes) -> None:
    """Stuff and survey it, whole and in pieces."""
    feed = Feed(data)
    pieces = feed.pieces()
    body = feed.data
    for module in DOTS:
        wire = module.dot_stuff(body)
        assert wire == stuffed(body)
        stuffer = module.DotStuffer()
        assert b"".join([*map(stuffer.update, pieces), stuffer.finish()]) == wire
        assert _received(wire) in (normalized(body), normalized(body) + b"\r\n")
        once = module.normalize_newlines(body)
        assert once == normalized(body) == module.normalize_newlines(once)
    for module in SURVEYS:
        assert tuple(module.survey(body)) == surveyed(body)


def _received(wire: bytes) -> bytes:
    """Read what a server reads, and make sure that it ends at the end and nowhere before."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire), "a bare CR or LF"
    lines = wire.split(b"\r\n")
    assert lines.index(b".") == len(lines) - 2
    return b"".join(line.removeprefix(b".") + b"\r\n" for line in lines[:-2])
