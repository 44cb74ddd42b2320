"""Certificates with one thing wrong each, for servers that a client must refuse."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from smtps.testing import Certificate

__all__ = ["CLIENT", "DAY", "EMAIL", "SERVER", "Chains", "Signed"]

DAY = timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
LOCAL = ("localhost", "127.0.0.1", "::1")
_numbers = itertools.count(1)


class Signed:
    """A certificate with its key, and those above it without the root."""

    def __init__(self, certificate: x509.Certificate, key: Any, above: tuple[Signed, ...]) -> None:
        self.certificate = certificate
        self.key = key
        self.above = above

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, password: str = "") -> bytes:
        lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        encoded: bytes = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
        return encoded

    def pfx(self, password: str = "", *others: Signed) -> bytes:
        lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        more = [one.certificate for one in (*self.above, *others)]
        return pkcs12.serialize_key_and_certificates(
            b"name", self.key, self.certificate, more or None, lock
        )


class Chains:
    """An authority, one below it, and whatever certificates a test wants of either."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = self.sign("Root of the chains", authority=True, begins=-30 * DAY)
        self.below = self.sign("Below the root", by=self.root, authority=True, begins=-30 * DAY)
        self.ca_file = self.write(self.root.pem)

    def sign(
        self,
        common_name: str,
        *names: str,
        by: Signed | None = None,
        authority: bool = False,
        begins: timedelta = -DAY,
        ends: timedelta = 30 * DAY,
        purpose: ObjectIdentifier | None = None,
        key: Any = None,
    ) -> Signed:
        """Sign a certificate; without `by` it signs itself."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = _name(common_name)
        issuer_key = by.key if by else key
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            by.certificate.subject if by else subject,
            subject,
            key.public_key(),
            x509.random_serial_number(),
            now + begins,
            now + ends,
        )
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        if authority:
            builder = builder.add_extension(_signs_certificates(), critical=True)
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        if by:
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                critical=False,
            )
        if purpose:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]),
                critical=False,
            )
        edwards = isinstance(issuer_key, (Ed25519PrivateKey, Ed448PrivateKey))
        certificate = builder.sign(issuer_key, None if edwards else SHA256())
        is_below = by is not None and by.certificate.issuer != by.certificate.subject
        return Signed(certificate, key, (by, *by.above) if by and is_below else ())

    def leaf(self, *names: str, **how: Any) -> Signed:
        """Sign a server's certificate by the authority below the root, unless `by` says else."""
        names = names or LOCAL
        return self.sign(names[0], *names, **{"by": self.below, "purpose": SERVER, **how})

    def serve(self, leaf: Signed, *, sends: tuple[Signed, ...] | None = None) -> Certificate:
        """Give what a `Sink` shows: the certificate and those above it, or just what is said."""
        chain = leaf.above if sends is None else sends
        path = self.write(leaf.key_pem() + leaf.pem + b"".join(one.pem for one in chain))
        return Certificate(path, self.ca_file)

    def write(self, content: bytes) -> str:
        path = self._folder / f"{next(_numbers)}.pem"
        path.write_bytes(content)
        return str(path)


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "smtps tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
