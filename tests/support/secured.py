"""Clients for sinks that speak TLS, and what must hold when they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from smtps import CertificateRefused, SMTPSError, SSLStartMode
from smtps.testing import Certificate, Sink

from .chains import Chains
from .fronts import Front

__all__ = ["MODES", "WAYS", "client", "fails", "only", "refuses"]

#: How the client is told to decide behind the handshake, without changing what it decides.
WAYS = ["by OpenSSL", "by handler", "by pin"]
MODES = {"starttls": SSLStartMode.EXPLICIT, "implicit": SSLStartMode.IMPLICIT}


def client(
    front: Front, sink: Sink, host: str, chains: Chains, way: str = WAYS[0], **options: Any
) -> Any:
    """Give a component that trusts the root of `chains` and has a password to lose."""
    smtp = front.make(
        mail_server=host,
        mail_port=sink.port,
        ssl_start_mode=MODES[sink._tls or ""],
        user="user",
        password="secret",
        **{"openssl_ca_file": chains.ca_file, **options},
    )
    if way == "by handler":
        smtp.on_ssl_server_authentication = lambda event: None
    elif way == "by pin":
        smtp.ssl_accept_server_cert = chains.root.der
    return smtp


def refuses(front: Front, smtp: Any, sink: Sink) -> CertificateRefused:
    """Connect in vain for the certificate's sake."""
    error = fails(front, smtp, sink)
    assert isinstance(error, CertificateRefused), error
    assert error.code == 280
    assert not error.retryable
    return error


def fails(front: Front, smtp: Any, sink: Sink) -> SMTPSError:
    """Connect in vain; the server must have seen nothing behind EHLO and STARTTLS."""
    with pytest.raises(SMTPSError) as caught:
        front.connect(smtp)
    assert not smtp.connected
    assert not caught.value.session_usable
    sink.wait_until(lambda: sink.connections[-1].closed)
    said = [line for line in sink.connections[-1].commands if not line.startswith("EHLO")]
    assert said in ([], ["STARTTLS"])
    return caught.value


def only(certificate: Certificate, version: Any, ciphers: str = "") -> Certificate:
    """Let the server that shows a certificate speak one version only."""
    certificate.context.minimum_version = certificate.context.maximum_version = version
    if ciphers:
        certificate.context.set_ciphers(ciphers)
    return certificate
