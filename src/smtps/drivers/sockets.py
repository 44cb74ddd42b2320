"""Make the socket of a connection as the settings ask, and tell what became of it."""

from __future__ import annotations

import socket

from ..ops import Connected
from ..settings import Settings
from .names import Target

__all__ = ["describe_connection", "open_socket", "quick_ack", "set_no_delay"]

# Systems name the idle time differently; one that names neither keeps its own.
_IDLE = next((name for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE") if hasattr(socket, name)), None)
_UNIX = getattr(socket, "AF_UNIX", None)
_PROBES = {_IDLE: 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def open_socket(target: Target, settings: Settings) -> socket.socket:
    """Make a non-blocking socket for a target, bound and tuned, but not connected.

    Raises:
        OSError: there are no more sockets, or it cannot be bound.
    """
    connection = socket.socket(target.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        _tune(connection, settings, is_tcp=target.family != _UNIX)
        if target.source is not None:
            connection.bind(target.source)
    except BaseException:
        connection.close()
        raise
    return connection


def _tune(connection: socket.socket, settings: Settings, *, is_tcp: bool) -> None:
    # The window that TCP can ever offer is agreed in its first packet, so this comes before it.
    for size, name in (
        (type(settings).in_buffer_size.assigned(settings), socket.SO_RCVBUF),
        (type(settings).out_buffer_size.assigned(settings), socket.SO_SNDBUF),
    ):
        if size >= 0:
            connection.setsockopt(socket.SOL_SOCKET, name, size)
    if not is_tcp:
        return
    set_no_delay(connection, settings)
    if settings.keep_alive:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _PROBES.items():
            if option is not None and hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def set_no_delay(connection: socket.socket, settings: Settings) -> None:
    """Let small writes leave at once, or wait for others, as the settings say."""
    if connection.family == _UNIX:
        return
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(settings.tcp_no_delay))


def quick_ack(connection: socket.socket) -> None:
    """Acknowledge what just arrived at once; only Linux can be told, and forgets it soon.

    Postfix leaves Nagle's algorithm on: until its last reply is acknowledged, the next ones wait
    for up to 40 ms. With this after each read, 16 messages in flight at 1 ms go five times as fast.
    """
    if _QUICK_ACK is not None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        except OSError:
            pass  # Not TCP, or closed by now; it is a hint.


def describe_connection(connection: socket.socket, own_name: str) -> Connected:
    """Tell what is known of a connection that is up.

    Raises:
        OSError: it is down again.
    """
    own, peer = connection.getsockname(), connection.getpeername()
    is_tcp = connection.family != _UNIX
    return Connected(
        own_name,
        own[0] if is_tcp else "",
        peer[0] if is_tcp else peer,
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF),
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF),
    )
