"""SOCKS 4, 4a and 5: requests to a proxy, and the meaning of its answers. RFC 1928, 1929."""

from __future__ import annotations

import ipaddress
import struct

from ..errors import BadValue, ProxyError
from ..hidden import Hidden

__all__ = [
    "NO_LOGIN",
    "PASSWORD_LOGIN",
    "address_size",
    "check_login_reply",
    "check_socks4_reply",
    "check_socks5_reply",
    "choose_login",
    "socks4_request",
    "socks5_greeting",
    "socks5_login",
    "socks5_request",
]

NO_LOGIN, PASSWORD_LOGIN = 0, 2
_NONE_ACCEPTABLE = 0xFF
_IPV4, _NAME, _IPV6 = 1, 3, 4

_SOCKS4_REFUSALS = {
    91: "request rejected or failed",
    92: "the proxy cannot reach identd on this host",
    93: "identd names another user",
}
_SOCKS5_REFUSALS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "address type not supported",
}


# --- version 4 ------------------------------------------------------------------------------------


def socks4_request(host: str, port: int, user: str) -> bytes:
    """Build the request; a name goes along for the proxy to resolve, which is version 4a.

    Raises:
        BadValue: the host is an IPv6 address, which the protocol has no room for.
    """
    if ":" in host:
        raise BadValue("mail_server", "SOCKS4 carries no IPv6 address; use SOCKS5 or a tunnel")
    try:
        packed, name = ipaddress.IPv4Address(host).packed, b""
    except ValueError:
        # An address that cannot be one says that a name follows.
        packed, name = b"\0\0\0\1", _host_bytes(host) + b"\0"
    return struct.pack(">BBH4s", 4, 1, port, packed) + user.encode() + b"\0" + name


def check_socks4_reply(reply: bytes) -> None:
    """Make sure that the answer, 8 bytes, is a yes.

    Raises:
        ProxyError: it is not.
    """
    if reply[0] != 0:
        raise ProxyError("the proxy does not speak SOCKS4")
    if reply[1] != 90:
        words = _SOCKS4_REFUSALS.get(reply[1], "an unknown reason")
        raise ProxyError(f"the proxy refused: {words} (SOCKS4 code {reply[1]})")


# --- version 5 ------------------------------------------------------------------------------------


def socks5_greeting(user: str) -> bytes:
    """Offer to log in if there is a user, and to do without."""
    methods = bytes([NO_LOGIN, PASSWORD_LOGIN] if user else [NO_LOGIN])
    return bytes([5, len(methods)]) + methods


def choose_login(reply: bytes, user: str) -> int:
    """Give the method that the proxy chose in its answer, 2 bytes.

    Raises:
        ProxyError: it takes none of those offered.
    """
    if reply[0] != 5:
        raise ProxyError("the proxy does not speak SOCKS5")
    method = reply[1]
    if method == NO_LOGIN or (method == PASSWORD_LOGIN and user):
        return method
    if method == _NONE_ACCEPTABLE:
        hint = "" if user else "; check firewall_user and firewall_password"
        raise _lasting(f"the proxy accepts none of the ways to log in that we know{hint}")
    raise ProxyError(f"the proxy chose a way to log in that was not offered ({method})")


def socks5_login(user: str, password: Hidden) -> Hidden:
    """Build the login. RFC 1929, section 2.

    Raises:
        BadValue: the user or the password is longer than 255 bytes.
    """
    parts = [b"\1"]
    for field, value in (
        ("firewall_user", user.encode()),
        ("firewall_password", password),
    ):
        if len(value) > 255:
            raise BadValue(field, "longer than the 255 bytes that SOCKS5 can carry")
        parts += [bytes([len(value)]), value]
    return Hidden(b"".join(parts))


def check_login_reply(reply: bytes) -> None:
    """Make sure that the proxy took the login; its answer has 2 bytes.

    Raises:
        ProxyError: it did not.
    """
    if reply[0] != 1:
        raise ProxyError("the proxy answered the login with something else")
    if reply[1] != 0:
        raise _lasting("the proxy did not accept firewall_user and firewall_password")


def socks5_request(host: str, port: int) -> bytes:
    """Build the request for a connection; a name is for the proxy to resolve.

    Raises:
        BadValue: the name is longer than 255 bytes, whose length would be taken for another.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = _host_bytes(host)
        target = bytes([_NAME, len(name)]) + name
    else:
        target = bytes([_IPV6 if address.version == 6 else _IPV4]) + address.packed
    return b"\5\1\0" + target + struct.pack(">H", port)


def check_socks5_reply(reply: bytes) -> None:
    """Make sure that the first 4 bytes of the answer are a yes.

    Raises:
        ProxyError: they are not.
    """
    if reply[0] != 5:
        raise ProxyError("the proxy does not speak SOCKS5")
    if reply[1] != 0:
        words = _SOCKS5_REFUSALS.get(reply[1], "an unknown reason")
        raise ProxyError(f"the proxy refused: {words} (SOCKS5 code {reply[1]})")


def address_size(kind: int, first: int) -> int:
    """Tell how many bytes of address and port follow the first one behind an address type.

    Args:
        kind: the type of the address that the proxy connects from.
        first: the byte behind it, which is the length if the address is a name.

    Raises:
        ProxyError: there is no such type.
    """
    sizes = {_IPV4: 4, _IPV6: 16, _NAME: 1 + first}
    if kind not in sizes:
        raise ProxyError(f"the proxy answered with an unknown type of address ({kind})")
    return sizes[kind] - 1 + 2


def _host_bytes(host: str) -> bytes:
    name = host.encode("ascii")
    if not 0 < len(name) <= 255:
        raise BadValue("mail_server", "longer than the 255 bytes that SOCKS can carry")
    return name


def _lasting(reason: str) -> ProxyError:
    error = ProxyError(reason)
    error.retryable = False
    return error
