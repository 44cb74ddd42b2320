"""Relay URLs: one line that says where to, as whom, and how secure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from .controls import refuse_controls
from .enumerations import Protocol, SSLStartMode
from .errors import BadValue

__all__ = ["RelayURL"]

_SCHEMES = {
    "smtp": SSLStartMode.EXPLICIT,
    "smtps": SSLStartMode.IMPLICIT,
    "lmtp": SSLStartMode.EXPLICIT,
}
# RFC 2033 5 forbids port 25; there is no other of its own.
_LMTP_PORT = 24
_TLS = {
    "none": SSLStartMode.NONE,
    "starttls": SSLStartMode.EXPLICIT,
    "implicit": SSLStartMode.IMPLICIT,
}


@dataclass(frozen=True, slots=True)
class RelayURL:
    """The parts of `smtp://user:password@host:port?option=value`; its repr shows no password.

    `smtp` requires STARTTLS, on port 587 with a user and 25 without one; `smtps` is TLS from the
    first byte, on port 465. `?tls=none` is the one way to clear text, and not from `smtps`. Every
    other parameter of the query is a property or setting of the component, each at most once.

    `lmtp` is LMTP on port 24, with STARTTLS too, and `lmtp:///path` on a Unix socket, where nobody
    else listens and so without.
    """

    host: str
    port: int
    start_mode: SSLStartMode
    user: str = ""
    password: str = field(default="", repr=False)
    #: A token may be among them.
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    protocol: Protocol = Protocol.SMTP

    @classmethod
    def parse(cls, url: str) -> RelayURL:
        """Take a URL apart.

        Raises:
            BadValue: it is not such a URL. The sentence does not repeat it, as it may hold a
                password.
        """
        parts, port, query = _split(url)
        mode = _SCHEMES.get(parts.scheme)
        if mode is None:
            what = f'unknown scheme "{parts.scheme}"' if "://" in url else "no scheme"
            raise BadValue("url", f"{what}; write smtp://, smtps:// or lmtp:// and the host")
        protocol = Protocol.LMTP if parts.scheme == "lmtp" else Protocol.SMTP
        host = unquote(parts.hostname or "")
        is_path = protocol is Protocol.LMTP and not parts.netloc and len(parts.path) > 1
        if is_path:
            host, mode = unquote(parts.path), SSLStartMode.NONE
        if not host:
            raise BadValue("url", "no host; write smtp://user:password@host:port")
        if (parts.path not in ("", "/") and not is_path) or parts.fragment:
            raise BadValue(
                "url",
                "a path or fragment has no meaning here; encode #, / and ? in"
                " the user or password as %23, %2F and %3F",
            )
        tls = dict(query).get("tls")
        if tls is not None:
            if tls not in _TLS:
                raise BadValue("tls", f"{tls!r} is none of {', '.join(_TLS)}")
            # Who reads "smtps" must be able to rely on it.
            if parts.scheme == "smtps" and tls != "implicit":
                raise BadValue(
                    "tls",
                    f"{tls!r} is not what smtps:// is, TLS from the first byte; write smtp://",
                )
            mode = _TLS[tls]
        user = unquote(parts.username or "")
        return cls(
            host,
            _usual_port(protocol, mode, user) if port is None else port,
            mode,
            user,
            unquote(parts.password or ""),
            tuple(pair for pair in query if pair[0] != "tls"),
            protocol,
        )


def _split(url: str) -> tuple[SplitResult, int | None, list[tuple[str, str]]]:
    """Give the parts of a URL, its port, and the parameters of its query."""
    if not isinstance(url, str):
        raise BadValue("url", f"expected text, not {type(url).__name__}")
    # `urlsplit` would drop a line end from the middle of a name without a word.
    refuse_controls("url", url)
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        port = parts.port
    except ValueError:
        # The error of `urlsplit` repeats what stands where a port belongs: the password, where
        # a "/" in it was not encoded.
        raise BadValue(
            "url",
            "not a URL; write smtp://user:password@host:port, with a port of at most 65535, and"
            " #, / and ? in the user or password as %23, %2F and %3F",
        ) from None
    names = [name.lower() for name, _ in query]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadValue(twice, "stands in the URL twice; keep one")
    return parts, port, query


def _usual_port(protocol: Protocol, mode: SSLStartMode, user: str) -> int:
    if protocol is Protocol.LMTP:
        return _LMTP_PORT
    if mode is SSLStartMode.IMPLICIT:
        return 465
    # Who logs in submits; others are relays. RFC 6409, section 3.1.
    return 587 if user else 25
