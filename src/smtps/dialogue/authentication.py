"""Authenticate: AUTH, its challenges and responses. RFC 4954, section 4."""

from __future__ import annotations

from ..errors import AuthenticationRefused, ProtocolError
from ..hidden import Hidden
from ..ops import Await, Call, Dialogue
from ..phase import Phase
from ..reply import Reply
from ..sasl import (
    LONGEST_COMMAND,
    Credentials,
    Mechanism,
    Responses,
    auth_line,
    decode_challenge,
    response_line,
)
from ..session import Session
from ..tokens import Token, TokenSource, Unawaited, source_of
from ..watching import watched
from .credentials import choose_mechanism, credentials_of, own_token
from .exchange import exchange

__all__ = ["authenticate"]

_HIDDEN = b"********"
# The longest exchange of a known mechanism has five steps.
_MOST_STEPS = 16
# RFC 4954 4: the credentials were looked at and are not good.
_BAD_CREDENTIALS = 535


@watched("authenticate")
def authenticate(session: Session) -> Dialogue[None]:
    """Prove who the user is, with the mechanism that is named or the strongest of both sides.

    A mechanism that the server refused is never followed by another: whoever is in the middle
    could refuse it to be given the password.

    Raises:
        NotOffered: the server has no AUTH, or no mechanism that fits.
        AuthenticationRefused: the server said no.
        ProtocolError: its challenges make no sense, or it did not prove that it knows the password.
        BadValue: the credentials cannot be used; nothing of them was sent.
    """
    mechanism = choose_mechanism(session)
    provider = session.options.token_provider
    if not mechanism.needs_token:
        yield from _attempt(session, mechanism, credentials_of(session, mechanism))
    elif provider is None:
        token = own_token(session.options)
        yield from _attempt(session, mechanism, credentials_of(session, mechanism, token))
    else:
        session.tokens = source_of(provider)
        yield from _with_fresh_token(session, mechanism, session.tokens)


def _with_fresh_token(
    session: Session, mechanism: Mechanism, source: TokenSource
) -> Dialogue[None]:
    """Log in with the provider's token; if it has ended meanwhile, once more with a fresh one."""
    token = yield from _fetch(session, source)
    try:
        yield from _attempt(session, mechanism, credentials_of(session, mechanism, token))
    except AuthenticationRefused as refused:
        if refused.reply.code != _BAD_CREDENTIALS:
            raise
        fresh = yield from _fetch(session, source, refused=token)
        if fresh.value == token.value:
            raise
        yield from _attempt(session, mechanism, credentials_of(session, mechanism, fresh))


def _fetch(
    session: Session, source: TokenSource, *, refused: Token | None = None
) -> Dialogue[Token]:
    """Get a token: the one that is known, or by calling the provider, or by waiting for who did."""
    while True:
        found = source.claim(refused)
        if isinstance(found, Token):
            return found
        if found.lead():
            result = yield Call(source.refresh, (found,))
        else:
            result = yield Await(found.future, session.deadline(Phase.AUTH))
        if isinstance(result, Token):
            return result
        if isinstance(result, Exception):
            raise result
        if isinstance(result, Unawaited):
            raise result.refuse()


def _attempt(session: Session, mechanism: Mechanism, credentials: Credentials) -> Dialogue[None]:
    responses = mechanism.start(credentials)
    first = next(responses)
    first = None if first is None else Hidden(first)
    reply = yield from _begin(session, mechanism, first)
    for _ in range(_MOST_STEPS):
        if reply.code != 334:
            break
        line = response_line(_answer(mechanism, responses, reply))
        reply = yield from exchange(session, line, Phase.AUTH, shown=_HIDDEN)
    if reply.code == 235:
        _accept(mechanism, responses, reply)
    else:
        _refuse(mechanism, responses, reply)


def _begin(session: Session, mechanism: Mechanism, first: bytes | None) -> Dialogue[Reply]:
    """Say AUTH, with the initial response where it fits."""
    shown = f"AUTH {mechanism.name}".encode()
    line = auth_line(mechanism.name, first)
    if first is None:
        return (yield from exchange(session, line, Phase.AUTH, shown=shown))
    if len(line) <= LONGEST_COMMAND:
        hidden = shown + b" " + _HIDDEN
        return (yield from exchange(session, line, Phase.AUTH, shown=hidden))
    line = auth_line(mechanism.name, None)
    reply = yield from exchange(session, line, Phase.AUTH, shown=shown)
    if reply.code != 334:
        return reply
    # The challenge is empty, whatever some servers write there.
    return (yield from exchange(session, response_line(first), Phase.AUTH, shown=_HIDDEN))


def _answer(mechanism: Mechanism, responses: Responses, reply: Reply) -> bytes:
    try:
        return responses.send(decode_challenge(reply.text)) or b""
    except StopIteration:
        raise ProtocolError(
            f"a challenge more than {mechanism.name} has", phase=Phase.AUTH, reply=reply
        ) from None


def _accept(mechanism: Mechanism, responses: Responses, reply: Reply) -> None:
    """Make sure that the mechanism has nothing left to say or to hear."""
    try:
        responses.send(None)
    except StopIteration:
        return
    raise ProtocolError(
        f"the server accepted before {mechanism.name} was complete", phase=Phase.AUTH, reply=reply
    )


def _refuse(mechanism: Mechanism, responses: Responses, reply: Reply) -> None:
    if reply.code == 334 or reply.code < 400:
        raise ProtocolError(
            f"a reply that AUTH does not have: {reply}", phase=Phase.AUTH, reply=reply
        )
    # The mechanism may add what it was told before; it does not handle the refusal.
    responses.throw(AuthenticationRefused(mechanism.name, reply))
