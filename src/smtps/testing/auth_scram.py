"""The server's side of SCRAM, with and without channel binding. RFC 5802, sections 3 and 5."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping

__all__ = ["scram"]

_ROUNDS = 4096


def scram(
    first: bytes,
    ask: Callable[[bytes], bytes],
    users: Mapping[str, str],
    digest: str,
    bindings: Mapping[str, bytes],
) -> str | None:
    """Find out who the client is, and prove that the server knows the password.

    Args:
        bindings: what a client may bind to; empty for the mechanisms without -PLUS.
    """
    flag, authorization, bare = first.decode().split(",", 2)
    header = f"{flag},{authorization},".encode()
    if flag.startswith("p=") != bool(bindings):
        return None
    bound = bindings.get(flag[2:], b"") if bindings else b""
    if bindings and not bound:
        ask(b"e=unsupported-channel-binding-type")
        return None
    attributes = _attributes(bare)
    user = attributes["n"].replace("=2C", ",").replace("=3D", "=")
    nonce = attributes["r"] + secrets.token_hex(8)
    salt = secrets.token_bytes(16)
    challenge = f"r={nonce},s={base64.b64encode(salt).decode()},i={_ROUNDS}"
    final = ask(challenge.encode()).decode()
    unproven, _, proof = final.rpartition(",p=")
    attributes = _attributes(unproven)
    message = ",".join((bare, challenge, unproven)).encode()
    salted = hashlib.pbkdf2_hmac(digest, users.get(user, "").encode(), salt, _ROUNDS)
    client_key = hmac.new(salted, b"Client Key", digest).digest()
    signature = hmac.new(hashlib.new(digest, client_key).digest(), message, digest).digest()
    given = bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature, strict=True))
    if base64.b64decode(attributes["c"]) != header + bound:
        ask(b"e=channel-bindings-dont-match")
        return None
    if user not in users or given != client_key or attributes["r"] != nonce:
        ask(b"e=invalid-proof")
        return None
    server_key = hmac.new(salted, b"Server Key", digest).digest()
    verdict = base64.b64encode(hmac.new(server_key, message, digest).digest())
    return user if ask(b"v=" + verdict) == b"" else None


def _attributes(text: str) -> dict[str, str]:
    return {part[0]: part[2:] for part in text.split(",") if part[1:2] == "="}
