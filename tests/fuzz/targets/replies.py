"""Lines and replies of a server: any cut gives the same, from both twins, or one error."""

from __future__ import annotations

from types import ModuleType

from smtps.errors import ProtocolError
from smtps.reply import Reply
from tests.codec.oracles import lines_of
from tests.fuzz.feeding import Feed, both

LINES, REPLIES = both("lines"), both("replies")


def check(data: bytes) -> None:
    """Feed it whole and in pieces."""
    feed = Feed(data)
    limit = 4 + feed.number(40)
    pieces = feed.pieces()
    _check_lines(b"".join(pieces), pieces, limit)
    runs = [_parse(module, cut, limit) for module in REPLIES for cut in (pieces, [feed.data])]
    assert all(run == runs[0] for run in runs), "the cut or the twin made a difference"
    for reply in runs[0][0]:
        assert 200 <= reply.code < 600
        assert all(len(line) <= 4 * limit for line in reply.lines)
        assert not any("\n" in line for line in reply.lines)


def _parse(module: ModuleType, pieces: list[bytes], limit: int) -> tuple[list[Reply], str]:
    parser = module.ReplyParser(limit)
    replies: list[Reply] = []
    try:
        for piece in [*pieces, b""]:
            replies += parser.feed(piece)
    except ProtocolError as error:
        return replies, str(error)
    return replies, str(parser.pending)


def _check_lines(data: bytes, pieces: list[bytes], limit: int) -> None:
    for module in LINES:
        buffer = module.LineBuffer(limit)
        found = [line for piece in [*pieces, b"\n"] for line in buffer.feed(piece)]
        assert found == lines_of(data + b"\n", limit)
