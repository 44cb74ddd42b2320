"""TLS with a real Postfix: when it starts, who is asked for a certificate, and what is resumed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)

from smtps import (
    BadValue,
    Certificate,
    CertificateRefused,
    CertStoreType,
    Envelope,
    RecipientsRefused,
    SSLStartMode,
    TLSError,
)
from smtps.testing import Authority
from tests.support.fronts import Front
from tests.support.postfix import Postfix
from tests.support.servers import fresh_address

CONTENT = b"Subject: x\r\n\r\nx\r\n"


def send(front: Front, smtp: Any) -> str:
    recipient = fresh_address()
    front.send(smtp, (Envelope("a@b.example", [recipient]), CONTENT))
    return recipient


def client(front: Front, postfix: Postfix, **options: Any) -> Any:
    return front.make(
        **{
            "mail_server": postfix.host,
            "mail_port": postfix.port,
            "openssl_ca_file": postfix.ca_file,
            "ssl_start_mode": SSLStartMode.EXPLICIT,
            **options,
        }
    )


# --- when it starts -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", SSLStartMode)
@pytest.mark.parametrize("port", ["plain", "implicit"])
def test_every_mode_on_either_port(
    front: Front, postfix: Postfix, mode: SSLStartMode, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Postfix listens on other ports here than the standard ones.
    monkeypatch.setattr("smtps.properties._PLAINTEXT_PORTS", frozenset({postfix.port}))
    number = postfix.port if port == "plain" else postfix.implicit_port
    smtp = client(front, postfix, mail_port=number, ssl_start_mode=mode, timeout=0.5)
    works = mode == SSLStartMode.AUTOMATIC or (mode == SSLStartMode.IMPLICIT) == (port != "plain")
    if works:
        trace = postfix.received(send(front, smtp)).trace
        assert (b"using TLSv1.3" in trace) == (mode != SSLStartMode.NONE)
        assert (smtp.tls is not None) == (mode != SSLStartMode.NONE)
    else:
        # TLS meets a greeting in clear text; or both sides wait for the other to speak.
        with pytest.raises((TLSError, TimeoutError)):
            send(front, smtp)


@pytest.mark.parametrize(
    ("port", "mode"),
    [(25, 2), (587, 2), (2525, 2), (465, 1), (2465, 1), (10025, 1)],
)
def test_the_port_chooses_the_mode(front: Front, port: int, mode: int) -> None:
    assert front.make(mail_port=port).start_mode == mode
    assert front.make(mail_port=port, ssl_start_mode=3).start_mode == 3


# --- whom it is -----------------------------------------------------------------------------------


def test_another_authority_is_refused(front: Front, postfix: Postfix) -> None:
    smtp = client(front, postfix, openssl_ca_file=Authority().ca_file)
    with pytest.raises(CertificateRefused):
        front.connect(smtp)


def test_the_pinned_certificate_needs_no_authority(front: Front, postfix: Postfix) -> None:
    smtp = client(front, postfix)
    front.connect(smtp)
    pin = smtp.ssl_server_cert.encoded
    front.disconnect(smtp)
    other = client(front, postfix, openssl_ca_file="", ssl_accept_server_cert=pin)
    postfix.received(send(front, other))
    assert other.ssl_server_cert_status == "OK"


def test_the_handler_decides(front: Front, postfix: Postfix) -> None:
    seen: list[Any] = []

    def decide(event: Any) -> None:
        seen.append(dataclasses.replace(event))
        event.accept = False

    smtp = client(front, postfix)
    smtp.on_ssl_server_authentication = decide
    with pytest.raises(CertificateRefused):
        front.connect(smtp)
    assert [(event.status, event.accept) for event in seen] == [("OK", True)]


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_the_session_is_resumed(front: Front, postfix: Postfix, version: str) -> None:
    mask = {"TLSv1.2": 0xC00, "TLSv1.3": 0x3000}[version]
    smtp = client(front, postfix, ssl_enabled_protocols=mask, reuse_ssl_session=True)
    resumed = []
    for _ in range(2):
        front.connect(smtp)
        assert smtp.tls.version == version
        resumed.append(smtp.tls.resumed)
        front.disconnect(smtp)
    assert resumed == [False, True]


# --- the client's certificate ---------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PFX file", "PFX blob", "PEM file", "PEM blob"])
def test_postfix_knows_the_client_by_its_certificate(
    front: Front, postfix: Postfix, form: str, tmp_path: Path
) -> None:
    pem = Path(postfix.client_certificate.pem_file).read_bytes()
    blob = pfx(pem, "pw") if "PFX" in form else pem
    store: Any = blob
    if "file" in form:
        store = str(tmp_path / "store")
        Path(store).write_bytes(blob)
    certificate = Certificate(CertStoreType.AUTO, store, "pw", "client.example")
    smtp = client(front, postfix, mail_port=postfix.certificate_port, ssl_cert=certificate)
    trace = postfix.received(send(front, smtp)).trace
    assert b'Client CN "client.example"' in trace


def test_postfix_sees_none_where_none_is_set(front: Front, postfix: Postfix) -> None:
    smtp = client(front, postfix, mail_port=postfix.certificate_port)
    with pytest.raises(RecipientsRefused):
        send(front, smtp)


def test_another_client_is_not_taken_for_the_known_one(
    front: Front, postfix: Postfix, authority: Authority
) -> None:
    eve = Certificate(CertStoreType.PEM_KEY_FILE, authority.issue("client.example").pem_file)
    smtp = client(front, postfix, mail_port=postfix.certificate_port, ssl_cert=eve)
    with pytest.raises(RecipientsRefused):
        send(front, smtp)


def pfx(pem: bytes, password: str) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"client",
        cast("Any", load_pem_private_key(pem, None)),
        x509.load_pem_x509_certificate(pem),
        None,
        BestAvailableEncryption(password.encode()),
    )


def test_ciphers_that_postfix_does_not_speak(front: Front, postfix: Postfix) -> None:
    # Postfix shows a certificate for ECDSA.
    smtp = client(
        front,
        postfix,
        ssl_enabled_protocols=0xC00,
        openssl_cipher_list="ECDHE-RSA-AES128-GCM-SHA256",
    )
    with pytest.raises((TLSError, BadValue)):
        front.connect(smtp)
