"""Ask a proxy for the connection: HTTP CONNECT, SOCKS 4 and 4a, SOCKS 5."""

from __future__ import annotations

from ..enumerations import FirewallType
from ..errors import BadValue, ConnectionLost
from ..firewall import Firewall
from ..hidden import Hidden
from ..ops import Deadline, Dialogue, Read, Write
from ..wire import socks
from ..wire.tunnel import TunnelHead, connect_request

__all__ = ["ask_proxy", "proxy_requests"]


def proxy_requests(firewall: Firewall, host: str, port: int, more_headers: Hidden) -> list[bytes]:
    """Build everything that the proxy may have to be sent, in order.

    Args:
        host: the relay, in ASCII; the proxy resolves it.
        more_headers: header lines for a tunnel, in ASCII; SOCKS has no place for them.

    Raises:
        BadValue: this kind of proxy cannot be asked for that.
    """
    if "%" in host:
        raise BadValue("mail_server", "its zone (behind the %) is of this host; a proxy knows none")
    user, password = firewall.user, Hidden(firewall.password.encode())
    if firewall.firewall_type is FirewallType.TUNNEL:
        return [connect_request(host, port, user, password, more_headers)]
    if firewall.firewall_type is FirewallType.SOCKS4:
        return [socks.socks4_request(host, port, user)]
    return [
        socks.socks5_greeting(user),
        socks.socks5_login(user, password),
        socks.socks5_request(host, port),
    ]


def ask_proxy(firewall: Firewall, requests: list[bytes], deadline: Deadline) -> Dialogue[bytes]:
    """Talk to the proxy until it has made the connection.

    Returns:
        What came behind its answer: the first bytes of the relay.

    Raises:
        ProxyError: it refused, or its answer makes no sense.
        ConnectionLost, TimedOut: it did not answer.
    """
    proxy = _Proxy(deadline)
    if firewall.firewall_type is FirewallType.TUNNEL:
        return (yield from _ask_tunnel(proxy, *requests))
    if firewall.firewall_type is FirewallType.SOCKS4:
        return (yield from _ask_socks4(proxy, *requests))
    return (yield from _ask_socks5(proxy, firewall.user, *requests))


def _ask_tunnel(proxy: _Proxy, request: bytes) -> Dialogue[bytes]:
    yield from proxy.send(request)
    head = TunnelHead()
    while not head.feed((yield from proxy.receive())):
        pass
    return head.rest


def _ask_socks4(proxy: _Proxy, request: bytes) -> Dialogue[bytes]:
    yield from proxy.send(request)
    socks.check_socks4_reply((yield from proxy.take(8)))
    return proxy.rest


def _ask_socks5(
    proxy: _Proxy, user: str, greeting: bytes, login: bytes, request: bytes
) -> Dialogue[bytes]:
    yield from proxy.send(greeting)
    method = socks.choose_login((yield from proxy.take(2)), user)
    if method == socks.PASSWORD_LOGIN:
        yield from proxy.send(login)
        socks.check_login_reply((yield from proxy.take(2)))
    yield from proxy.send(request)
    # A refusal need not be complete, so it is looked at before the address behind it is awaited.
    reply = yield from proxy.take(4)
    socks.check_socks5_reply(reply)
    first = yield from proxy.take(1)
    yield from proxy.take(socks.address_size(reply[3], first[0]))
    return proxy.rest


class _Proxy:
    """The bytes to and from the proxy."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._buffer = b""

    @property
    def rest(self) -> bytes:
        """What was received and not taken."""
        return self._buffer

    def send(self, data: bytes) -> Dialogue[None]:
        yield Write(data, self._deadline)

    def receive(self) -> Dialogue[bytes]:
        """Wait for bytes, one at least."""
        data: bytes = yield Read(self._deadline)
        if not data:
            raise ConnectionLost
        return data

    def take(self, size: int) -> Dialogue[bytes]:
        """Wait for so many bytes."""
        while len(self._buffer) < size:
            self._buffer += yield from self.receive()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken
