"""Who decides about the server's certificate: a handler, a pin, and what the options ignore."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import warnings
from typing import Any

import pytest

from smtps import (
    SMTPS,
    AsyncSMTPS,
    BadValue,
    Certificate,
    CertificateRefused,
    Interrupted,
    PITrail,
    SSLServerAuthentication,
    SSLStatus,
)
from smtps.testing import Sink
from tests.support.chains import DAY, EMAIL, Chains, Signed
from tests.support.fronts import Front
from tests.support.secured import client, refuses

pytestmark = pytest.mark.usefixtures("resolves")

DATES, UNKNOWN, PURPOSE, NAME = 0x1, 0x10, 0x20, 0x8000_0000


def bad(chains: Chains) -> Signed:
    return chains.leaf("other.example")


def good(chains: Chains) -> Signed:
    return chains.leaf("relay.example")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_handler_can_refuse_what_verification_accepts(
    front: Front, chains: Chains, tls: Any
) -> None:
    def refuse(event: SSLServerAuthentication) -> None:
        assert event.accept
        event.accept = False

    with Sink(tls=tls, certificate=chains.serve(good(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.on_ssl_server_authentication = refuse
        assert "refused" in refuses(front, smtp, sink).status
        smtp.on_ssl_server_authentication = None
        front.connect(smtp)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_handler_can_accept_what_verification_refuses(
    front: Front, chains: Chains, tls: Any
) -> None:
    def accept(event: SSLServerAuthentication) -> None:
        assert not event.accept
        event.accept = True

    with Sink(tls=tls, certificate=chains.serve(bad(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.on_ssl_server_authentication = accept
        trail: list[PITrail] = []
        smtp.on_pi_trail = trail.append
        front.connect(smtp)
        assert "mismatch" in smtp.ssl_server_cert_status
        assert any("in spite of" in event.message for event in trail)


def test_a_handler_sees_the_certificate(front: Front, chains: Chains) -> None:
    leaf = good(chains)
    seen: list[SSLServerAuthentication] = []
    with Sink(tls="implicit", certificate=chains.serve(leaf)) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.on_ssl_server_authentication = seen.append
        front.connect(smtp)
    (event,) = seen
    assert event.cert_encoded == leaf.der
    assert event.cert_subject == "CN=relay.example,O=smtps tests"
    assert event.cert_issuer == "CN=Below the root,O=smtps tests"


def test_a_handler_that_raises_ends_the_connection(front: Front, chains: Chains) -> None:
    def fail(_: SSLServerAuthentication) -> None:
        raise LookupError("mine")

    with Sink(tls="implicit", certificate=chains.serve(good(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.on_ssl_server_authentication = fail
        with pytest.raises(LookupError):
            front.connect(smtp)
        assert not smtp.connected
        sink.wait_until(lambda: sink.connections[0].closed)
        assert sink.commands == []


def test_a_handler_can_interrupt(front: Front, chains: Chains) -> None:
    with Sink(tls="implicit", certificate=chains.serve(good(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.on_ssl_server_authentication = lambda event: smtp.interrupt()
        with pytest.raises(Interrupted):
            front.connect(smtp)
        assert not smtp.connected
        sink.wait_until(lambda: sink.connections[0].closed)
        assert sink.commands == []


@pytest.mark.parametrize("accepts", [True, False])
def test_a_coroutine_decides_while_the_server_waits(chains: Chains, accepts: bool) -> None:
    with Sink(tls="implicit", certificate=chains.serve(bad(chains))) as sink:

        async def decide(event: SSLServerAuthentication) -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            assert sink.commands == []
            event.accept = accepts

        async def main() -> None:
            async with AsyncSMTPS(
                mail_server="127.0.0.1", mail_port=sink.port, openssl_ca_file=chains.ca_file
            ) as smtp:
                smtp.on_ssl_server_authentication = decide
                await smtp.connect()

        if accepts:
            asyncio.run(main())
            assert sink.commands[-1] == "QUIT"
        else:
            with pytest.raises(CertificateRefused):
                asyncio.run(main())
            assert sink.commands == []


def test_the_steps_are_told_in_order(front: Front, chains: Chains) -> None:
    told: list[object] = []
    with Sink(tls="implicit", certificate=chains.serve(good(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.on_ssl_status = smtp.on_ssl_server_authentication = smtp.on_pi_trail = told.append
        front.connect(smtp)
    kinds = [type(event) for event in told if isinstance(event, PITrail) is False]
    assert kinds == [SSLStatus, SSLStatus, SSLStatus, SSLServerAuthentication, SSLStatus]
    words = [event.message for event in told if isinstance(event, SSLStatus)]
    assert "begins" in words[0]
    assert words[1].startswith("TLSv1.3, TLS_")
    assert words[2] == "certificate received: OK"
    assert words[3] == "TLS handshake complete"
    greeting = next(i for i, event in enumerate(told) if "220" in getattr(event, "message", ""))
    assert type(told[greeting - 1]) is SSLStatus


@pytest.mark.parametrize("way", ["handler", "OpenSSL"])
def test_a_refusal_is_told(front: Front, chains: Chains, way: str) -> None:
    told: list[SSLStatus] = []
    with Sink(tls="implicit", certificate=chains.serve(bad(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.on_ssl_status = told.append
        if way == "handler":
            smtp.on_ssl_server_authentication = lambda event: None
        refuses(front, smtp, sink)
    assert "refused" in told[-1].message
    assert "mismatch" in told[-1].message


# --- the pin --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["DER", "PEM", "PEM text", "Certificate"])
def test_a_pinned_certificate_is_accepted_without_further_checks(
    front: Front, chains: Chains, form: str
) -> None:
    leaf = chains.leaf("other.example", by=None, begins=-9 * DAY, ends=-DAY)
    pin = {
        "DER": leaf.der,
        "PEM": leaf.pem,
        "PEM text": leaf.pem.decode(),
        "Certificate": Certificate.from_der(leaf.der),
    }[form]
    with Sink(tls="implicit", certificate=chains.serve(leaf)) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_accept_server_cert=pin)
        front.connect(smtp)
        assert smtp.ssl_server_cert_status == "OK"


def test_the_event_still_decides_about_a_pinned_certificate(front: Front, chains: Chains) -> None:
    def refuse(event: SSLServerAuthentication) -> None:
        assert (event.status, event.accept) == ("OK", True)
        event.accept = False

    leaf = bad(chains)
    with Sink(tls="implicit", certificate=chains.serve(leaf)) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_accept_server_cert=leaf.der)
        smtp.on_ssl_server_authentication = refuse
        refuses(front, smtp, sink)


def test_another_certificate_of_the_same_key_is_not_the_pinned_one(
    front: Front, chains: Chains
) -> None:
    pinned = bad(chains)
    other = chains.leaf("other.example", key=pinned.key)
    with Sink(tls="implicit", certificate=chains.serve(other)) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_accept_server_cert=pinned.der)
        assert "mismatch" in refuses(front, smtp, sink).status


def test_what_is_no_certificate_cannot_be_pinned() -> None:
    for value in (b"nonsense", "-----BEGIN CERTIFICATE-----\n", b"\x30\x03\x02\x01\x01"):
        with pytest.raises(BadValue, match="ssl_accept_server_cert"):
            SMTPS(ssl_accept_server_cert=value)


# --- what the options ignore ----------------------------------------------------------------------

EXPIRED = {"begins": -9 * DAY, "ends": -DAY}


def unknown(chains: Chains, *names: str, **how: Any) -> Signed:
    return chains.leaf(*names, by=chains.sign("Nobody", authority=True), **how)


#: What is wrong, the certificate, and the flags that are needed for it to pass.
WRONG: dict[str, tuple[Any, int]] = {
    "expired": (lambda chains: chains.leaf("relay.example", **EXPIRED), DATES),
    "not yet valid": (lambda chains: chains.leaf("relay.example", begins=DAY), DATES),
    "unknown": (lambda chains: unknown(chains, "relay.example"), UNKNOWN),
    "self-signed": (lambda chains: chains.leaf("relay.example", by=None), UNKNOWN),
    "purpose": (lambda chains: chains.leaf("relay.example", purpose=EMAIL), PURPOSE),
    "name": (lambda chains: chains.leaf("other.example"), NAME),
    "name and dates": (lambda chains: chains.leaf("other.example", **EXPIRED), NAME | DATES),
    "name and purpose": (
        lambda chains: chains.leaf("other.example", purpose=EMAIL),
        NAME | PURPOSE,
    ),
    "dates and purpose": (
        lambda chains: chains.leaf("relay.example", purpose=EMAIL, **EXPIRED),
        DATES | PURPOSE,
    ),
    "unknown and name": (lambda chains: unknown(chains, "other.example"), UNKNOWN | NAME),
    "unknown and dates": (
        lambda chains: unknown(chains, "relay.example", **EXPIRED),
        UNKNOWN | DATES,
    ),
    "unknown and purpose": (
        lambda chains: unknown(chains, "relay.example", purpose=EMAIL),
        UNKNOWN | PURPOSE,
    ),
    "all": (
        lambda chains: unknown(chains, "other.example", purpose=EMAIL, **EXPIRED),
        UNKNOWN | PURPOSE | NAME | DATES,
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_flags_ignore_what_they_name_and_nothing_else(
    front: Front, chains: Chains, case: str
) -> None:
    make, needed = WRONG[case]
    with Sink(tls="implicit", certificate=chains.serve(make(chains))) as sink:
        for flags in range(16):
            chosen = (DATES, UNKNOWN, PURPOSE, NAME)
            mask = sum(bit for place, bit in enumerate(chosen) if flags >> place & 1)
            smtp = client(front, sink, "relay.example", chains, ssl_security_flags=mask)
            if mask & needed == needed:
                front.connect(smtp)
                assert smtp.ssl_server_cert_status not in ("", "OK")
                front.disconnect(smtp)
            else:
                refuses(front, smtp, sink)


def test_the_flags_preset_what_the_handler_decides(front: Front, chains: Chains) -> None:
    seen: list[SSLServerAuthentication] = []
    with Sink(tls="implicit", certificate=chains.serve(bad(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_security_flags=NAME)
        smtp.on_ssl_server_authentication = seen.append
        front.connect(smtp)
    assert seen[0].accept
    assert "mismatch" in seen[0].status


@pytest.mark.parametrize("bit", [0x2, 0x4, 0x100, 0x200, 0x400, 0x800, 0x4000, 0x8000])
def test_other_flags_are_taken_and_ignore_nothing(front: Front, chains: Chains, bit: int) -> None:
    with Sink(tls="implicit", certificate=chains.serve(bad(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains, ssl_security_flags=bit)
        refuses(front, smtp, sink)
        # OpenSSL itself broke off the handshake, with an alert.
        assert isinstance(sink.connections[0].error, ssl.SSLError)


def test_a_purpose_is_ignored_under_a_folder_of_authorities(
    front: Front, chains: Chains, tmp_path: Any
) -> None:
    (tmp_path / "root.pem").write_bytes(chains.root.pem)
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    # OpenSSL passes over these too.
    (tmp_path / "0a0a0a0a.0").symlink_to("gone.pem")
    (tmp_path / "0b0b0b0b.0").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n")
    (tmp_path / "0c0c0c0c.0").mkdir()
    leaf = chains.leaf("relay.example", purpose=EMAIL)
    with Sink(tls="implicit", certificate=chains.serve(leaf)) as sink:
        options = {"openssl_ca_file": "", "openssl_ca_dir": str(tmp_path)}
        refuses(front, client(front, sink, "relay.example", chains, **options), sink)
        smtp = client(front, sink, "relay.example", chains, ssl_security_flags=PURPOSE, **options)
        front.connect(smtp)


@pytest.mark.usefixtures("warned_anew")
def test_any_certificate_passes_where_asked_and_the_status_is_true(
    front: Front, chains: Chains
) -> None:
    seen: list[SSLServerAuthentication] = []
    with Sink(tls="implicit", certificate=chains.serve(bad(chains))) as sink:
        smtp = client(front, sink, "relay.example", chains, accept_any_server_cert=True)
        smtp.on_ssl_server_authentication = seen.append
        with pytest.warns(RuntimeWarning, match="anyone in the middle"):
            front.connect(smtp)
        front.disconnect(smtp)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            front.connect(smtp)
    assert [event.accept for event in seen] == [True, True]
    assert "mismatch" in seen[0].status
    assert smtp.ssl_server_cert_status == seen[0].status


# --- what is known afterwards ---------------------------------------------------------------------


@pytest.mark.parametrize("way", ["by OpenSSL", "by handler"])
def test_the_certificate_is_kept_until_the_next_connect(
    front: Front, chains: Chains, way: str
) -> None:
    leaf = good(chains)
    with Sink(tls="implicit", certificate=chains.serve(leaf)) as sink:
        smtp = client(front, sink, "relay.example", chains, way)
        assert (smtp.ssl_server_cert, smtp.ssl_server_cert_status) == (None, "")
        front.connect(smtp)
        front.disconnect(smtp)
        assert smtp.ssl_server_cert.encoded == leaf.der
        assert smtp.ssl_server_cert.subject == "CN=relay.example,O=smtps tests"
        assert smtp.ssl_server_cert_status == "OK"
        assert smtp.tls.bits in (128, 256)
    with Sink() as sink:
        smtp.mail_port, smtp.ssl_start_mode, smtp.user = sink.port, 3, ""
        front.connect(smtp)
        assert (smtp.ssl_server_cert, smtp.ssl_server_cert_status) == (None, "")
