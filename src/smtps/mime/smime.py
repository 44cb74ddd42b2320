"""S/MIME: a message signed by a person's certificate, or encrypted for others'. RFC 8551.

What is signed or encrypted is held in memory whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7EnvelopeBuilder,
    PKCS7Options,
    PKCS7SignatureBuilder,
)

from ..codec import encode_base64
from ..errors import BadValue
from ..private_keys import open_key
from .parts import Part, Piece
from .rendering import Rendering
from .transfer import SEVEN_BITS, Offer

__all__ = [
    "Encrypted",
    "PemSource",
    "Signed",
    "SmimeKey",
    "check_recipients",
    "load_certificates",
]

#: PEM, or the path of a file with it.
PemSource = bytes | str | os.PathLike[str]

_SIGNATURE = (
    b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)
_ENVELOPED = (
    b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n"
    b' name="smime.p7m"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
)


class SmimeKey:
    """A certificate with its key, to sign with.

    Raises:
        BadValue: one of them cannot be read, or they do not belong together.
    """

    def __init__(
        self,
        certificate: PemSource,
        key: PemSource,
        chain: Iterable[PemSource] = (),
        password: bytes | None = None,
    ) -> None:
        self.certificate = load_certificates(certificate, "certificate")[0]
        self.chain = [one for source in chain for one in load_certificates(source, "chain")]
        try:
            loaded = open_key("key", _read(key, "key"), password)
        except BadValue:
            raise
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadValue("key", f"is no private key in PEM that can be opened: {error}") from None
        if not isinstance(loaded, (RSAPrivateKey, EllipticCurvePrivateKey)):
            raise BadValue("key", "is neither RSA nor of an elliptic curve")
        if loaded.public_key() != self.certificate.public_key():
            raise BadValue("key", "does not belong to the certificate")
        self.key = loaded

    def sign(self, data: bytes) -> bytes:
        """Give the detached signature of some bytes, as DER."""
        builder = PKCS7SignatureBuilder().set_data(data)
        builder = builder.add_signer(self.certificate, self.key, hashes.SHA256())
        for certificate in self.chain:
            builder = builder.add_certificate(certificate)
        options = [PKCS7Options.DetachedSignature, PKCS7Options.Binary]
        return builder.sign(Encoding.DER, options)


class Signed:
    """A part with the signature of its author beside it. RFC 8551, section 3.5.3."""

    def __init__(self, part: Part, key: SmimeKey) -> None:
        self._part = part
        self._key = key

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:  # noqa: ARG002
        """Add both between their boundaries."""
        own = f"=_sig_{boundary}"
        line = f"\r\n--{own}".encode("ascii")
        data = _whole(self._part, boundary)
        pieces += (
            b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
            + f' micalg=sha-256; boundary="{own}"\r\n'.encode("ascii"),
            *(line, b"\r\n", data),
            *(line, b"\r\n", _SIGNATURE, encode_base64(self._key.sign(data))),
            *(line, b"--\r\n"),
        )


class Encrypted:
    """A part that only those can read for whom it is. RFC 8551, section 3.3."""

    def __init__(self, part: Part, certificates: list[x509.Certificate]) -> None:
        self._part = part
        self._certificates = certificates

    def write(self, pieces: list[Piece], offer: Offer, boundary: str) -> None:  # noqa: ARG002
        """Add the part as one that is closed."""
        builder = PKCS7EnvelopeBuilder().set_data(_whole(self._part, boundary))
        for certificate in self._certificates:
            builder = builder.add_recipient(certificate)
        closed = builder.encrypt(Encoding.DER, [PKCS7Options.Binary])
        pieces += (_ENVELOPED, encode_base64(closed))


def load_certificates(source: PemSource, field: str) -> list[x509.Certificate]:
    """Load certificates in PEM.

    Raises:
        BadValue: there is none.
    """
    data = _read(source, field)
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise BadValue(field, f"holds no certificate in PEM: {error}") from None


def check_recipients(certificates: list[x509.Certificate]) -> None:
    """Refuse certificates that nothing can be encrypted for.

    Raises:
        BadValue: there is none, or its key is not RSA.
    """
    if not certificates:
        raise BadValue("certificates", "there is none; give one for each reader")
    for certificate in certificates:
        if not isinstance(certificate.public_key(), RSAPublicKey):
            name = certificate.subject.rfc4514_string()
            raise BadValue("certificates", f"the key of {name} is not RSA")


def _whole(part: Part, boundary: str) -> bytes:
    """Render a part in 7 bits, as no server will change it."""
    pieces: list[Piece] = []
    part.write(pieces, SEVEN_BITS, boundary)
    return Rendering(pieces).whole()


def _read(source: PemSource, field: str) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str) and "-----BEGIN" in source:
        return source.encode()
    if not isinstance(source, (str, os.PathLike)):
        raise BadValue(field, f"expected PEM or the path of a file, not {type(source).__name__}")
    try:
        return Path(source).read_bytes()
    except OSError as error:
        # Only what was meant as a path is shown, and never what a key could be part of.
        named = f": {str(source)!r}" if isinstance(source, os.PathLike) else ""
        reason = f"cannot be read: {error.strerror or error}{named}"
        raise BadValue(field, f"{reason}; give PEM, or the path of a file with it") from error
