"""Reach the relay: directly, or through the proxy that stands before it."""

from __future__ import annotations

from time import monotonic

from ..errors import BadValue, ConnectionFailed, ConnectionLost, ProxyError, SessionError
from ..firewall import Firewall, system_firewall
from ..hidden import Hidden
from ..hosts import is_socket_path, to_ascii, with_port
from ..ops import Call, Connect, Deadline, Dialogue
from ..phase import Phase
from ..session import Session
from ..watching import watched
from .exchange import gain, remark, tell_status
from .proxying import ask_proxy, proxy_requests

__all__ = ["reach"]


@watched("socket")
def reach(session: Session) -> Dialogue[bytes]:
    """Connect to the relay; each layer of the connection that comes up is noted and told.

    `connection_timeout`, or without it `timeout`, bounds all of this: the look-up of the name, the
    connecting, and the talk with the proxy.

    Returns:
        What the relay has said already: a proxy can send it along with its own last words.

    Raises:
        ConnectionFailed, TimedOut: there is no way to the relay.
        ProxyError: there is none to the proxy, or through it.
        BadValue: the proxy's protocol cannot carry the name or the login; nothing was sent.
    """
    options = session.options
    deadline = _bound(session.deadline(Phase.CONNECT))
    firewall = yield from _choose(session)
    if firewall is not None:
        return (yield from _reach_through(session, firewall, deadline))
    yield from remark(session, f"Connecting to {with_port(options.mail_server, options.mail_port)}")
    try:
        session.local = yield Connect(options.mail_server, options.mail_port, options, deadline)
    except SessionError as error:
        error.at(Phase.CONNECT)
        yield from tell_status(session, "Remote Connect", error)
        raise
    yield from gain(session, "Remote")
    return b""


def _choose(session: Session) -> Dialogue[Firewall | None]:
    firewall = session.options.firewall
    if is_socket_path(session.options.mail_server):
        if firewall.is_used:
            raise BadValue("firewall_host", "a Unix socket is not reached through a proxy")
        return None
    if firewall.is_used:
        return firewall
    if not firewall.auto_detect:
        return None
    try:
        found: Firewall | None = yield Call(system_firewall, (session.options.mail_server,))
    except SessionError as error:
        yield from tell_status(session, "Firewall Connect", error)
        raise
    return found


def _reach_through(session: Session, firewall: Firewall, deadline: Deadline) -> Dialogue[bytes]:
    options = session.options
    # What cannot be asked of this proxy is found out before it is called.
    requests = proxy_requests(
        firewall,
        to_ascii(options.mail_server),
        options.mail_port,
        Hidden(options.settings.firewall_data.encode()),
    )
    place = with_port(options.mail_server, options.mail_port)
    yield from remark(session, f"Connecting to {place} through {firewall}")
    try:
        session.local = yield Connect(firewall.host, firewall.port, options, deadline)
        early = yield from ask_proxy(firewall, requests, deadline)
    except SessionError as error:
        failure = _as_proxy_error(error)
        yield from tell_status(session, "Firewall Connect", failure)
        if failure is error:
            raise
        raise failure from error
    yield from gain(session, "Firewall")
    yield from gain(session, "Remote")
    return early


def _as_proxy_error(error: SessionError) -> SessionError:
    """Say 118 whatever is wrong with the proxy; a timeout and an interruption stay as they are."""
    if isinstance(error, ConnectionFailed):
        return ProxyError(f"the proxy cannot be reached: {error.reason}")
    if isinstance(error, ConnectionLost):
        return ProxyError("the proxy closed the connection instead of an answer")
    return error.at(Phase.PROXY)


def _bound(deadline: Deadline) -> Deadline:
    """Make a limit for each step into one for all of them."""
    seconds = deadline.seconds()
    if seconds is None:
        return deadline
    total = deadline.idle if seconds == deadline.idle else deadline.total
    return Deadline(until=monotonic() + seconds, total=total)
