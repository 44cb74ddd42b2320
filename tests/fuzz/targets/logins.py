"""What a server says while logging in: the mechanisms answer, end well after a proof, or refuse."""

from __future__ import annotations

from smtps.errors import AuthenticationRefused, ProtocolError
from smtps.reply import Reply
from tests.fuzz.feeding import Feed
from tests.sasl.test_hostile import MECHANISMS, PROVING

_NAMES = sorted(MECHANISMS)


def check(data: bytes) -> None:
    """Let the server say it, in up to four challenges."""
    feed = Feed(data)
    name = _NAMES[feed.number(len(_NAMES) - 1)]
    accepted = bool(feed.number(1))
    responses = MECHANISMS[name]()
    next(responses)
    try:
        for challenge in feed.data.split(b"\n", 3):
            answer = responses.send(challenge)
            assert answer is None or len(answer) < 100_000
        if accepted:
            responses.send(None)
        else:
            responses.throw(AuthenticationRefused(name, Reply(535, None, ("no",))))
    except StopIteration:
        assert name not in PROVING, "it ended well, and the server proved nothing"
    except AuthenticationRefused:
        assert not accepted
    except ProtocolError as error:
        assert "S3cr3t" not in str(error)
