"""Versions, ciphers, authorities and the rest of what decides how TLS is spoken."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import truststore
from cryptography.hazmat.primitives.asymmetric import rsa

from smtps import SMTPS, BadValue, CertificateRefused, SSLStartMode, TLSError
from smtps.drivers import tls
from smtps.testing import Certificate, Sink
from tests.support.chains import Chains, rsa_key
from tests.support.fronts import Front
from tests.support.secured import client, fails, only, refuses

pytestmark = pytest.mark.usefixtures("resolves")

TLS12, TLS13 = 0xC00, 0x3000
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture
def shown(chains: Chains) -> Certificate:
    """What a server shows, with a context that the test may change."""
    return chains.serve(chains.leaf("relay.example"))


@pytest.mark.parametrize("how", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("mask", "version"),
    [(0x800, "TLSv1.2"), (TLS12, "TLSv1.2"), (TLS13, "TLSv1.3"), (0x3C00, "TLSv1.3")],
)
def test_the_enabled_versions_are_spoken(
    front: Front, chains: Chains, shown: Certificate, how: Any, mask: int, version: str
) -> None:
    with Sink(tls=how, certificate=shown) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_enabled_protocols=mask)
        front.connect(smtp)
        assert smtp.tls.version == version
        assert sink.connections[0].tls == version


@pytest.mark.parametrize(("server", "mask"), [(V12, TLS13), (V13, TLS12), (V13, 4032)])
def test_a_server_of_other_versions_is_refused(
    front: Front, chains: Chains, shown: Certificate, server: Any, mask: int
) -> None:
    with Sink(tls="implicit", certificate=only(shown, server)) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_enabled_protocols=mask)
        error = fails(front, smtp, sink)
        assert error.code == 276
        assert "ssl_enabled_protocols" in str(error)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("way", ["by OpenSSL", "by handler"])
def test_an_old_version_is_spoken_only_where_it_is_named(
    front: Front, chains: Chains, way: str
) -> None:
    old = only(
        chains.serve(chains.leaf("relay.example", key=rsa_key())),
        ssl.TLSVersion.TLSv1,
        "DEFAULT:@SECLEVEL=0",
    )
    with Sink(tls="implicit", certificate=old) as sink:
        assert fails(front, client(front, sink, "relay.example", chains, way), sink).code == 276
        # 4032 is 1.0, 1.1 and 1.2.
        smtp = client(front, sink, "relay.example", chains, way, ssl_enabled_protocols=4032)
        front.connect(smtp)
        assert smtp.tls.version == "TLSv1"


def test_versions_with_a_gap_leave_the_gap_out(front: Front, chains: Chains) -> None:
    certificate = chains.serve(chains.leaf("relay.example", key=rsa_key()))
    with Sink(tls="implicit", certificate=only(certificate, V12)) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_enabled_protocols=TLS13 | 0x300)
        assert fails(front, smtp, sink).code == 276


@pytest.mark.parametrize("mask", [0, 12, 48, 60, 0x1000])
def test_no_usable_version_is_an_error_when_it_is_set(mask: int) -> None:
    with pytest.raises(BadValue, match="ssl_enabled_protocols") as caught:
        SMTPS(ssl_enabled_protocols=mask)
    assert caught.value.code == 276


def test_bits_of_ssl_are_not_heard(front: Front, chains: Chains, shown: Certificate) -> None:
    with Sink(tls="implicit", certificate=shown) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_enabled_protocols=60 | TLS12)
        front.connect(smtp)
        assert smtp.tls.version == "TLSv1.2"


# --- ciphers --------------------------------------------------------------------------------------


def test_the_cipher_list_chooses(front: Front, chains: Chains, shown: Certificate) -> None:
    name = "ECDHE-ECDSA-CHACHA20-POLY1305"
    with Sink(tls="implicit", certificate=only(shown, V12)) as sink:
        smtp = client(front, sink, "relay.example", chains, openssl_cipher_list=name)
        front.connect(smtp)
        assert smtp.tls.cipher == name


def test_no_common_cipher_fails(front: Front, chains: Chains, shown: Certificate) -> None:
    server = only(shown, V12, "ECDHE-ECDSA-AES128-GCM-SHA256")
    with Sink(tls="implicit", certificate=server) as sink:
        smtp = client(
            front,
            sink,
            "relay.example",
            chains,
            openssl_cipher_list="ECDHE-ECDSA-AES256-GCM-SHA384",
        )
        assert fails(front, smtp, sink).code == 276


def test_ciphers_that_openssl_does_not_know_touch_no_network(front: Front, chains: Chains) -> None:
    with Sink(tls="implicit") as sink:
        smtp = client(front, sink, "localhost", chains, openssl_cipher_list="NONSENSE")
        with pytest.raises(BadValue, match="openssl_cipher_list") as caught:
            front.connect(smtp)
        assert caught.value.code == 276
        assert sink.connections == ()


@pytest.mark.parametrize(("bits", "strong"), [(0, True), (128, True), (129, False), (256, False)])
def test_a_cipher_must_be_as_strong_as_asked(
    front: Front, chains: Chains, shown: Certificate, bits: int, strong: bool
) -> None:
    server = only(shown, V12, "ECDHE-ECDSA-AES128-GCM-SHA256")
    with Sink(tls="implicit", certificate=server) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_cipher_strength=bits)
        if strong:
            front.connect(smtp)
            assert smtp.tls.bits == 128
        else:
            error = fails(front, smtp, sink)
            assert isinstance(error, TLSError)
            assert error.code == 276
            assert "128 bits" in str(error)


@pytest.mark.parametrize("way", ["by OpenSSL", "by handler", "by pin"])
def test_a_server_without_any_certificate_is_refused(
    front: Front, chains: Chains, shown: Certificate, way: str
) -> None:
    ciphers = "aNULL:@SECLEVEL=0"
    with Sink(tls="implicit", certificate=only(shown, V12, ciphers)) as sink:
        smtp = client(front, sink, "relay.example", chains, way, openssl_cipher_list=ciphers)
        assert fails(front, smtp, sink).code == 282


@pytest.mark.parametrize("way", ["by OpenSSL", "by handler"])
def test_a_weak_key_is_refused_unless_the_security_level_is_lowered(
    front: Front, chains: Chains, way: str
) -> None:
    weak = chains.leaf("relay.example", key=rsa.generate_private_key(65537, 1024))
    certificate = chains.serve(chains.leaf("relay.example", key=rsa_key()))
    certificate.context.set_ciphers("DEFAULT:@SECLEVEL=0")
    certificate.context.load_cert_chain(chains.serve(weak).pem_file)
    with Sink(tls="implicit", certificate=certificate) as sink:
        fails(front, client(front, sink, "relay.example", chains, way), sink)
        smtp = client(
            front, sink, "relay.example", chains, way, openssl_cipher_list="DEFAULT:@SECLEVEL=0"
        )
        front.connect(smtp)


# --- authorities and the rest ---------------------------------------------------------------------


@pytest.mark.parametrize("way", ["by OpenSSL", "by handler"])
def test_a_folder_of_authorities_is_trusted(
    front: Front, chains: Chains, shown: Certificate, way: str, tmp_path: Path
) -> None:
    (tmp_path / "root.pem").write_bytes(chains.root.pem)
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    with Sink(tls="implicit", certificate=shown) as sink:
        smtp = client(
            front,
            sink,
            "relay.example",
            chains,
            way,
            openssl_ca_file="",
            openssl_ca_dir=str(tmp_path),
        )
        front.connect(smtp)


@pytest.mark.parametrize("way", ["by OpenSSL", "by handler"])
def test_a_file_of_authorities_that_changes_is_read_again(
    front: Front, chains: Chains, shown: Certificate, way: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(chains.sign("Nobody", authority=True).pem)
    os.utime(path, (1, 1))
    with Sink(tls="implicit", certificate=shown) as sink:
        smtp = client(front, sink, "relay.example", chains, way, openssl_ca_file=str(path))
        refuses(front, smtp, sink)
        path.write_bytes(chains.root.pem)
        front.connect(smtp)


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"\0" * 99])
@pytest.mark.parametrize("way", ["by OpenSSL", "by handler"])
def test_authorities_that_cannot_be_read_are_named(
    front: Front, chains: Chains, way: str, content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with Sink(tls="implicit") as sink:
        smtp = client(front, sink, "localhost", chains, way, openssl_ca_file=str(path))
        with pytest.raises(BadValue, match="openssl_ca_file") as caught:
            front.connect(smtp)
        assert caught.value.code == 271
        assert str(path) in str(caught.value)
        assert sink.connections == ()


@pytest.mark.parametrize("way", ["by OpenSSL", "by handler"])
def test_a_folder_of_authorities_that_is_none_is_named_before_connecting(
    front: Front, chains: Chains, way: str, tmp_path: Path
) -> None:
    with Sink(tls="implicit") as sink:
        folder = str(tmp_path / "none")
        smtp = client(
            front, sink, "localhost", chains, way, openssl_ca_file="", openssl_ca_dir=folder
        )
        with pytest.raises(BadValue, match=f"openssl_ca_dir: '{folder}' is not a folder") as caught:
            front.connect(smtp)
        assert caught.value.code == 271
        assert sink.connections == ()


def test_the_authorities_of_the_system_are_the_default(
    front: Front, chains: Chains, shown: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sink(tls="implicit", certificate=shown) as sink:
        smtp = client(front, sink, "relay.example", chains, openssl_ca_file="")
        refuses(front, smtp, sink)
        monkeypatch.setenv("SSL_CERT_FILE", chains.ca_file)
        tls._context.cache_clear()
        try:
            front.connect(smtp)
        finally:
            tls._context.cache_clear()


def test_truststore_judges_where_it_is_asked_to(
    front: Front, chains: Chains, shown: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    class Watched(truststore.SSLContext):
        def __init__(self, protocol: int) -> None:
            super().__init__(protocol)
            made.append(self)

    monkeypatch.setattr(truststore, "SSLContext", Watched)
    monkeypatch.setenv("SSL_CERT_FILE", chains.ca_file)
    tls._context.cache_clear()
    try:
        with Sink(tls="implicit", certificate=shown) as sink:
            smtp = client(front, sink, "relay.example", chains, openssl_ca_file="", truststore=True)
            front.connect(smtp)
            front.disconnect(smtp)
            smtp = client(front, sink, "other.example", chains, openssl_ca_file="", truststore=True)
            with pytest.raises(CertificateRefused):
                front.connect(smtp)
    finally:
        tls._context.cache_clear()
    assert made


def test_a_missing_truststore_is_named_with_the_way_to_get_it(
    front: Front, chains: Chains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "truststore", None)
    tls._context.cache_clear()
    with Sink(tls="implicit") as sink:
        smtp = client(front, sink, "localhost", chains, openssl_ca_file="", truststore=True)
        with pytest.raises(BadValue, match="pip install") as caught:
            front.connect(smtp)
        assert caught.value.code == 270
        assert sink.connections == ()


@pytest.mark.parametrize("name", ["*", "OpenSSL", "openssl", "Internal"])
def test_every_name_of_the_provider_is_the_same_library(
    front: Front, chains: Chains, shown: Certificate, name: str
) -> None:
    with Sink(tls="implicit", certificate=shown) as sink:
        front.connect(client(front, sink, "relay.example", chains, ssl_provider=name))
        assert sink.connections[0].tls


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(BadValue, match="ssl_provider") as caught:
        SMTPS(ssl_provider="SChannel")
    assert caught.value.code == 270


def test_no_provider_is_no_tls(front: Front) -> None:
    with Sink(tls="starttls") as sink:
        smtp = front.make(mail_server="127.0.0.1", mail_port=sink.port, ssl_provider="")
        front.connect(smtp)
        assert sink.connections[0].tls is None
        assert smtp.start_mode is SSLStartMode.NONE
    with pytest.raises(BadValue, match="without TLS"):
        front.connect(front.make(mail_server="127.0.0.1", ssl_provider="", user="u"))


def test_the_seed_is_stirred_in_as_no_entropy(
    front: Front, chains: Chains, shown: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    stirred: list[tuple[Any, float]] = []
    monkeypatch.setattr(ssl, "RAND_add", lambda data, entropy: stirred.append((data, entropy)))
    with Sink(tls="implicit", certificate=shown) as sink:
        front.connect(client(front, sink, "relay.example", chains))
        assert not stirred
        smtp = client(front, sink, "relay.example", chains, openssl_prng_seed_data="noise")
        front.connect(smtp)
    assert ("noise", 0.0) in stirred
