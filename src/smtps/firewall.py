"""The proxy that a connection goes through: which kind, where, as whom."""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import unquote, urlsplit

from .controls import refuse_controls
from .enumerations import FirewallType
from .errors import BadValue, ProxyError
from .hosts import check_host, with_port
from .kinds import choice, flag, number, text
from .options import Configurable, Option

__all__ = ["Firewall", "FirewallOption", "check_header_lines", "system_firewall"]

_PORTS = {FirewallType.TUNNEL: 80, FirewallType.SOCKS4: 1080, FirewallType.SOCKS5: 1080}
_SCHEMES = {
    "http": FirewallType.TUNNEL,
    "tunnel": FirewallType.TUNNEL,
    "socks4": FirewallType.SOCKS4,
    "socks4a": FirewallType.SOCKS4,
    "socks": FirewallType.SOCKS5,
    "socks5": FirewallType.SOCKS5,
    "socks5h": FirewallType.SOCKS5,
}
# What programs for mail look for in the environment first, and what is set for all programs.
_SYSTEM_KEYS = ("smtp", "all", "socks", "https")


class Firewall(Configurable):
    """A proxy. It is used where it has a type and a host, and it resolves the relay's name.

    Args:
        firewall_type: `TUNNEL` is HTTP CONNECT; `SOCKS4` includes 4a, which resolves names.
        port: 0 is the usual port of the type: 80 for a tunnel, 1080 for SOCKS.
        user: in SOCKS4 the user id; in SOCKS5 (RFC 1929) and for a tunnel (Basic) with `password`.
        auto_detect: where no type and host are given, use the system's settings, if it has any:
            `smtp_proxy`, `all_proxy` and `no_proxy` of the environment, or the system's own.
    """

    firewall_type = choice(
        "FirewallType",
        FirewallType.NONE,
        doc="The kind of proxy: 0 none, 1 tunnel (HTTP CONNECT), 2 SOCKS4, 3 SOCKS5.",
    )
    host = text("Host", check=check_host, doc="The proxy; empty: none is used.")
    port = number(
        "Port", 0, low=0, high=65535, live=True, doc="The proxy's port; 0 is the type's usual one."
    )
    user = text("User", doc="Who we are to the proxy; empty: nobody.")
    password = text("Password", secret=True, doc="Used with the user; never shown.")
    auto_detect = flag(
        "AutoDetect", False, doc="Whether to use the system's proxy where none is given here."
    )

    def __init__(
        self,
        firewall_type: FirewallType | int = FirewallType.NONE,
        host: str = "",
        port: int = 0,
        user: str = "",
        password: str = "",
        *,
        auto_detect: bool = False,
    ) -> None:
        self.firewall_type = firewall_type  # type: ignore[assignment]
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.auto_detect = auto_detect

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Make one from `socks5://user:password@host:port`, or `socks4://` or `http://`.

        Raises:
            BadValue: it is not such a URL. The sentence does not repeat it, as it may hold a
                password.
        """
        if not isinstance(url, str):
            raise BadValue("firewall", f"expected text, not {type(url).__name__}")
        # `urlsplit` would drop a line end from the middle of a name without a word.
        refuse_controls("firewall", url)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # Without the words of `urlsplit`, which can hold the password.
            raise BadValue("firewall", "not a URL; write socks5://user:password@host") from None
        kind = _SCHEMES.get(parts.scheme)
        if kind is None or not parts.hostname:
            raise BadValue("firewall", "write http://, socks4:// or socks5://, then host:port")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(kind, unquote(parts.hostname), port or 0, user, password)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.options:
            near = self.nearest_name(name)
            hint = f"; did you mean {near}?" if near else ""
            raise AttributeError(f"Firewall has no field {name}{hint}")
        # A port that is the usual one of the old type gives way to that of the new.
        usual = name == "firewall_type" and self.port == _PORTS.get(self.firewall_type)
        super().__setattr__(name, value)
        if usual:
            type(self).port.reset(self)

    def live_value(self, attribute: str) -> Any:
        """Show the usual port of the type for a port of 0."""
        if attribute == "port" and not type(self).port.assigned(self):
            return _PORTS.get(self.firewall_type, 0)
        return None

    @property
    def is_used(self) -> bool:
        """Whether connections go through it."""
        return self.firewall_type is not FirewallType.NONE and bool(self.host)

    def __str__(self) -> str:
        if not self.is_used:
            return "system" if self.auto_detect else "none"
        return f"{self.firewall_type.name.lower()}://{with_port(self.host, self.port)}"

    def __repr__(self) -> str:
        return f"<Firewall {self}>"


class FirewallOption(Option[Firewall]):
    """The firewall of a connection: an object of its own for each, assigned whole or by field."""

    def __init__(self, name: str, *, doc: str = "") -> None:
        super().__init__(
            name,
            Firewall(),
            check=_checked,
            parse=lambda _, value: Firewall.from_url(value) if value else Firewall(),
            doc=doc,
        )

    def assigned(self, instance: Configurable) -> Firewall:
        """Give the object, made when it is first asked for."""
        found: Firewall = instance.__dict__.setdefault(self._slot, Firewall())
        return found


def _checked(field: str, value: Any) -> Firewall:
    if not isinstance(value, Firewall):
        raise BadValue(field, f"expected a Firewall, not {type(value).__name__}")
    return value


def system_firewall(host: str) -> Firewall | None:
    """Give the proxy that the system's settings name for a host; None: it is reached directly.

    Raises:
        ProxyError: there is one, of a kind that cannot be used.
    """
    # Some 20 ms to import, and few need it.
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    found = next((key for key in _SYSTEM_KEYS if proxies.get(key)), None)
    if found is None or proxy_bypass(host):
        return None
    url = proxies[found]
    if found == "socks":
        # macOS hands its SOCKS proxy over with the scheme of another kind.
        url = "socks5://" + url.removeprefix("http://").removeprefix("socks://")
    try:
        return Firewall.from_url(url if "://" in url else f"http://{url}")
    except BadValue as error:
        raise ProxyError(f"the system's {found} proxy cannot be used: {error.reason}") from None


def check_header_lines(field: str, value: str) -> str:
    """Accept header lines, `Name: value` with CRLF between, for the request to a tunnel.

    Raises:
        BadValue: a line is empty, has no name, or holds a control character.
    """
    lines = value.removesuffix("\r\n").split("\r\n")
    for place, line in enumerate(lines if value else (), 1):
        name, colon, content = line.partition(":")
        token = name.isascii() and name.translate(_NO_PUNCTUATION).isalnum()
        if not colon or not token:
            raise BadValue(field, f"line {place} is not a header; write Name: value")
        if not content.replace("\t", " ").isprintable() or not content.isascii():
            raise BadValue(field, f"line {place} holds a control character or is not ASCII")
    return value


# RFC 9110, section 5.6.2: what a name may hold beside letters and digits.
_NO_PUNCTUATION = str.maketrans(dict.fromkeys("!#$%&'*+-.^_`|~", "x"))
