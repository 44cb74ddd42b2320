"""Throwaway certificates: an authority that lives as long as the process, and what it signs.

Good for tests and demos only: the keys are written to a temporary folder that is removed when the
process ends.
"""

from __future__ import annotations

import atexit
import hashlib
import ipaddress
import itertools
import os
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "Certificate", "default_authority", "default_certificate", "self_signed"]

#: The names that a certificate for a server on this machine bears.
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")

_DAY = timedelta(days=1)
_serial = itertools.count(1)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate, and the authority that a client would have to trust."""

    #: A PEM file with the key and behind it the certificate.
    pem_file: str
    #: The PEM file of the authority.
    ca_file: str

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The TLS settings of a server that shows this certificate."""
        return self.make_context()

    def make_context(self, *, client_ca: str = "", requires: bool = False) -> ssl.SSLContext:
        """Make other TLS settings of such a server.

        Args:
            client_ca: a PEM file of authorities; a client is asked for a certificate of theirs.
            requires: whether a client without one is refused.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem_file)
        if client_ca:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED if requires else ssl.CERT_OPTIONAL
        return context

    @cached_property
    def end_point(self) -> bytes:
        """The hash that tls-server-end-point binds to: these are signed with SHA-256. RFC 5929."""
        pem = Path(self.pem_file).read_text()
        begin = pem.index("-----BEGIN CERTIFICATE-----")
        first = pem[begin : pem.index("-----END CERTIFICATE-----", begin)]
        der = ssl.PEM_cert_to_DER_cert(first + "-----END CERTIFICATE-----\n")
        return hashlib.sha256(der).digest()


class Authority:
    """A certificate authority that nobody else trusts; `ca_file` makes a client trust it."""

    def __init__(self, name: str = "smtps.testing throwaway authority") -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self._name, self._name, self._key, *_validity(expired=False))
        builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
        builder = builder.add_extension(_usage(authority=True), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        self.ca_file = _write(_pem(self._certificate))

    def issue(self, *names: str, expired: bool = False) -> Certificate:
        """Sign a certificate for a server; a client can show it too.

        Args:
            names: host names and IP addresses; without any, those of this machine's loopback.
            expired: make it one that ran out yesterday.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _server_builder(names or LOCAL_NAMES, self._name, key, expired)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            critical=False,
        )
        signed = builder.sign(self._key, hashes.SHA256())
        return Certificate(_write(_key_pem(key), _pem(signed)), self.ca_file)


def self_signed(*names: str, expired: bool = False) -> Certificate:
    """Give a certificate that no authority vouches for.

    Its `ca_file` is that of `default_authority`, so that a client which trusts it refuses this
    one.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    names = names or LOCAL_NAMES
    builder = _server_builder(names, _common_name(names[0]), key, expired)
    signed = builder.sign(key, hashes.SHA256())
    return Certificate(_write(_key_pem(key), _pem(signed)), default_authority().ca_file)


@lru_cache(maxsize=1)
def default_authority() -> Authority:
    """Give the one authority of this process."""
    return Authority()


@lru_cache(maxsize=1)
def default_certificate() -> Certificate:
    """Give a certificate for localhost, 127.0.0.1 and ::1, the same one all the time."""
    return default_authority().issue()


def _server_builder(
    names: tuple[str, ...], issuer: x509.Name, key: ec.EllipticCurvePrivateKey, expired: bool
) -> x509.CertificateBuilder:
    builder = _builder(_common_name(names[0]), issuer, key, *_validity(expired))
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(
        # A server may be a client of others, and tests want certificates for clients too.
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
        critical=False,
    )
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    return builder.add_extension(alternatives, critical=False)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(end)
    return builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )


def _validity(expired: bool) -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return (now - 30 * _DAY, now - _DAY) if expired else (now - _DAY, now + 30 * _DAY)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(*parts: bytes) -> str:
    path = _folder() / f"{next(_serial)}.pem"
    path.write_bytes(b"".join(parts))
    return str(path)


@lru_cache(maxsize=1)
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="smtps-testing-"))
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    # A forked child runs the same exit functions, and the files are its parent's.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
