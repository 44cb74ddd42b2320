"""Private keys: loaded once, and what they sign with. RFC 8301 and RFC 8463."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ..errors import BadValue
from ..private_keys import open_key

__all__ = ["SigningKey", "load_key"]

# RFC 8301 3.2 asks for 1024 at least and 2048 by preference; shorter ones can be broken.
_LEAST_BITS = 2048


class SigningKey(NamedTuple):
    """What a key signs with."""

    #: The value of the a= tag.
    algorithm: str
    sign: Callable[[bytes], bytes]


def load_key(key: bytes | str | os.PathLike[str], password: bytes | None = None) -> SigningKey:
    """Load a private key.

    Args:
        key: PEM, or the path of a file with it.
        password: what it is encrypted with.

    Raises:
        BadValue: it is no RSA or Ed25519 key, is too short, or cannot be read. The sentence shows
            nothing of it.
    """
    if isinstance(key, os.PathLike) or (isinstance(key, str) and "-----BEGIN" not in key):
        try:
            data: bytes = Path(key).read_bytes()
        except OSError as error:
            # Only what was meant as a path is shown, and never what a key could be part of.
            named = f": {str(key)!r}" if isinstance(key, os.PathLike) else ""
            reason = f"cannot be read: {error.strerror or error}{named}"
            raise BadValue("key", f"{reason}; give PEM, or the path of a file with it") from error
    elif isinstance(key, (str, bytes)):
        data = key.encode() if isinstance(key, str) else key
    else:
        raise BadValue("key", f"expected PEM or the path of a file, not {type(key).__name__}")
    try:
        loaded = open_key("key", data, password)
    except BadValue:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # Its words tell apart a wrong password, a missing one and what is no key.
        raise BadValue("key", f"is no private key in PEM that can be opened: {error}") from None
    if isinstance(loaded, RSAPrivateKey):
        if loaded.key_size < _LEAST_BITS:
            raise BadValue("key", f"has {loaded.key_size} bits; make one of {_LEAST_BITS} or more")
        rsa, scheme, algorithm = loaded, padding.PKCS1v15(), hashes.SHA256()
        return SigningKey("rsa-sha256", lambda data: rsa.sign(data, scheme, algorithm))
    if isinstance(loaded, Ed25519PrivateKey):
        ed25519 = loaded
        # RFC 8463 3: the hash of the data is what is signed.
        return SigningKey("ed25519-sha256", lambda data: ed25519.sign(sha256(data).digest()))
    raise BadValue("key", "is neither RSA nor Ed25519, the two kinds that DKIM knows")
