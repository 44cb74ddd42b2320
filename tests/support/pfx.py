"""PKCS#12 files and encrypted keys as nobody's program writes them. RFC 7292, RFC 8018."""

from __future__ import annotations

__all__ = [
    "Der",
    "bag",
    "bags",
    "code",
    "code_by_pbkdf2",
    "explicit",
    "number",
    "octets",
    "oid",
    "of_pkcs12",
    "pbes2",
    "pbkdf2",
    "scrypt",
    "sealed",
    "sequence",
    "shrouded",
    "store",
    "unlocked",
]

Der = bytes
_RSA = "2a864886f70d01"
PBKDF2, SCRYPT = _RSA + "050c", "2b06010401da47040b"
AES_256_CBC, SHA256 = "60864801650304012a", "608648016503040201"
_HMAC_SHA256 = "2a864886f70d0209"
_SALT = bytes(range(16))
_VECTOR = bytes(16)


def element(tag: int, content: bytes) -> Der:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: Der) -> Der:
    return element(0x30, b"".join(parts))


def number(value: int) -> Der:
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> Der:
    return element(0x04, content)


def oid(identifier: str) -> Der:
    return element(0x06, bytes.fromhex(identifier))


def explicit(content: Der) -> Der:
    return element(0xA0, content)


# --- algorithms -----------------------------------------------------------------------------------


def pbkdf2(rounds: int, *more: Der) -> Der:
    function = sequence(oid(_HMAC_SHA256), element(0x05, b""))
    return sequence(oid(PBKDF2), sequence(octets(_SALT), number(rounds), *more, function))


def scrypt(n: int, r: int, p: int) -> Der:
    return sequence(oid(SCRYPT), sequence(octets(_SALT), *(number(cost) for cost in (n, r, p))))


def of_pkcs12(kind: int, rounds: int) -> Der:
    """Write one of PKCS#12's own algorithms: 3 and 4 are 3DES, 5 and 6 RC2, 1 and 2 RC4."""
    return sequence(oid(f"{_RSA}0c01{kind:02x}"), sequence(octets(_SALT), number(rounds)))


def pbes2(function: Der) -> Der:
    cipher = sequence(oid(AES_256_CBC), octets(_VECTOR))
    return sequence(oid(_RSA + "050d"), sequence(function, cipher))


# --- stores ---------------------------------------------------------------------------------------


def bag(kind: int, content: Der) -> Der:
    return sequence(oid(f"{_RSA}0c0a01{kind:02x}"), explicit(content))


def bags(*inner: Der) -> Der:
    """Write a bag of bags."""
    return bag(6, sequence(*inner))


def shrouded(algorithm: Der, encrypted: bytes = b"x" * 32) -> Der:
    """Write a bag with an encrypted key."""
    return bag(2, sequence(algorithm, octets(encrypted)))


def unlocked(*bags: Der) -> Der:
    """Write a safe that anyone can look into."""
    return sequence(oid(_RSA + "0701"), explicit(octets(sequence(*bags))))


def sealed(algorithm: Der, encrypted: bytes) -> Der:
    """Write a safe that is encrypted."""
    content = sequence(oid(_RSA + "0701"), algorithm, element(0x80, encrypted))
    return sequence(oid(_RSA + "0706"), explicit(sequence(number(0), content)))


def code(rounds: int | None) -> Der:
    """Write what shows that the password is right; it does not fit."""
    digest = sequence(sequence(oid(SHA256), element(0x05, b"")), octets(bytes(32)))
    return sequence(digest, octets(_SALT), *([] if rounds is None else [number(rounds)]))


def code_by_pbkdf2(rounds: int, *length: int) -> Der:
    """Write a code of RFC 9579; it does not fit either."""
    function = pbkdf2(rounds, *(number(one) for one in length))
    algorithm = sequence(oid(_RSA + "050e"), sequence(function, sequence(oid(_HMAC_SHA256))))
    return sequence(sequence(algorithm, octets(bytes(32))), octets(_SALT), number(1))


def store(*safes: Der, code: Der = b"") -> Der:
    """Write a PKCS#12 file."""
    content = sequence(oid(_RSA + "0701"), explicit(octets(sequence(*safes))))
    return sequence(number(3), content, code)
