"""The server's side of SASL: what the sink can ask of those who log in."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from .auth_scram import scram

__all__ = ["Ask", "AuthExchange", "Bindings", "MECHANISMS", "Mechanism"]

#: Send a challenge and give the client's answer, both decoded.
Ask = Callable[[bytes], bytes]
#: What TLS names the connection by, such as "tls-unique"; made when a mechanism asks for it.
Bindings = Callable[[], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class AuthExchange:
    """One AUTH command."""

    #: The initial response, decoded; None if there was none.
    initial: bytes | None
    ask: Ask
    #: Users and their passwords; for OAuth, their tokens.
    users: Mapping[str, str] = field(repr=False)
    bindings: Bindings = dict

    def first(self) -> bytes:
        """Give the first response of the client, asking for it if it did not come with AUTH."""
        return self.ask(b"") if self.initial is None else self.initial

    def known(self, user: str, secret: str) -> str | None:
        """Give the user if that is the secret."""
        return user if self.users.get(user) == secret else None


#: Find out who the client is; None if it did not prove it.
Mechanism = Callable[[AuthExchange], str | None]


def _plain(exchange: AuthExchange) -> str | None:
    parts = exchange.first().decode("utf-8", "replace").split("\0")
    return exchange.known(parts[1], parts[2]) if len(parts) == 3 else None


def _login(exchange: AuthExchange) -> str | None:
    user = exchange.ask(b"Username:") if exchange.initial is None else exchange.initial
    password = exchange.ask(b"Password:")
    return exchange.known(user.decode("utf-8", "replace"), password.decode("utf-8", "replace"))


def _cram_md5(exchange: AuthExchange) -> str | None:
    challenge = f"<{secrets.randbits(60)}.{secrets.randbits(30)}@sink.example>".encode()
    user, _, answer = exchange.ask(challenge).decode("utf-8", "replace").rpartition(" ")
    password = exchange.users.get(user, "").encode()
    # RFC 2104 by hand, so that a mistake of the client's library would show.
    key = (password if len(password) <= 64 else hashlib.md5(password).digest()).ljust(64, b"\0")
    inner = hashlib.md5(bytes(byte ^ 0x36 for byte in key) + challenge).digest()
    expected = hashlib.md5(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    return user if user in exchange.users and hmac.compare_digest(answer, expected) else None


def _xoauth2(exchange: AuthExchange) -> str | None:
    fields = dict(
        part.split("=", 1)
        for part in exchange.first().decode("utf-8", "replace").split("\1")
        if "=" in part
    )
    return _token_holder(exchange, fields.get("user", ""), fields.get("auth", ""), answer=b"")


def _oauthbearer(exchange: AuthExchange) -> str | None:
    header, *parts = exchange.first().decode("utf-8", "replace").split("\1")
    fields = dict(part.split("=", 1) for part in parts if "=" in part)
    name = next((part[2:] for part in header.split(",") if part[:2] == "a="), "")
    name = name.replace("=2C", ",").replace("=3D", "=")
    return _token_holder(exchange, name, fields.get("auth", ""), answer=b"\1")


def _token_holder(exchange: AuthExchange, user: str, bearer: str, *, answer: bytes) -> str | None:
    """Give the user whose token it is; say what is wrong before the refusal. RFC 7628, 3.2.3."""
    scheme, _, token = bearer.partition(" ")
    holder = exchange.known(user, token) if user else None
    if not user:
        holder = next((name for name, its in exchange.users.items() if its == token), None)
    if scheme.lower() == "bearer" and holder is not None:
        return holder
    status = {"status": "invalid_token", "schemes": "bearer", "scope": "mail"}
    if exchange.ask(json.dumps(status).encode()) != answer:
        raise ValueError("the error was not answered as the RFC says")
    return None


def _scram(exchange: AuthExchange, *, digest: str, plus: bool = False) -> str | None:
    bindings = exchange.bindings() if plus else {}
    return scram(exchange.first(), exchange.ask, exchange.users, digest, bindings)


MECHANISMS: dict[str, Mechanism] = {
    "PLAIN": _plain,
    "LOGIN": _login,
    "CRAM-MD5": _cram_md5,
    "SCRAM-SHA-1": partial(_scram, digest="sha1"),
    "SCRAM-SHA-256": partial(_scram, digest="sha256"),
    "SCRAM-SHA-1-PLUS": partial(_scram, digest="sha1", plus=True),
    "SCRAM-SHA-256-PLUS": partial(_scram, digest="sha256", plus=True),
    "XOAUTH2": _xoauth2,
    "OAUTHBEARER": _oauthbearer,
}
