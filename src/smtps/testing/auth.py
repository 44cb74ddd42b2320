"""The server's side of SASL: PLAIN (RFC 4616) and LOGIN."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["MECHANISMS", "Ask", "Mechanism"]

#: Send a challenge and give the client's answer, both decoded.
Ask = Callable[[bytes], bytes]
#: Find out who the client is; None if it did not prove it.
Mechanism = Callable[[bytes | None, Ask, Mapping[str, str]], str | None]


def _plain(initial: bytes | None, ask: Ask, users: Mapping[str, str]) -> str | None:
    response = ask(b"") if initial is None else initial
    parts = response.split(b"\0")
    if len(parts) != 3:
        return None
    _, user, password = parts
    return _known(user, password, users)


def _login(initial: bytes | None, ask: Ask, users: Mapping[str, str]) -> str | None:
    user = ask(b"Username:") if initial is None else initial
    return _known(user, ask(b"Password:"), users)


def _known(user: bytes, password: bytes, users: Mapping[str, str]) -> str | None:
    for name, secret in users.items():
        if (name.encode(), secret.encode()) == (user, password):
            return name
    return None


MECHANISMS: dict[str, Mechanism] = {"PLAIN": _plain, "LOGIN": _login}
