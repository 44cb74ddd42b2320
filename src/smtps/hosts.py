"""Names and addresses of hosts: what may be one, and its form for DNS, TLS and proxies."""

from __future__ import annotations

import ipaddress
import os

from .controls import shown
from .domain import domain_to_wire
from .errors import AddressError, BadValue

__all__ = ["check_host", "check_server", "is_address", "is_socket_path", "to_ascii", "with_port"]

# What fits into the address of a Unix socket, with the zero at its end; some systems have 104.
_LONGEST_PATH = 107

_NO_PUNCTUATION = str.maketrans(dict.fromkeys("-_.", "x"))


def check_host(field: str, value: str) -> str:
    """Accept a host name (in any script) or an address, and nothing that ends a line or a field.

    A name stays as it was given; `to_ascii` makes the form for the network.

    Raises:
        BadValue: it is empty inside, too long, holds white space or a delimiter, or is not an
            internationalised name.
    """
    if not value:
        return value
    # A leading "*" once asked a proxy to resolve the name; a proxy always does here.
    value = value.removeprefix("*").strip()
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        pass
    else:
        # The library takes anything for the zone behind a "%", white space too.
        zone = getattr(address, "scope_id", None) or "x"
        if not (zone.isascii() and zone.translate(_NO_PUNCTUATION).isalnum()):
            raise BadValue(field, "the zone behind % is not the name of an interface")
        return str(address)
    if len(bare) > 255 or any(not 0 < len(label) <= 63 for label in bare.rstrip(".").split(".")):
        raise BadValue(
            field,
            f"{_shown(bare)} is not a host name: its parts have 1 to 63 characters, 255 in all",
        )
    if any(character.isspace() or character in "@/\\<>[]:,;\"'()#?%" for character in bare):
        raise BadValue(
            field, f"{_shown(bare)} is not a host name or address; the port has its own option"
        )
    to_ascii(bare, field)
    return bare


def _shown(host: str) -> str:
    """Repeat what was given for a host, unless a password could be in it."""
    if "@" in host:
        return "what holds an @"
    return shown(host)


def check_server(field: str, value: str) -> str:
    """Accept what `check_host` does, or the absolute path of a Unix socket.

    Raises:
        BadValue: it is neither.
    """
    if not is_socket_path(value):
        return check_host(field, value)
    if len(os.fsencode(value)) > _LONGEST_PATH:
        raise BadValue(field, f"the path of a Unix socket has at most {_LONGEST_PATH} bytes")
    return value


def is_socket_path(host: str) -> bool:
    """Tell whether this is the path of a Unix socket, which no name or address looks like."""
    return host.startswith("/")


def to_ascii(host: str, field: str = "mail_server") -> str:
    """Give a host as DNS, TLS and proxies want it: an address as it is, a name as A-labels.

    Raises:
        BadValue: it has letters outside ASCII and no such name exists (IDNA 2008), or `idna` is
            not installed.
    """
    if host.isascii():
        return host
    # The root's dot comes in other scripts too.
    name = host.rstrip(".\u3002\uff0e\uff61")
    try:
        encoded = domain_to_wire(name, field=field)
    except AddressError as error:
        raise BadValue(field, error.reason) from None
    if is_address(encoded):
        # Fullwidth digits become ASCII ones: what looks like a name would be an address.
        raise BadValue(field, "an address in letters that are not ASCII; type it anew")
    return encoded


def is_address(host: str) -> bool:
    """Tell whether a host is an IPv4 or IPv6 address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def with_port(host: str, port: int) -> str:
    """Write host and port as one, with an IPv6 address in brackets. RFC 3986, section 3.2.2.

    The path of a Unix socket stands for itself.
    """
    if is_socket_path(host):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
