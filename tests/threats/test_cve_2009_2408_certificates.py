"""Certificates that name another in disguise, or were signed by who may not.

CVE-2009-2408 (a NUL in a name), CVE-2013-4238 (the same in Python), CVE-2021-3450 (an authority
that is none), RFC 5280 and RFC 9525. The plain cases are in `tests/tls/test_verification.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID, ObjectIdentifier

from smtps.testing import Sink
from tests.support.chains import DAY, SERVER, Chains, Signed
from tests.support.fronts import Front
from tests.support.network import FakeDNS
from tests.support.secured import WAYS, client, refuses

HOST = "relay.example"


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Chains:
    return Chains(Path(tmp_path_factory.mktemp("chains")))


@pytest.fixture(autouse=True)
def _resolves(dns: FakeDNS) -> None:
    for host in (HOST, "a.mx.example", "xn--bcher-kva.mx.example"):
        dns.add(host, "127.0.0.1")


def build(
    by: Signed,
    *extensions: tuple[x509.ExtensionType, bool],
    names: tuple[x509.GeneralName, ...] = (x509.DNSName(HOST),),
    common_name: str = HOST,
    key: Any = None,
    authority: bool = False,
    length: int | None = None,
    purpose: ObjectIdentifier | None = SERVER,
) -> Signed:
    """Sign what `Chains` does not: with any names and extensions."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(by.certificate.subject)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 30 * DAY)
        .add_extension(x509.BasicConstraints(authority, length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False
        )
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if purpose and not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    is_below = by.certificate.issuer != by.certificate.subject
    return Signed(builder.sign(by.key, SHA256()), key, (by, *by.above) if is_below else ())


def usage(*, signs: bool) -> tuple[x509.ExtensionType, bool]:
    rest = dict.fromkeys(
        [
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("crl_sign", "encipher_only", "decipher_only"),
        ],
        False,
    )
    return x509.KeyUsage(digital_signature=True, key_cert_sign=signs, **rest), True


def authority(chains: Chains, *extensions: Any, length: int | None = None) -> Signed:
    return build(
        chains.root,
        usage(signs=True),
        *extensions,
        names=(),
        common_name="Another below",
        authority=True,
        length=length,
    )


def dns_name(value: str) -> tuple[x509.GeneralName, ...]:
    return (x509.DNSName(value),)


def constrained(chains: Chains, *, permitted: str = "", excluded: str = "") -> Signed:
    return authority(
        chains,
        (
            x509.NameConstraints(
                dns_name(permitted) if permitted else None, dns_name(excluded) if excluded else None
            ),
            True,
        ),
    )


#: The host that is asked for, and the certificate that is shown.
BAD: dict[str, tuple[str, Callable[[Chains], Signed]]] = {
    "a NUL behind the name": (
        HOST,
        lambda chains: build(chains.below, names=dns_name(f"{HOST}\0.evil.example")),
    ),
    "a NUL behind the common name": (
        HOST,
        lambda chains: build(
            chains.below, names=dns_name("evil.example"), common_name=f"{HOST}\0.evil.example"
        ),
    ),
    "a line end behind the name": (
        HOST,
        lambda chains: build(chains.below, names=dns_name(f"{HOST}\n")),
    ),
    "a blank in front of the name": (
        HOST,
        lambda chains: build(chains.below, names=dns_name(f" {HOST}")),
    ),
    "the name in front of another": (
        HOST,
        lambda chains: build(chains.below, names=dns_name(f"{HOST}.evil.example")),
    ),
    "the name behind another without a dot": (
        HOST,
        lambda chains: build(chains.below, names=dns_name(f"evil{HOST}")),
    ),
    "a dot in front": (HOST, lambda chains: build(chains.below, names=dns_name(f".{HOST}"))),
    "a star alone": (HOST, lambda chains: build(chains.below, names=dns_name("*"))),
    "two stars": (
        "a.mx.example",
        lambda chains: build(chains.below, names=dns_name("*.*.example")),
    ),
    "a star behind letters": (
        "xn--bcher-kva.mx.example",
        lambda chains: build(chains.below, names=dns_name("xn--b*.mx.example")),
    ),
    "the name as a URI": (
        HOST,
        lambda chains: build(
            chains.below, names=(x509.UniformResourceIdentifier(f"smtp://{HOST}"),)
        ),
    ),
    "the name as a mailbox": (
        HOST,
        lambda chains: build(chains.below, names=(x509.RFC822Name(f"x@{HOST}"),)),
    ),
    "an address as the common name": (
        "127.0.0.1",
        lambda chains: build(chains.below, names=(), common_name="127.0.0.1"),
    ),
    "an address as a name with a star": (
        "127.0.0.1",
        lambda chains: build(chains.below, names=dns_name("*.0.0.1")),
    ),
    "no name at all": (HOST, lambda chains: build(chains.below, names=(), common_name="x")),
    "an authority that may not sign": (
        HOST,
        lambda chains: build(
            build(chains.root, usage(signs=False), names=(), common_name="x", authority=True)
        ),
    ),
    "one authority too many": (
        HOST,
        lambda chains: build(
            build(
                authority(chains, length=0),
                usage(signs=True),
                names=(),
                common_name="y",
                authority=True,
            )
        ),
    ),
    "an authority for other names": (
        HOST,
        lambda chains: build(constrained(chains, permitted="other.example")),
    ),
    "an authority for all but this name": (
        HOST,
        lambda chains: build(constrained(chains, excluded="example")),
    ),
    "an extension that is critical and unknown": (
        HOST,
        lambda chains: build(
            chains.below,
            (x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0"), True),
        ),
    ),
    "an expired authority": (
        HOST,
        lambda chains: chains.leaf(
            HOST,
            by=chains.sign("Late", by=chains.root, authority=True, begins=-9 * DAY, ends=-DAY),
        ),
    ),
    "a signature by another key of the same name": (
        HOST,
        lambda chains: build(_impostor(chains)),
    ),
}


def _impostor(chains: Chains) -> Signed:
    return Signed(
        chains.below.certificate, ec.generate_private_key(ec.SECP256R1()), chains.below.above
    )


def serve(chains: Chains, case: str) -> Any:
    return chains.serve(BAD[case][1](chains))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", BAD)
def test_a_disguised_certificate_is_refused_before_anything_is_said(
    front: Front, chains: Chains, case: str, way: str
) -> None:
    with Sink(tls="implicit", certificate=serve(chains, case)) as sink:
        refuses(front, client(front, sink, BAD[case][0], chains, way), sink)
        assert sink.commands == []


#: What differs from a case above by the one thing that is wrong there.
GOOD: dict[str, tuple[str, Callable[[Chains], Signed]]] = {
    "the name": (HOST, lambda chains: build(chains.below)),
    "an authority for this name": (
        HOST,
        lambda chains: build(constrained(chains, permitted="example")),
    ),
    "an authority of the last length": (
        HOST,
        lambda chains: build(authority(chains, length=0)),
    ),
    "a star for a whole label": (
        "xn--bcher-kva.mx.example",
        lambda chains: build(chains.below, names=dns_name("*.mx.example")),
    ),
    "an extension that is unknown": (
        HOST,
        lambda chains: build(
            chains.below,
            (x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\5\0"), False),
        ),
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_is_not_disguised_is_accepted(front: Front, chains: Chains, case: str) -> None:
    host, make = GOOD[case]
    with Sink(tls="implicit", certificate=chains.serve(make(chains))) as sink:
        front.connect(client(front, sink, host, chains))
