"""How long it takes to open a private key or a store: they say so themselves.

Whoever made one may ask for two thousand million rounds of hashing, which are hours in which
nothing can be interrupted. So the rounds are counted first, and those that a store hides in
an encrypted part too. RFC 5958 (keys), RFC 7292 (PKCS#12) and RFC 9579 (PBMAC1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .ber import OBJECT, SEQUENCE, Element, Malformed, read
from .errors import BadValue
from .locks import RSA, Lock, function_of, lock_of, parts_of

__all__ = ["MOST_ROUNDS", "Unopened", "check_rounds", "rounds_of_key", "rounds_of_store"]

#: So many rounds may all keys and codes of one store take, which are seconds. Programs write 2,048
#: to 600,000 for each.
MOST_ROUNDS = 5_000_000

_PBMAC1 = RSA + b"\x01\x05\x0e"
_DATA, _ENCRYPTED_DATA = RSA + b"\x01\x07\x01", RSA + b"\x01\x07\x06"
_SHROUDED_KEY, _BAGS = (RSA + bytes((1, 12, 10, 1, number)) for number in (2, 6))
_EXPLICIT, _IMPLICIT = 0xA0, 0x80
_DEEPEST = 8


class Unopened(ValueError):
    """The password does not open a part of the store."""


class _Sealed(NamedTuple):
    """An encrypted part of a store."""

    lock: Lock
    encrypted: bytes


def check_rounds(field: str, what: str, rounds: Iterator[int]) -> None:
    """Refuse what would take too long to open.

    Args:
        what: names it in the error: a path, or what kind of content.
        rounds: those of each lock, in the order in which they become known.

    Raises:
        BadValue: error 271.
        Malformed, Unopened: they cannot be known.
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
    yield _lock_of_key(read(der)).rounds


def rounds_of_store(der: bytes, password: str) -> Iterator[int]:
    """Give the rounds of each part of a PKCS#12 file. RFC 7292, section 4.

    An encrypted part is opened when the next ones are asked for, as others may be inside.

    Raises:
        Malformed: it is none, or something in it is encrypted in a way that is not known here.
        Unopened: an encrypted part does not open.
    """
    version, content, *codes = parts_of(read(der), 2)
    if version.number != 3:
        raise Malformed(f"it is of version {version.number}, and not 3")
    for code in codes:
        yield _rounds_of_code(code)
    kind, safes = _tagged(content)
    if kind != _DATA:
        raise Malformed("it is signed by a key, and not by a password")
    sealed = []
    for safe in read(safes.octets()).of(SEQUENCE).parts:
        kind, content = _tagged(safe)
        if kind == _DATA:
            yield from _rounds_of_bags(read(content.octets()))
        elif kind == _ENCRYPTED_DATA:
            part = _sealed(content)
            yield part.lock.rounds
            sealed.append(part)
        else:
            raise Malformed("a part of it is not encrypted by a password")
    for part in sealed:
        yield from _rounds_inside(part, password)


def _rounds_of_bags(bags: Element, depth: int = 0) -> Iterator[int]:
    for bag in bags.of(SEQUENCE).parts:
        kind, content = _tagged(bag)
        if kind == _SHROUDED_KEY:
            yield _lock_of_key(content).rounds
        elif kind == _BAGS:
            if depth == _DEEPEST:
                raise Malformed("its parts are too deep in one another")
            yield from _rounds_of_bags(content, depth + 1)


def _rounds_inside(part: _Sealed, password: str) -> list[int]:
    for plain in part.lock.opened(part.encrypted, password):
        try:
            return list(_rounds_of_bags(read(plain)))
        except Malformed:
            continue
    raise Unopened


def _rounds_of_code(code: Element) -> int:
    """Give the rounds of what shows that the password is right."""
    digest, _, *rounds = parts_of(code, 2)
    algorithm = parts_of(digest, 2)[0]
    identifier, *parameters = parts_of(algorithm, 1)
    if identifier.of(OBJECT).content == _PBMAC1:
        if not parameters:
            raise Malformed("something is missing")
        return function_of(parts_of(parameters[0], 2)[0]).rounds
    return rounds[0].number if rounds else 1


def _lock_of_key(key: Element) -> Lock:
    return lock_of(parts_of(key, 2)[0])


def _sealed(content: Element) -> _Sealed:
    _, inner, *_ = parts_of(content, 2)
    _, algorithm, *encrypted = parts_of(inner, 2)
    return _Sealed(lock_of(algorithm), encrypted[0].octets(_IMPLICIT) if encrypted else b"")


def _tagged(element: Element) -> tuple[bytes, Element]:
    """Give the identifier of a value, and the value itself, which is tagged."""
    identifier, tagged, *_ = parts_of(element, 2)
    values = tagged.of(_EXPLICIT).parts
    if len(values) != 1:
        raise Malformed("something is missing")
    return identifier.of(OBJECT).content, values[0]
