"""Certificates: the one that a server showed, and the one that a client shows with its key."""

from __future__ import annotations

import textwrap
from base64 import b64encode
from collections.abc import Iterable
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from .certificate_store import Identity, open_store, parse_certificate
from .enumerations import CertStoreType
from .errors import BadValue

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as X509Certificate

__all__ = ["Certificate", "certificate_bytes", "to_pem"]


class Certificate:
    """One certificate of a store, chosen by its subject, with its private key.

    The store is opened and the key is compared with the certificate at once; the password is not
    kept. Without a certificate of that subject nothing is chosen: `subject` and `encoded` are
    empty, and `connect` fails with error 272.

    Args:
        store_type: what `store` is; `CertStoreType.AUTO` looks at the content.
        store: the path of a file, or for the blobs the content itself.
        password: opens the store, or the private keys in it.
        subject: the whole subject, or else a part of it; "*" is any. Of several the first one
            counts that has a private key.

    Raises:
        BadValue: the store cannot be opened, or asks for more than 5,000,000 rounds of hashing
            before it opens (271); or what was chosen has no private key that fits it (273).
    """

    def __init__(
        self,
        store_type: CertStoreType | int,
        store: str | bytes | PathLike[str],
        password: str = "",
        subject: str = "*",
    ) -> None:
        try:
            self.store_type = CertStoreType(store_type)
        except ValueError:
            raise BadValue("store_type", f"{store_type!r} is no CertStoreType", code=271) from None
        self.store = fspath(store) if isinstance(store, PathLike) else store
        if not isinstance(self.store, (str, bytes)):
            reason = f"expected a path or the content, not {type(store).__name__}"
            raise BadValue("store", reason, code=271)
        if not isinstance(password, str):
            reason = f"expected text, not {type(password).__name__}"
            raise BadValue("password", reason, code=271)
        self._identities = open_store(self.store_type, self.store, password)
        self._chosen = _choose(_matching(self._identities, subject))

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Wrap one finished certificate, which has no private key.

        Raises:
            BadValue: it is not a certificate.
        """
        only = Identity(parse_certificate("certificate", der), None, ())
        return cls._of(CertStoreType.PUBLIC_KEY_BLOB, der, (only,), only)

    def with_subject(self, subject: str) -> Certificate:
        """Choose another one of the same store by its subject, as the constructor does.

        Raises:
            BadValue: what was chosen has no private key that fits it (273).
        """
        chosen = _choose(_matching(self._identities, subject))
        return self._of(self.store_type, self.store, self._identities, chosen)

    def with_encoded(self, der: bytes) -> Certificate:
        """Choose the one of the same store that equals this one.

        Raises:
            BadValue: it has no private key in the store (273).
        """
        chosen = _choose([one for one in self._identities if one.der == der])
        return self._of(self.store_type, self.store, self._identities, chosen)

    @classmethod
    def _of(
        cls,
        store_type: CertStoreType,
        store: str | bytes,
        identities: tuple[Identity, ...],
        chosen: Identity | None,
    ) -> Certificate:
        made = cls.__new__(cls)
        made.store_type, made.store = store_type, store
        made._identities, made._chosen = identities, chosen
        return made

    # --- what was chosen --------------------------------------------------------------------------

    @property
    def subject(self) -> str:
        """The subject as text (RFC 4514), such as `CN=relay.example,O=Example`."""
        return self._chosen.subject if self._chosen else ""

    @property
    def issuer(self) -> str:
        """The subject of who signed it."""
        return self._chosen.issuer if self._chosen else ""

    @property
    def encoded(self) -> bytes:
        """The certificate itself, DER."""
        return self._chosen.der if self._chosen else b""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificate and those of the store that lead from it to an authority, DER."""
        return (self._chosen.der, *self._chosen.issuers) if self._chosen else ()

    @property
    def x509(self) -> X509Certificate | None:
        """The certificate as the `cryptography` package knows it."""
        return self._chosen.certificate if self._chosen else None

    @property
    def key(self) -> Any:
        """The private key as the `cryptography` package knows it; None without one."""
        return self._chosen.key if self._chosen else None

    # The key fits the certificate, so equal certificates are equal in all.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.chain == other.chain

    def __hash__(self) -> int:
        return hash(self.chain)

    def __repr__(self) -> str:
        return f"<Certificate {self.subject or 'none'}>"


def _normal_name(subject: str) -> str:
    """Bring a subject into one form: no white space about its "=" and ",", in lower case."""
    parts = (part.split("=", 1) for part in subject.split(","))
    return ",".join("=".join(piece.strip() for piece in part) for part in parts).casefold()


def _matching(identities: Iterable[Identity], subject: str) -> list[Identity]:
    """Give those of exactly this subject, or else those that contain it."""
    if subject == "*":
        return list(identities)
    wanted = _normal_name(subject)
    if not wanted:
        return []
    exact = [one for one in identities if _normal_name(one.subject) == wanted]
    return exact or [one for one in identities if wanted in _normal_name(one.subject)]


def to_pem(der: bytes) -> str:
    """Give the PEM form of a certificate, "" for none."""
    if not der:
        return ""
    lines = textwrap.wrap(b64encode(der).decode(), 64)
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""))


def _choose(found: list[Identity]) -> Identity | None:
    """Take the first that has a private key.

    Raises:
        BadValue: none has one (273).
    """
    for identity in found:
        if identity.key is not None:
            return identity
    if found:
        raise BadValue(
            "ssl_cert",
            f"no private key in the store fits the certificate of {found[0].subject};"
            " the store must hold both",
            code=273,
        )
    return None


def certificate_bytes(field: str, value: Any) -> bytes:
    """Give the DER form of a certificate that came as DER, PEM (bytes or text) or `Certificate`.

    Raises:
        BadValue: it is none.
    """
    if isinstance(value, Certificate):
        return value.encoded
    if not isinstance(value, (bytes, bytearray, str)):
        raise BadValue(field, f"expected a certificate, PEM or DER, not {type(value).__name__}")
    data = value.encode(errors="replace") if isinstance(value, str) else bytes(value)
    if not data:
        return b""
    return Identity(parse_certificate(field, data), None, ()).der
