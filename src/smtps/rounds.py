"""How long it takes to open a private key or a store: they say so themselves.

Whoever made one may ask for two thousand million rounds of hashing, which are hours in which
nothing can be interrupted. So the rounds are counted first. RFC 5958 (keys), RFC 7292 (PKCS#12),
RFC 8018 (PBES1, PBES2, PBKDF2), RFC 7914 (scrypt) and RFC 9579 (PBMAC1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .ber import INTEGER, OBJECT, SEQUENCE, Element, Malformed, read
from .errors import BadValue

__all__ = ["MOST_ROUNDS", "check_rounds", "rounds_of_key", "rounds_of_store"]

#: So many rounds may all keys and codes of one store take, which are seconds. Programs write 2,048
#: to 600,000 for each.
MOST_ROUNDS = 5_000_000

#: What the identifiers of RSA's standards begin with, 1.2.840.113549.
_RSA = bytes.fromhex("2a864886f70d")
_PBES1 = tuple(_RSA + bytes((1, 5, number)) for number in (1, 3, 4, 6, 10, 11))
_PBES2, _PBKDF2 = _RSA + b"\x01\x05\x0d", _RSA + b"\x01\x05\x0c"
_SCRYPT = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_OF_PKCS12 = _RSA + b"\x01\x0c\x01"
_PBMAC1 = _RSA + b"\x01\x05\x0e"
_DATA, _ENCRYPTED_DATA = _RSA + b"\x01\x07\x01", _RSA + b"\x01\x07\x06"
_SHROUDED_KEY, _BAGS = (_RSA + bytes((1, 12, 10, 1, number)) for number in (2, 6))
_EXPLICIT = 0xA0
_DEEPEST = 8


def check_rounds(field: str, what: str, rounds: Iterable[int]) -> None:
    """Refuse what would take too long to open.

    Args:
        what: names it in the error: a path, or what kind of content.
        rounds: those of each part.

    Raises:
        BadValue: error 271.
        Malformed: they cannot be known.
    """
    total = 0
    for count in rounds:
        if count < 1:
            raise Malformed(f"it asks for {count} rounds of hashing")
        total += count
        if total > MOST_ROUNDS:
            raise BadValue(
                field,
                f"{what} asks for {total:,} rounds of hashing before it opens, and no more than"
                f" {MOST_ROUNDS:,} are done; if you trust it, write it again with fewer (openssl"
                " pkcs12 -in OLD -nodes | openssl pkcs12 -export -iter 100000 -out NEW; a key"
                " alone by openssl pkcs8 -topk8 -iter 100000)",
                code=271,
            )


def rounds_of_key(der: bytes) -> Iterator[int]:
    """Give the rounds of an encrypted private key. RFC 5958, section 3.

    Raises:
        Malformed: it is none, or is encrypted in a way that is not known here.
    """
    yield _of_key(read(der))


def rounds_of_store(der: bytes) -> Iterator[int]:
    """Give the rounds of each part of a PKCS#12 file. RFC 7292, section 4.

    What an encrypted part holds is not seen: its own rounds are counted, and not those of a key
    that was encrypted again inside it.

    Raises:
        Malformed: it is none, or something in it is encrypted in a way that is not known here.
    """
    version, content, *codes = _parts(read(der), 2)
    if version.number != 3:
        raise Malformed(f"it is of version {version.number}, and not 3")
    for code in codes:
        yield _of_code(code)
    kind, safes = _tagged(content)
    if kind != _DATA:
        raise Malformed("it is signed by a key, and not by a password")
    for safe in read(safes.octets()).of(SEQUENCE).parts:
        kind, content = _tagged(safe)
        if kind == _DATA:
            yield from _of_bags(read(content.octets()))
        elif kind == _ENCRYPTED_DATA:
            _, inner, *_ = _parts(content, 2)
            _, algorithm, *_ = _parts(inner, 2)
            yield _of_algorithm(algorithm)
        else:
            raise Malformed("a part of it is not encrypted by a password")


def _of_bags(bags: Element, depth: int = 0) -> Iterator[int]:
    for bag in bags.of(SEQUENCE).parts:
        kind, content = _tagged(bag)
        if kind == _SHROUDED_KEY:
            yield _of_key(content)
        elif kind == _BAGS:
            if depth == _DEEPEST:
                raise Malformed("its parts are too deep in one another")
            yield from _of_bags(content, depth + 1)


def _of_code(code: Element) -> int:
    """Give the rounds of what shows that the password is right."""
    digest, _, *rounds = _parts(code, 2)
    algorithm = _parts(digest, 2)[0]
    identifier, *parameters = _parts(algorithm, 1)
    if identifier.of(OBJECT).content == _PBMAC1:
        if not parameters:
            raise Malformed("something is missing")
        return _of_function(_parts(parameters[0], 2)[0])
    return rounds[0].number if rounds else 1


def _of_key(key: Element) -> int:
    return _of_algorithm(_parts(key, 2)[0])


def _of_algorithm(algorithm: Element) -> int:
    """Give the rounds of something that a password encrypts."""
    identifier, parameters, *_ = _parts(algorithm, 2)
    name = identifier.of(OBJECT).content
    if name == _PBES2:
        return _of_function(_parts(parameters, 2)[0])
    if name in _PBES1 or name[:-1] == _OF_PKCS12:
        return _parts(parameters, 2)[1].number
    raise Malformed("it is encrypted in a way that is not known here")


def _of_function(algorithm: Element) -> int:
    """Give the rounds in which a key is made of a password."""
    identifier, parameters, *_ = _parts(algorithm, 2)
    name = identifier.of(OBJECT).content
    if name == _SCRYPT:
        _, *costs = _parts(parameters, 4)
        n, r, p = (cost.number for cost in costs[:3])
        if min(n, r, p) < 1:
            raise Malformed("a cost of scrypt is not positive")
        return n * r * p
    if name != _PBKDF2:
        raise Malformed("it is encrypted in a way that is not known here")
    _, rounds, *more = _parts(parameters, 2)
    # OpenSSL 3.4 to 3.6 wrote longer keys beyond their place, CVE-2025-11187.
    if any(not 0 < one.number <= 64 for one in more if one.tag == INTEGER):
        raise Malformed("a key is too long")
    return rounds.number


def _parts(element: Element, least: int) -> list[Element]:
    """Give the parts of a sequence that has so many at least."""
    parts = element.of(SEQUENCE).parts
    if len(parts) < least:
        raise Malformed("something is missing")
    return parts


def _tagged(element: Element) -> tuple[bytes, Element]:
    """Give the identifier of a value, and the value itself, which is tagged."""
    identifier, tagged, *_ = _parts(element, 2)
    values = tagged.of(_EXPLICIT).parts
    if len(values) != 1:
        raise Malformed("something is missing")
    return identifier.of(OBJECT).content, values[0]
