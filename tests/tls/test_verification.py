"""Which certificates are accepted: the same by OpenSSL in the handshake and by us behind it."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from smtps import CertificateRefused, SSLServerAuthentication
from smtps.testing import Sink
from tests.support.chains import CLIENT, DAY, EMAIL, SERVER, Chains, Signed, rsa_key
from tests.support.fronts import Front
from tests.support.secured import WAYS, client, only, refuses

Make = Callable[[Chains], Signed]

#: A name, the host that the client asks for, and the certificate that it is shown.
GOOD: dict[str, tuple[str, Make]] = {
    "name": ("relay.example", lambda chains: chains.leaf("relay.example")),
    "second name": ("relay.example", lambda chains: chains.leaf("a.example", "relay.example")),
    "name with a dot": ("relay.example.", lambda chains: chains.leaf("relay.example")),
    "case": ("Relay.Example", lambda chains: chains.leaf("rELAY.example")),
    "IPv4 address": ("127.0.0.1", lambda chains: chains.leaf("127.0.0.1")),
    "wildcard": ("a.mx.example", lambda chains: chains.leaf("*.mx.example")),
    "A-label": ("xn--bcher-kva.example", lambda chains: chains.leaf("xn--bcher-kva.example")),
    "IDN": ("bücher.example", lambda chains: chains.leaf("xn--bcher-kva.example")),
    "no purpose": ("relay.example", lambda chains: chains.leaf("relay.example", purpose=None)),
    "signed by the root": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", by=chains.root),
    ),
    "RSA": ("relay.example", lambda chains: chains.leaf("relay.example", key=rsa_key())),
}
BAD: dict[str, tuple[str, Make, str]] = {
    "wrong host": ("relay.example", lambda chains: chains.leaf("other.example"), "mismatch"),
    "wrong address": ("127.0.0.1", lambda chains: chains.leaf("127.0.0.2"), "mismatch"),
    "address as a name": (
        "127.0.0.1",
        lambda chains: chains.sign("127.0.0.1", "relay.example", by=chains.below),
        "mismatch",
    ),
    "expired": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", begins=-9 * DAY, ends=-DAY),
        "expired",
    ),
    "not yet valid": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", begins=DAY),
        "not yet valid",
    ),
    "self-signed": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", by=None),
        "self-signed",
    ),
    "unknown authority": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", by=chains.sign("Nobody", authority=True)),
        "unable to get local issuer",
    ),
    "signed by no authority": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", by=chains.leaf("a.example")),
        "invalid CA certificate",
    ),
    "for clients": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", purpose=CLIENT),
        "certificate purpose",
    ),
    "for e-mail": (
        "relay.example",
        lambda chains: chains.leaf("relay.example", purpose=EMAIL),
        "certificate purpose",
    ),
    "common name only": (
        "relay.example",
        lambda chains: chains.sign("relay.example", by=chains.below, purpose=SERVER),
        "mismatch",
    ),
    "common name and another": (
        "relay.example",
        lambda chains: chains.sign("relay.example", "other.example", by=chains.below),
        "mismatch",
    ),
    "wildcard of a whole domain": (
        "relay.example",
        lambda chains: chains.leaf("*.example"),
        "mismatch",
    ),
    "wildcard of two labels": (
        "a.b.mx.example",
        lambda chains: chains.leaf("*.mx.example"),
        "mismatch",
    ),
    "wildcard of the domain itself": (
        "mx.example",
        lambda chains: chains.leaf("*.mx.example"),
        "mismatch",
    ),
    "wildcard in the middle": (
        "a.mx.example",
        lambda chains: chains.leaf("a.*.example"),
        "mismatch",
    ),
    "wildcard and a part of an A-label": (
        "xn--bcher-kva.example",
        lambda chains: chains.leaf("xn--*.example"),
        "mismatch",
    ),
    "another IDN": (
        "xn--bcher-kva.example",
        lambda chains: chains.leaf("xn--bchr-5oa.example"),
        "mismatch",
    ),
}


@pytest.mark.usefixtures("resolves")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", GOOD)
def test_a_good_certificate_is_accepted(front: Front, chains: Chains, case: str, way: str) -> None:
    host, make = GOOD[case]
    with Sink(tls="implicit", certificate=chains.serve(make(chains))) as sink:
        smtp = client(front, sink, host, chains, way)
        front.connect(smtp)
        assert smtp.connected
        assert smtp.ssl_server_cert_status == "OK"


@pytest.mark.usefixtures("resolves")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", BAD)
def test_a_bad_certificate_is_refused_before_anything_is_sent(
    front: Front, chains: Chains, case: str, way: str
) -> None:
    host, make, words = BAD[case]
    with Sink(tls="implicit", certificate=chains.serve(make(chains))) as sink:
        smtp = client(front, sink, host, chains, way)
        error = refuses(front, smtp, sink)
        assert words in error.status
        assert smtp.ssl_server_cert_status == error.status


@pytest.mark.usefixtures("resolves")
@pytest.mark.parametrize("way", WAYS)
def test_a_missing_intermediate_is_refused(front: Front, chains: Chains, way: str) -> None:
    certificate = chains.serve(chains.leaf("relay.example"), sends=())
    with Sink(tls="implicit", certificate=certificate) as sink:
        smtp = client(front, sink, "relay.example", chains, way)
        error = refuses(front, smtp, sink)
        assert "unable to get local issuer" in error.status
        assert "openssl_ca_file names an authority of your own" in str(error)


@pytest.mark.usefixtures("resolves")
@pytest.mark.parametrize("way", WAYS)
def test_a_bad_certificate_behind_starttls_is_refused_too(
    front: Front, chains: Chains, way: str
) -> None:
    certificate = chains.serve(chains.leaf("other.example"))
    with Sink(tls="starttls", certificate=certificate, require_auth=True) as sink:
        refuses(front, client(front, sink, "relay.example", chains, way), sink)


@pytest.mark.usefixtures("resolves")
def test_the_authorities_of_the_system_do_not_know_ours(front: Front, chains: Chains) -> None:
    with Sink(tls="implicit", certificate=chains.serve(chains.leaf("relay.example"))) as sink:
        smtp = client(front, sink, "relay.example", chains, "by OpenSSL")
        smtp.settings.openssl_ca_file = ""
        refuses(front, smtp, sink)


@pytest.mark.usefixtures("resolves")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_both_versions_of_tls_verify(front: Front, chains: Chains, way: str, version: str) -> None:
    for names, good in (("relay.example",), True), (("other.example",), False):
        certificate = chains.serve(chains.leaf(*names))
        only(certificate, ssl.TLSVersion[version])
        with Sink(tls="implicit", certificate=certificate) as sink:
            smtp = client(front, sink, "relay.example", chains, way)
            if not good:
                refuses(front, smtp, sink)
                continue
            front.connect(smtp)
            assert smtp.tls.version == version.replace("_", ".")


@pytest.mark.usefixtures("resolves")
@pytest.mark.parametrize("case", [*GOOD, *BAD])
def test_the_event_has_the_verdict_of_openssl(front: Front, chains: Chains, case: str) -> None:
    host, make = (GOOD | {key: value[:2] for key, value in BAD.items()})[case]
    leaf = make(chains)
    with Sink(tls="implicit", certificate=chains.serve(leaf)) as sink:
        smtp = client(front, sink, host, chains, "by OpenSSL")
        try:
            front.connect(smtp)
            status = "OK"
        except CertificateRefused as error:
            status = error.status
        seen: list[SSLServerAuthentication] = []
        smtp = client(front, sink, host, chains, "by OpenSSL")
        smtp.on_ssl_server_authentication = seen.append
        try:
            front.connect(smtp)
        except CertificateRefused:
            pass
    assert [(event.status, event.accept) for event in seen] == [(status, status == "OK")]
    assert seen[0].cert_encoded == leaf.der
