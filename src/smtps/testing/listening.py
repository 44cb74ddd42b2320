"""The socket that a sink listens on: a port, or a Unix socket in the file system."""

from __future__ import annotations

import socket

__all__ = ["knock", "listen"]


def listen(host: str, port: int, path: str | None) -> socket.socket:
    """Listen at a path, or on a port of an address where there is none."""
    if path is None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def knock(host: str, port: int, path: str | None) -> socket.socket:
    """Connect there, to wake who waits for a client."""
    if path is None:
        return socket.create_connection((host, port))
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(path)
    return client
