"""Channel bindings."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from smtps.sasl.binding import choose_binding, end_point
from smtps.sasl.credentials import Binding


def certificate(key: Any, algorithm: hashes.HashAlgorithm | None, **options: Any) -> bytes:
    name = x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(1))
    signed = builder.sign(key, algorithm, **options)  # type: ignore[arg-type]
    return signed.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_a_certificate_is_hashed_as_it_is_signed(algorithm: Any) -> None:
    der = certificate(ec.generate_private_key(ec.SECP256R1()), algorithm)
    expected = hashlib.new(algorithm.name, der).digest()
    assert end_point(der) == Binding("tls-server-end-point", expected)


def test_a_signature_without_a_hash_binds_to_nothing() -> None:
    assert end_point(certificate(ed25519.Ed25519PrivateKey.generate(), None)) is None
    assert end_point(b"") is None


def test_what_servers_expect_is_chosen_and_nothing_in_its_place() -> None:
    der = certificate(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    known = {"tls-unique": b"x"}
    assert choose_binding(known, der) == Binding("tls-unique", b"x")
    assert choose_binding({}, der) is None
    assert choose_binding({"tls-unique": b""}, der) is None


def test_the_kind_can_be_named() -> None:
    der = certificate(rsa.generate_private_key(65537, 2048), hashes.SHA256())
    known = {"tls-unique": b"x"}
    assert choose_binding(known, der, wanted="tls-server-end-point") == end_point(der)
    assert choose_binding(known, der, wanted="tls-unique") == Binding("tls-unique", b"x")
    assert choose_binding(known, der, wanted="tls-exporter") is None
