"""Private keys in PEM, which may be encrypted: opened only if that takes seconds at most."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Iterator
from typing import Any

from .ber import Malformed
from .rounds import check_rounds, rounds_of_key

__all__ = ["PEM_KEY", "open_key", "rounds_of_pem"]

#: A private key of any kind, and which.
PEM_KEY = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]+ )?PRIVATE KEY)-----\s(.*?)-----END \1-----", re.DOTALL
)
_ENCRYPTED = b"ENCRYPTED PRIVATE KEY"


def open_key(field: str, pem: bytes, password: bytes | None, what: str = "the key") -> Any:
    """Open the first private key of a PEM file, for the `cryptography` package.

    Args:
        what: names it in the error of a key that takes too long.

    Raises:
        BadValue: error 271, hashing the password as often as it asks for takes too long.
        ValueError, TypeError, UnsupportedAlgorithm: as `cryptography` says; or there is none.
    """
    from cryptography.hazmat.primitives.serialization import (
        load_der_private_key,
        load_pem_private_key,
    )

    found = PEM_KEY.search(pem)
    if found is None:
        raise ValueError("there is no PRIVATE KEY in it")
    if found[1] != _ENCRYPTED:
        return load_pem_private_key(found[0], password)
    check_rounds(field, what, rounds_of_pem(found[0]))
    # What was counted is what is opened: another reader may find another key in the same text.
    return load_der_private_key(_der(found), password)


def rounds_of_pem(pem: bytes) -> Iterator[int]:
    """Give the rounds of every encrypted private key of a PEM file.

    Raises:
        Malformed: one is damaged, or is encrypted in a way that is not known here.
    """
    for found in PEM_KEY.finditer(pem):
        if found[1] == _ENCRYPTED:
            yield from rounds_of_key(_der(found))


def _der(found: re.Match[bytes]) -> bytes:
    try:
        return a2b_base64(found[2])
    except Error as error:
        raise Malformed(f"the encrypted key is damaged: {error}") from error
