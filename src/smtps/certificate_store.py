"""Certificate stores: files and blobs that hold certificates with their private keys.

They are read in memory by the `cryptography` package, which is imported when the first one is
opened: most connections need none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .ber import CutShort, Malformed
from .enumerations import CertStoreType
from .errors import BadValue
from .private_keys import PEM_KEY, open_key, rounds_of_pem
from .rounds import check_rounds, rounds_of_store

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as X509Certificate
    from cryptography.x509 import Name

__all__ = ["Identity", "open_store", "parse_certificate"]

_FIELD = "ssl_cert_store"
_ON_WINDOWS = os.name == "nt"
# The identifiers of RC2, RC4 and 3DES of PKCS#12, 1.2.840.113549.1.12.1.1 to .6.
_WEAK = re.compile(rb"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01[\x01-\x06]")
_CONVERT = "convert it with openssl pkcs12 -legacy -in OLD -nodes | openssl pkcs12 -export -out NEW"
_LARGEST_FILE = 1 << 24


@dataclass(frozen=True)
class Identity:
    """A certificate, its private key if the store has it, and who signed it."""

    certificate: X509Certificate
    key: Any = field(repr=False)
    #: The certificates that lead to an authority, DER, as far as the store has them.
    issuers: tuple[bytes, ...]

    @cached_property
    def der(self) -> bytes:
        """The certificate, DER."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.certificate.public_bytes(Encoding.DER)

    @cached_property
    def subject(self) -> str:
        """The subject as text, RFC 4514; empty if it is no name."""
        return _in_words(lambda: self.certificate.subject)

    @cached_property
    def issuer(self) -> str:
        """The subject of who signed it, likewise."""
        return _in_words(lambda: self.certificate.issuer)


def _in_words(name: Callable[[], Name]) -> str:
    # Only when it is asked for it is parsed, and a server may have put anything there.
    try:
        return name().rfc4514_string()
    except ValueError:
        return ""


def open_store(
    store_type: CertStoreType, store: str | bytes, password: str
) -> tuple[Identity, ...]:
    """Read every certificate of a store, each with its key.

    Raises:
        BadValue: error 271, it is of a kind that cannot be read here, or cannot be opened.
    """
    if not store:
        raise BadValue(_FIELD, "empty; name the file or give the content", code=271)
    data, what = _content(store_type, store)
    is_pem = store_type in (CertStoreType.PEM_KEY_FILE, CertStoreType.PEM_KEY_BLOB)
    if store_type is CertStoreType.AUTO:
        is_pem = b"-----BEGIN " in data
    certificates, keys = (_read_pem if is_pem else _read_pfx)(data, password, what)
    if not certificates:
        raise BadValue(_FIELD, "holds no certificate", code=271)
    return tuple(_identities(certificates, keys))


def parse_certificate(field: str, data: bytes) -> X509Certificate:
    """Read one certificate, DER or PEM; of several the first.

    Raises:
        BadValue: error 271, it is none.
    """
    from cryptography import x509

    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError:
        raise BadValue(field, "not a certificate, neither PEM nor DER", code=271) from None


# --- kinds of stores ------------------------------------------------------------------------------

_BLOBS = (CertStoreType.PFX_BLOB, CertStoreType.PEM_KEY_BLOB)
_FILES = (CertStoreType.PFX_FILE, CertStoreType.PEM_KEY_FILE)


def _content(store_type: CertStoreType, store: str | bytes) -> tuple[bytes, str]:
    """Give the content of a store, and what errors call it."""
    if store_type in (CertStoreType.USER, CertStoreType.MACHINE):
        where = "" if _ON_WINDOWS else "exists on Windows only; and "
        raise BadValue(
            "ssl_cert_store_type",
            f"{store_type.name} {where}Python's ssl module cannot use a private key that stays in"
            " the Windows store; export it as PFX and use PFX_FILE",
            code=271,
        )
    if store_type in _BLOBS:
        return store.encode() if isinstance(store, str) else store, "it"
    if store_type in _FILES:
        return _read(store), _named(store)
    if store_type is CertStoreType.AUTO:
        raw = store.encode() if isinstance(store, str) else store
        # DER begins with a SEQUENCE; no path does.
        is_blob = b"-----BEGIN " in raw or (raw[:1] == b"\x30" and isinstance(store, bytes))
        return (raw, "it") if is_blob else (_read(store), _named(store))
    raise BadValue(
        "ssl_cert_store_type",
        f"{store_type.name} cannot be read here; convert it to PFX (keytool -importkeystore"
        " -deststoretype PKCS12, openssl pkcs12 -export) or PEM",
        code=271,
    )


