"""The own host's name, and the addresses of others."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any

from ..enumerations import IPVersion
from ..errors import BadValue, ConnectionFailed
from ..hosts import is_address, is_socket_path, to_ascii
from ..ops import Connect
from .failures import lookup_failure

__all__ = ["Found", "Target", "find", "is_known", "look_up_key", "own_name"]

# Not on every system.
_UNIX: Any = getattr(socket, "AF_UNIX", None)
_FAMILIES = {
    IPVersion.IPV4: socket.AF_INET,
    IPVersion.IPV6: socket.AF_INET6,
    IPVersion.BOTH: socket.AF_UNSPEC,
}


@cache
def own_name() -> str:
    """Give the own host's name in ASCII, qualified where that is known; "" if there is none.

    It is asked for once, since it may use DNS.
    """
    name = socket.gethostname()
    if "." not in name:
        name = socket.getfqdn()
    try:
        name = to_ascii(name, "hello")
    except BadValue:
        return ""
    usable = all(part.replace("-", "").isalnum() for part in name.split("."))
    return name if usable and name != "localhost.localdomain" else ""


@dataclass(frozen=True, slots=True)
class Target:
    """One address to connect to."""

    family: int
    address: Any
    #: What the socket is bound to before; None leaves it to the system.
    source: Any = None

    def __str__(self) -> str:
        if self.family == _UNIX:
            return str(self.address)
        own = f" from {self.source[0]}" if self.source is not None else ""
        return f"{self.address[0]}{own}"


@dataclass(frozen=True, slots=True)
class Found:
    """What has to be known before a connection can be tried."""

    targets: tuple[Target, ...]
    own_name: str


def is_known(op: Connect) -> bool:
    """Tell whether `find` asks no name server, and so does not wait."""
    if is_socket_path(op.host):
        return bool(op.options.settings.hello) or own_name.cache_info().currsize > 0
    named = [op.host, op.options.local_address or "::"]
    has_name = bool(op.options.settings.hello) or own_name.cache_info().currsize > 0
    return has_name and all(is_address(host) for host in named)


def look_up_key(op: Connect) -> tuple[object, ...]:
    """Name all that the answer of `find` depends on."""
    settings = op.options.settings
    own = op.options.local_address
    return op.host, op.port, own, settings.use_ipv6, bool(settings.hello)


def find(op: Connect) -> Found:
    """Look up every address of a host, in the order in which they are to be tried.

    Raises:
        ConnectionFailed: it has none, or none that `use_ipv6` and `local_host` allow.
    """
    name = "" if op.options.settings.hello else own_name()
    if is_socket_path(op.host):
        return Found((_socket_file(op.host),), name)
    family = _FAMILIES[op.options.settings.use_ipv6]
    answers = _look_up(op.host, op.port, family)
    local = op.options.local_address
    # Reversed, so that the first address of each family stays.
    sources = dict(reversed(_look_up(local, 0, family))) if local else None
    targets = [
        Target(own, address, sources and sources[own])
        for own, address in answers
        if sources is None or own in sources
    ]
    if not targets:
        raise ConnectionFailed(
            f"{op.host} has no address that can be reached from local_host {local}", code=10049
        )
    return Found(_interleave(targets), name)


def _socket_file(path: str) -> Target:
    if _UNIX is None:
        raise ConnectionFailed(f"cannot connect to {path}: this system has no Unix sockets")
    return Target(_UNIX, path)


def _look_up(host: str, port: int, family: int) -> list[tuple[int, Any]]:
    try:
        found = socket.getaddrinfo(to_ascii(host), port, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise lookup_failure(host, error) from error
    # The same address can come twice, from a file of hosts.
    return list(dict.fromkeys((answer[0].value, answer[4]) for answer in found))


def _interleave(targets: list[Target]) -> tuple[Target, ...]:
    """Let the families take turns, the system's first choice first. RFC 8305, section 4."""
    first = [target for target in targets if target.family == targets[0].family]
    second = [target for target in targets if target.family != targets[0].family]
    pairs = zip_longest(first, second)
    return tuple(target for pair in pairs for target in pair if target is not None)
