"""How a password locks a private key or a part of a store, and how often it is hashed for that.

RFC 8018 (PBES1, PBES2, PBKDF2), RFC 7914 (scrypt) and RFC 7292, appendices B and C (PKCS#12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .ber import INTEGER, OBJECT, SEQUENCE, Element, Malformed
from .rc2 import decrypt_rc2

__all__ = ["RSA", "Lock", "function_of", "lock_of", "parts_of"]

#: What the identifiers of RSA's standards begin with, 1.2.840.113549.
RSA = bytes.fromhex("2a864886f70d")
_PBES1 = tuple(RSA + bytes((1, 5, number)) for number in (1, 3, 4, 6, 10, 11))
_PBES2, _PBKDF2 = RSA + b"\x01\x05\x0d", RSA + b"\x01\x05\x0c"
_SCRYPT = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_OF_PKCS12 = RSA + b"\x01\x0c\x01"
_DIGESTS = {
    RSA + bytes((2, number)): name
    for number, name in ((7, "sha1"), (8, "sha224"), (9, "sha256"), (10, "sha384"), (11, "sha512"))
}
_AES = {
    bytes.fromhex(f"6086480165030401{number:02x}"): size
    for number, size in ((0x02, 16), (0x16, 24), (0x2A, 32))
}
_TRIPLE_DES = RSA + b"\x03\x07"
_UNKNOWN = "it is encrypted in a way that is not known here"
# RC2 takes its time here, and chains of certificates have some kilobytes.
_MOST_OF_RC2 = 1 << 18


class Lock(NamedTuple):
    """What an algorithm says of itself."""

    #: How often the password is hashed.
    rounds: int
    #: Gives what may have been locked, for a password; several, where programs differ in what an
    #: empty password is. `Malformed` says that it cannot be.
    opened: Callable[[bytes, str], Iterator[bytes]]


class _Function(NamedTuple):
    """How a key is made of a password."""

    rounds: int
    #: Gives a key of so many bytes.
    derive: Callable[[bytes, int], bytes]


def parts_of(element: Element, least: int) -> list[Element]:
    """Give the parts of a sequence that has so many at least.

    Raises:
        Malformed: it has not, or is none.
    """
    parts = element.of(SEQUENCE).parts
    if len(parts) < least:
        raise Malformed("something is missing")
    return parts


def lock_of(algorithm: Element) -> Lock:
    """Read the algorithm of something that a password locks.

    Raises:
        Malformed: it is not one of those that are known here.
    """
    identifier, parameters, *_ = parts_of(algorithm, 2)
    name = identifier.of(OBJECT).content
    if name == _PBES2:
        return _of_pbes2(*parts_of(parameters, 2)[:2])
    if name in _PBES1 or name[:-1] == _OF_PKCS12:
        salt, rounds, *_ = parts_of(parameters, 2)
        return _of_pkcs12(name, salt.octets(), rounds.number)
    raise Malformed(_UNKNOWN)


def function_of(algorithm: Element) -> _Function:
    """Read how a key is made of a password.

    Raises:
        Malformed: it is not one of those that are known here.
    """
    identifier, parameters, *_ = parts_of(algorithm, 2)
    name = identifier.of(OBJECT).content
    if name == _SCRYPT:
        salt, *costs = parts_of(parameters, 4)
        n, r, p = (cost.number for cost in costs[:3])
        if min(n, r, p) < 1:
            raise Malformed("a cost of scrypt is not positive")
        return _Function(n * r * p, _scrypt(salt.octets(), n, r, p))
    if name != _PBKDF2:
        raise Malformed(_UNKNOWN)
    salt, rounds, *more = parts_of(parameters, 2)
    kinds = [one.parts[0].of(OBJECT).content for one in more if one.tag == SEQUENCE]
    digest = _DIGESTS.get(kinds[0]) if kinds else "sha1"
    lengths = [one.number for one in more if one.tag == INTEGER]
    # OpenSSL 3.4 to 3.6 wrote longer ones beyond their place, CVE-2025-11187.
    if any(not 0 < length <= 64 for length in lengths):
        raise Malformed("a key is too long")
    return _Function(rounds.number, _pbkdf2(digest, salt.octets(), rounds.number))


# --- opening --------------------------------------------------------------------------------------


def _of_pbes2(function: Element, cipher: Element) -> Lock:
    made = function_of(function)

    def opened(encrypted: bytes, password: str) -> Iterator[bytes]:
        identifier, vector, *_ = parts_of(cipher, 2)
        name = identifier.of(OBJECT).content
        opening, size = (_triple_des, 24) if name == _TRIPLE_DES else (_aes, _AES.get(name, 0))
        if not size:
            raise Malformed(_UNKNOWN)
        key = made.derive(password.encode(), size)
        yield _decrypt(opening, key, vector.octets(), encrypted)

    return Lock(made.rounds, opened)


def _of_pkcs12(name: bytes, salt: bytes, rounds: int) -> Lock:
    def opened(encrypted: bytes, password: str) -> Iterator[bytes]:
        if name[:-1] != _OF_PKCS12 or name[-1] not in _CIPHERS:
            raise Malformed(_UNKNOWN)
        cipher, size = _CIPHERS[name[-1]]
        if cipher is decrypt_rc2 and len(encrypted) > _MOST_OF_RC2:
            raise Malformed("too much of it is encrypted with RC2")
        secrets = [password.encode("utf-16-be") + b"\0\0", *([] if password else [b""])]
        for secret in secrets:
            key, vector = (
                _hash_for_pkcs12(secret, salt, rounds, purpose, length)
                for purpose, length in ((1, size), (2, 8))
            )
            yield _decrypt(cipher, key, vector, encrypted)

    return Lock(rounds, opened)


def _decrypt(
    cipher: Callable[[bytes, bytes, bytes], bytes], key: bytes, vector: bytes, encrypted: bytes
) -> bytes:
    block = len(vector)
    if block not in (8, 16) or not encrypted or len(encrypted) % block:
        raise Malformed("it does not consist of whole blocks")
    # The padding stays: what was locked says itself where it ends.
    return cipher(key, vector, encrypted)


def _aes(key: bytes, vector: bytes, encrypted: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import algorithms

    return _in_cbc(algorithms.AES(key), vector, encrypted)


def _triple_des(key: bytes, vector: bytes, encrypted: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers import algorithms

    return _in_cbc(algorithms.TripleDES((key + key[:8])[:24]), vector, encrypted)


def _in_cbc(cipher: object, vector: bytes, encrypted: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    try:
        opening = Cipher(cipher, modes.CBC(vector)).decryptor()  # type: ignore[arg-type]
    except ValueError as error:
        raise Malformed(str(error)) from None
    return opening.update(encrypted) + opening.finalize()


#: By the last number of PKCS#12's own algorithms: the cipher, and the bytes of its key.
_CIPHERS = {
    3: (_triple_des, 24),
    4: (_triple_des, 16),
    5: (decrypt_rc2, 16),
    6: (decrypt_rc2, 5),
}


# --- keys -----------------------------------------------------------------------------------------


def _pbkdf2(digest: str | None, salt: bytes, rounds: int) -> Callable[[bytes, int], bytes]:
    def derive(password: bytes, size: int) -> bytes:
        if digest is None:
            raise Malformed(_UNKNOWN)
        return hashlib.pbkdf2_hmac(digest, password, salt, rounds, size)

    return derive


def _scrypt(salt: bytes, n: int, r: int, p: int) -> Callable[[bytes, int], bytes]:
    def derive(password: bytes, size: int) -> bytes:
        try:
            return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, dklen=size)
        except (ValueError, OverflowError) as error:
            raise Malformed(f"its costs of scrypt are too high: {error}") from None

    return derive


def _hash_for_pkcs12(secret: bytes, salt: bytes, rounds: int, purpose: int, size: int) -> bytes:
    """Make a key or vector as PKCS#12 does, with SHA-1. RFC 7292, appendix B.2."""
    block, derived = 64, b""
    start = bytes([purpose]) * block
    filled = _repeated(salt, block) + _repeated(secret, block)
    while len(derived) < size:
        hashed = hashlib.sha1(start + filled, usedforsecurity=False).digest()
        for _ in range(rounds - 1):
            hashed = hashlib.sha1(hashed, usedforsecurity=False).digest()
        derived += hashed
        added = int.from_bytes(_repeated(hashed, block)[:block], "big") + 1
        filled = b"".join(
            (int.from_bytes(filled[at : at + block], "big") + added).to_bytes(block + 1, "big")[1:]
            for at in range(0, len(filled), block)
        )
    return derived[:size]


def _repeated(text: bytes, block: int) -> bytes:
    """Repeat it until it fills whole blocks."""
    size = -(-len(text) // block) * block
    return (text * (size // max(1, len(text)) + 1))[:size]