def _named(path: str | bytes) -> str:
    return f"the file {os.fsdecode(path)!r}"


def _read(path: str | bytes) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        # Content that was taken for a path holds a key.
        named = "the file" if "-----" in os.fsdecode(path) else _named(path)
        raise BadValue(_FIELD, f"{named} cannot be read: {reason}", code=271) from error
    if len(data) > _LARGEST_FILE:
        raise BadValue(_FIELD, "larger than 16 MiB, so not a store of certificates", code=271)
    return data


def _read_pem(data: bytes, password: str, what: str) -> tuple[list[X509Certificate], list[Any]]:
    from cryptography import x509

    try:
        certificates = x509.load_pem_x509_certificates(data) if b"CERTIFICATE-" in data else []
    except ValueError:
        raise BadValue(_FIELD, "a PEM certificate in it is damaged", code=271) from None
    try:
        check_rounds(_FIELD, what, rounds_of_pem(data))
    except Malformed as error:
        reason = f"the private key cannot be read: {error}"
        raise BadValue(_FIELD, reason, code=271) from None
    return certificates, [_pem_key(match[0], password, what) for match in PEM_KEY.finditer(data)]


def _pem_key(block: bytes, password: str, what: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    is_encrypted = b"ENCRYPTED" in block
    if is_encrypted and not password:
        raise BadValue(
            "ssl_cert_store_password", "empty, and the private key is encrypted", code=271
        )
    try:
        return open_key(_FIELD, block, password.encode() if is_encrypted else None, what)
    except BadValue:
        raise
    except (ValueError, TypeError, UnsupportedAlgorithm):
        reason = "wrong password, or the private key is damaged" if is_encrypted else "damaged"
        raise BadValue(_FIELD, f"the private key cannot be read: {reason}", code=271) from None


def _read_pfx(data: bytes, password: str, what: str) -> tuple[list[X509Certificate], list[Any]]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        check_rounds(_FIELD, what, rounds_of_store(data))
    except CutShort:
        raise BadValue(_FIELD, "not a PKCS#12 file, or cut short", code=271) from None
    except Malformed as error:
        reason = f"it cannot be read as a PKCS#12 file: {error}; {_CONVERT}"
        raise BadValue(_FIELD, reason, code=271) from None
    try:
        # No password and an empty one are the same here to whoever gives none.
        store = pkcs12.load_pkcs12(data, password.encode() or None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadValue(_FIELD, _pfx_reason(data), code=271) from error
    certificates = [store.cert] if store.cert is not None else []
    certificates += store.additional_certs
    return [one.certificate for one in certificates], [store.key] if store.key else []


def _pfx_reason(data: bytes) -> str:
    reason = "wrong password, or a damaged PKCS#12 file"
    if _WEAK.search(data):
        reason += (
            "; it is encrypted with RC2, RC4 or 3DES, which this machine may not allow: " + _CONVERT
        )
    return reason


# --- what belongs together ------------------------------------------------------------------------


def _identities(certificates: Sequence[X509Certificate], keys: Sequence[Any]) -> Iterator[Identity]:
    by_public = {_public_bytes(key.public_key()): key for key in keys}
    for certificate in certificates:
        key = by_public.get(_public_bytes(certificate.public_key()))
        yield Identity(certificate, key, tuple(_issuers(certificate, certificates)))


def _public_bytes(public_key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encoded: bytes = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _issuers(certificate: X509Certificate, known: Sequence[X509Certificate]) -> Iterator[bytes]:
    """Follow the signatures upwards; the authority itself (self-signed) need not be sent."""
    seen = {certificate}
    while certificate.issuer != certificate.subject:
        above = next((one for one in known if _signed_by(certificate, one)), None)
        if above is None or above in seen or above.issuer == above.subject:
            return
        seen.add(above)
        yield Identity(above, None, ()).der
        certificate = above


def _signed_by(certificate: X509Certificate, issuer: X509Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
