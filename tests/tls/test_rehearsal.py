"""OpenSSL's verdict without a server: the same for every kind of key and any chain."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from smtps import SMTPS
from smtps.drivers.failures import loss, tls_failure
from smtps.drivers.rehearsal import rehearse
from smtps.drivers.verification import verify
from smtps.errors import CertificateRefused, ConnectionLost, TLSError
from smtps.ops import Verify
from tests.support.chains import Chains

KEYS = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
}


@pytest.fixture(scope="module")
def leaf(chains: Chains) -> bytes:
    return chains.leaf("relay.example").der


def judge(chains: Chains, *chain: bytes, host: str = "relay.example", **options: Any) -> Any:
    smtp = SMTPS(mail_server=host, openssl_ca_file=chains.ca_file, **options)
    return verify(Verify(smtp, chain))


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key_is_judged(chains: Chains, kind: str) -> None:
    leaf = chains.leaf("relay.example", key=KEYS[kind]())
    chain = (leaf.der, chains.below.der)
    assert judge(chains, *chain).passes
    assert judge(chains, *chain).status == "OK"
    assert "mismatch" in judge(chains, *chain, host="other.example").status
    assert not judge(chains, leaf.der).passes


def test_a_chain_longer_than_a_record_is_judged_whole(chains: Chains) -> None:
    leaf = chains.leaf("relay.example")
    useless = [chains.sign(f"Useless {number}").der for number in range(50)]
    assert sum(map(len, useless)) > 16384
    assert judge(chains, leaf.der, *useless, chains.below.der).passes
    assert not judge(chains, leaf.der, *useless).passes


def test_the_order_of_the_others_does_not_matter(chains: Chains) -> None:
    leaf = chains.leaf("relay.example")
    assert judge(chains, leaf.der, chains.root.der, chains.below.der).passes
    assert not judge(chains, chains.below.der, leaf.der).passes


def test_flags_make_no_nonsense_pass(chains: Chains) -> None:
    every = 0xFFFF_FFFF
    for garbage in (b"", b"\0", b"\x30\x80", b"nonsense" * 99, chains.root.der[:-1]):
        assert not judge(chains, garbage).passes
        assert not judge(chains, garbage, ssl_security_flags=every).passes


@settings(max_examples=200, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_damaged_certificate_never_passes(
    chains: Chains, leaf: bytes, place: float, change: int
) -> None:
    at = int(place * len(leaf))
    damaged = leaf[:at] + bytes([leaf[at] ^ change]) + leaf[at + 1 :]
    assert not judge(chains, damaged, chains.below.der).passes


def test_a_context_of_other_ciphers_does_not_pass_by_accident(chains: Chains) -> None:
    context = ssl.create_default_context(cafile=chains.ca_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DHE-RSA-AES128-GCM-SHA256")
    leaf = chains.leaf("relay.example")
    number, _ = rehearse(context, (leaf.der, chains.below.der), "relay.example")
    assert number != 0


def test_what_openssl_reports_has_the_numbers_of_the_classic_component() -> None:
    broken = ssl.SSLError(1, "[SSL: BAD_LENGTH] bad length")
    assert isinstance(loss(broken), ConnectionLost)
    assert loss(broken).code == 284
    assert loss(broken, tls_code=283).code == 283
    refused = ssl.SSLCertVerificationError(1, "no")
    refused.verify_message = "because"
    error = tls_failure("relay.example", refused)
    assert isinstance(error, CertificateRefused)
    assert (error.code, error.status, error.host) == (280, "because", "relay.example")
    handshake = tls_failure("relay.example", broken)
    assert isinstance(handshake, TLSError)
    assert handshake.code == 276
