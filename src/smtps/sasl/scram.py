"""SCRAM: both sides prove that they know the password without saying it. RFC 5802 and 7677.

With -PLUS the proof also covers the TLS connection, so that nobody in the middle can pass it on.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import secrets
from collections.abc import Generator
from typing import NoReturn

from ..errors import AuthenticationRefused, BadValue
from .credentials import Credentials, Responses, broken, said
from .saslprep import saslprep

__all__ = ["MOST_ITERATIONS", "scram"]

# RFC 5802 5.1 and RFC 7677 4: fewer make it cheap to try passwords on a stolen exchange.
_FEWEST_ITERATIONS = 4096
#: More would let a server keep the processor busy; this many take a fraction of a second.
MOST_ITERATIONS = 600_000
_LONGEST_ERROR = 80


def scram(
    credentials: Credentials, digest: str, *, plus: bool = False, nonce: str = ""
) -> Responses:
    """Prove the password, and let the server prove that it knows it too.

    Args:
        digest: the hash, "sha1" or "sha256".
        plus: whether to bind to `credentials.binding`.
        nonce: printable characters without a comma; empty makes a random one.
    """
    nonce = nonce or secrets.token_urlsafe(24)
    header = _header(credentials, plus=plus)
    first = f"n={_escaped(saslprep('user', credentials.user))},r={nonce}"
    answer = said((yield (header + first).encode()))
    if answer.startswith("e="):
        yield from _refused(answer[2:])
    whole_nonce, salt, iterations = _read_first(answer, nonce)
    bound = header.encode()
    if plus and credentials.binding is not None:
        bound += credentials.binding.data
    final = f"c={_base64(bound)},r={whole_nonce}"
    message = f"{first},{answer},{final}".encode()
    proof, signature = _prove(credentials, digest, salt, iterations, message)
    verdict = said((yield f"{final},p={_base64(proof)}".encode()))
    if verdict.startswith("e="):
        yield from _refused(verdict[2:])
    _check_verdict(verdict, signature)
    yield b""


def _header(credentials: Credentials, *, plus: bool) -> str:
    """Give the GS2 header: whether the connection is bound, and as whom to act."""
    flag = "y" if credentials.knows_binding else "n"
    if plus:
        if credentials.binding is None:
            raise BadValue("auth_mechanism", "channel binding needs TLS")
        flag = f"p={credentials.binding.kind}"
    authorization = ""
    if credentials.authorization:
        name = saslprep("authorization_identity", credentials.authorization)
        authorization = f"a={_escaped(name)}"
    return f"{flag},{authorization},"


def _escaped(name: str) -> str:
    return name.replace("=", "=3D").replace(",", "=2C")


def _read_first(text: str, nonce: str) -> tuple[str, bytes, int]:
    """Take the server's nonce, salt and iteration count, in this order. RFC 5802, section 7."""
    parts = text.split(",")
    if parts[0].startswith("m="):
        raise broken("the server demands an extension of SCRAM that this side does not know")
    if len(parts) < 3 or [part[:2] for part in parts[:3]] != ["r=", "s=", "i="]:
        raise broken("the challenge is not one of SCRAM")
    whole_nonce, salt, count = (part[2:] for part in parts[:3])
    if not whole_nonce.startswith(nonce) or len(whole_nonce) <= len(nonce):
        raise broken("the server's nonce does not continue ours, so the exchange may be a replay")
    if not (count.isascii() and count.isdecimal() and len(count) < 11):
        raise broken("the iteration count is not a number")
    iterations = int(count)
    if not _FEWEST_ITERATIONS <= iterations <= MOST_ITERATIONS:
        raise broken(
            f"{iterations} iterations are not between {_FEWEST_ITERATIONS} and {MOST_ITERATIONS}"
        )
    return whole_nonce, _from_base64(salt, "the salt"), iterations


def _prove(
    credentials: Credentials, digest: str, salt: bytes, iterations: int, message: bytes
) -> tuple[bytes, bytes]:
    """Give the client's proof, and the signature that the server has to show. Section 3."""
    salted = hashlib.pbkdf2_hmac(
        digest, saslprep("password", credentials.password).encode(), salt, iterations
    )
    client_key = hmac.digest(salted, b"Client Key", digest)
    stored_key = hashlib.new(digest, client_key).digest()
    client_signature = hmac.digest(stored_key, message, digest)
    proof = bytes(a ^ b for a, b in zip(client_key, client_signature, strict=True))
    server_key = hmac.digest(salted, b"Server Key", digest)
    return proof, hmac.digest(server_key, message, digest)


def _check_verdict(verdict: str, signature: bytes) -> None:
    value = verdict.split(",")[0]
    if not value.startswith("v="):
        raise broken("the server does not prove that it knows the password")
    if not hmac.compare_digest(_from_base64(value[2:], "the proof"), signature):
        raise broken("the server's proof is wrong: it does not know the password")


def _refused(reason: str) -> Generator[bytes, bytes | None, NoReturn]:
    """Let the server end the exchange that it refused, and keep why."""
    shown = "".join(character for character in reason[:_LONGEST_ERROR] if character.isprintable())
    try:
        yield b""
    except AuthenticationRefused as refused:
        refused.explain(shown)
        raise
    raise broken(f"the server accepted what it had refused ({shown})")


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _from_base64(text: str, what: str) -> bytes:
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        data = b""
    if not data:
        raise broken(f"{what} is not base64")
    return data
