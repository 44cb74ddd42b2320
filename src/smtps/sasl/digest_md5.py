"""DIGEST-MD5: hashes of the password and nonces of both sides. RFC 2831, historic by RFC 6331.

The server proves that it knows the password's hash too. Only authentication is negotiated, no
security layer: that is what TLS is for.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from ..errors import BadValue
from .credentials import Credentials, Responses, broken, said

__all__ = ["digest_md5"]

# RFC 2831 2.1.1 and 2.1.3.
_LONGEST_CHALLENGE = 2048
_SPACE = " \t\r\n"


def digest_md5(credentials: Credentials, *, nonce: str = "", service: str = "smtp") -> Responses:
    """Answer the challenge, and check the server's answer to ours.

    Args:
        nonce: printable ASCII; empty makes a random one.
    """
    challenge = yield None
    directives = _parse(said(challenge))
    server_nonce, realm = _check(directives), _realm(directives, credentials.user)
    if "charset" not in directives and not _is_narrow(server_nonce + realm):
        raise broken("the challenge is not ISO 8859-1, and names no other character set")
    answer = {
        "realm": realm,
        "nonce": server_nonce,
        "cnonce": nonce or secrets.token_urlsafe(24),
        "nc": "00000001",
        "qop": "auth",
        "digest-uri": f"{service}/{credentials.host}",
    }
    if credentials.authorization:
        answer["authzid"] = credentials.authorization
    response, expected = _prove(credentials, answer)
    fields = [
        f"username={_quoted(credentials.user)}",
        *(f"{name}={value if name in ('nc', 'qop') else _quoted(value)}"
          for name, value in answer.items()),
        f"response={response}",
    ]  # fmt: skip
    if "charset" in directives:
        fields.append("charset=utf-8")
    verdict = _parse(said((yield _encoded(",".join(fields), "charset" in directives))))
    if not hmac.compare_digest(verdict.get("rspauth", [""])[0].encode(), expected.encode()):
        raise broken("the server's proof is missing or wrong: it does not know the password")
    yield b""


def _check(directives: dict[str, list[str]]) -> str:
    """Give the nonce of a challenge that can be answered. RFC 2831, section 2.1.1."""
    if len(directives.get("nonce", ())) != 1:
        raise broken("the challenge has not exactly one nonce")
    if [name.lower() for name in directives.get("algorithm", ())] != ["md5-sess"]:
        raise broken("the challenge does not name the algorithm md5-sess once")
    offered = directives.get("qop", ["auth"])[0]
    if "auth" not in [name.strip(_SPACE).lower() for name in offered.split(",")]:
        raise broken("the server wants a security layer, which TLS is for")
    if [name.lower() for name in directives.get("charset", ["utf-8"])] != ["utf-8"]:
        raise broken("the challenge names a character set other than utf-8")
    return directives["nonce"][0]


def _realm(directives: dict[str, list[str]], user: str) -> str:
    """Choose the realm: the user's domain where the server offers it, else the server's first."""
    offered = directives.get("realm", [""])
    domain = user.rpartition("@")[2]
    return domain if domain in offered else offered[0]


def _prove(credentials: Credentials, answer: dict[str, str]) -> tuple[str, str]:
    """Give our response and the one that the server has to show. RFC 2831, section 2.1.2.1."""
    secret = _md5(
        b":".join(map(_narrow, (credentials.user, answer["realm"], credentials.password)))
    )
    first = [secret, answer["nonce"].encode(), answer["cnonce"].encode()]
    if credentials.authorization:
        first.append(credentials.authorization.encode())
    session_key = _md5(b":".join(first)).hex()
    middle = ":".join(answer[name] for name in ("nonce", "nc", "cnonce", "qop"))

    def digest(method: str) -> str:
        target = _md5(f"{method}:{answer['digest-uri']}".encode()).hex()
        return _md5(f"{session_key}:{middle}:{target}".encode()).hex()

    return digest("AUTHENTICATE"), digest("")


def _encoded(text: str, utf8: bool) -> bytes:
    try:
        return text.encode("utf-8" if utf8 else "latin-1")
    except UnicodeEncodeError:
        raise BadValue("user", "this server's DIGEST-MD5 takes ISO 8859-1 only") from None


def _is_narrow(text: str) -> bool:
    return all(character <= "\xff" for character in text)


def _narrow(text: str) -> bytes:
    # RFC 2831 2.1.2.1: what fits ISO 8859-1 is hashed in it, also where it is sent as UTF-8.
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _parse(text: str) -> dict[str, list[str]]:
    """Read `name=value, name="value"`; a name may come again. One pass, no backtracking."""
    if len(text) > _LONGEST_CHALLENGE:
        raise broken("the challenge is longer than 2,048 bytes")
    found: dict[str, list[str]] = {}
    place, end = 0, len(text)
    while True:
        while place < end and text[place] in _SPACE + ",":
            place += 1
        if place == end:
            return found
        equals = text.find("=", place)
        if equals < 0:
            raise broken("the challenge is not one of DIGEST-MD5")
        name = text[place:equals].strip(_SPACE).lower()
        value, place = _value(text, equals + 1)
        found.setdefault(name, []).append(value)


def _value(text: str, place: int) -> tuple[str, int]:
    """Read one value, and give the place behind it."""
    while place < len(text) and text[place] in _SPACE:
        place += 1
    if not text.startswith('"', place):
        comma = text.find(",", place)
        stop = len(text) if comma < 0 else comma
        return text[place:stop].strip(_SPACE), stop
    characters = []
    place += 1
    while place < len(text) and text[place] != '"':
        place += text[place] == "\\"
        characters.append(text[place : place + 1])
        place += 1
    if place >= len(text):
        raise broken("a quotation in the challenge has no end")
    return "".join(characters), place + 1
