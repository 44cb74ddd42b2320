"""The client's own certificate: shown where a server asks for it, its key nowhere left behind."""

from __future__ import annotations

import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from smtps import BadValue, Certificate, CertStoreType, SMTPSError, TLSError
from smtps.drivers.client_key import load_client_key
from smtps.testing import Sink
from tests.support.chains import CLIENT, Chains, Signed, rsa_key
from tests.support.fronts import Front
from tests.support.secured import WAYS, client, fails, only

pytestmark = pytest.mark.usefixtures("resolves")


@pytest.fixture(scope="module")
def ann(chains: Chains) -> Signed:
    return chains.sign("Ann", by=chains.below, purpose=CLIENT)


def shown(chains: Chains) -> Any:
    return chains.serve(chains.leaf("relay.example"))


def as_certificate(ann: Signed, form: str, folder: Path) -> Certificate:
    blob = ann.pfx("pw") if "PFX" in form else ann.key_pem("pw") + ann.pem + ann.above[0].pem
    kind = CertStoreType.PFX_BLOB if "PFX" in form else CertStoreType.PEM_KEY_BLOB
    if "BLOB" in form:
        return Certificate(kind, blob, "pw")
    path = folder / "store"
    path.write_bytes(blob)
    return Certificate(CertStoreType(kind - 1), str(path), "pw")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("form", ["PFX_FILE", "PFX_BLOB", "PEM_FILE", "PEM_BLOB"])
def test_it_is_shown_where_the_server_asks(
    front: Front, chains: Chains, ann: Signed, form: str, tls: Any, tmp_path: Path
) -> None:
    with Sink(tls=tls, certificate=shown(chains), client_ca=chains.ca_file) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.ssl_cert = as_certificate(ann, form, tmp_path)
        front.connect(smtp)
        assert sink.connections[0].certificate == ann.der


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_it_is_shown_in_every_version_and_way(
    front: Front, chains: Chains, ann: Signed, way: str, version: str
) -> None:
    with Sink(
        tls="implicit",
        certificate=shown(chains),
        client_ca=chains.ca_file,
        require_client=True,
    ) as sink:
        only_version = 0xC00 if version == "TLSv1_2" else 0x3000
        smtp = client(front, sink, "relay.example", chains, way, ssl_enabled_protocols=only_version)
        smtp.ssl_cert = Certificate(CertStoreType.PFX_BLOB, ann.pfx())
        front.connect(smtp)
        assert sink.connections[0].certificate == ann.der


def test_an_rsa_key_works_too(front: Front, chains: Chains) -> None:
    eve = chains.sign("Eve", by=chains.below, purpose=CLIENT, key=rsa_key())
    with Sink(tls="implicit", certificate=shown(chains), client_ca=chains.ca_file) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.ssl_cert = Certificate(CertStoreType.PFX_BLOB, eve.pfx())
        front.connect(smtp)
        assert sink.connections[0].certificate == eve.der


def test_nothing_is_shown_where_nobody_asks(front: Front, chains: Chains, ann: Signed) -> None:
    with Sink(tls="implicit", certificate=shown(chains)) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.ssl_cert = Certificate(CertStoreType.PFX_BLOB, ann.pfx())
        front.connect(smtp)
        assert sink.connections[0].certificate == b""


def test_a_client_without_one_is_served_where_it_is_optional(front: Front, chains: Chains) -> None:
    with Sink(tls="implicit", certificate=shown(chains), client_ca=chains.ca_file) as sink:
        front.connect(client(front, sink, "relay.example", chains))
        assert sink.connections[0].certificate == b""


def test_a_server_that_insists_is_understood(front: Front, chains: Chains) -> None:
    with Sink(
        tls="implicit",
        certificate=shown(chains),
        client_ca=chains.ca_file,
        require_client=True,
    ) as sink:
        error = fails(front, client(front, sink, "relay.example", chains), sink)
        assert isinstance(error, TLSError)
        assert error.code == 281
        assert "ssl_cert" in str(error)


def test_the_part_by_part_form_works_without_a_subject(
    front: Front, chains: Chains, ann: Signed, tmp_path: Path
) -> None:
    path = tmp_path / "ann.pem"
    path.write_bytes(ann.key_pem("pw") + ann.pem + ann.above[0].pem)
    with Sink(tls="implicit", certificate=shown(chains), client_ca=chains.ca_file) as sink:
        smtp = client(
            front,
            sink,
            "relay.example",
            chains,
            ssl_cert_store=str(path),
            ssl_cert_store_password="pw",
        )
        for _ in range(2):
            front.connect(smtp)
            front.disconnect(smtp)
        assert [one.certificate for one in sink.connections] == [ann.der] * 2
        assert smtp.ssl_cert_subject == "CN=Ann,O=smtps tests"


def test_a_store_that_cannot_be_opened_touches_no_network(front: Front, chains: Chains) -> None:
    with Sink(tls="implicit") as sink:
        smtp = client(front, sink, "localhost", chains, ssl_cert_store="/no/such/file")
        with pytest.raises(BadValue, match="ssl_cert_store") as caught:
            front.connect(smtp)
        assert caught.value.code == 271
        assert sink.connections == ()


def test_clients_of_different_certificates_do_not_share_one(
    front: Front, chains: Chains, ann: Signed
) -> None:
    eve = chains.sign("Eve", by=chains.below, purpose=CLIENT)
    with Sink(tls="implicit", certificate=shown(chains), client_ca=chains.ca_file) as sink:
        for one in (ann, eve, ann):
            smtp = client(front, sink, "relay.example", chains)
            smtp.ssl_cert = Certificate(CertStoreType.PFX_BLOB, one.pfx())
            front.connect(smtp)
        assert [one.certificate for one in sink.connections] == [ann.der, eve.der, ann.der]


# --- the key on its way into the TLS library ------------------------------------------------------


@pytest.mark.parametrize("lacks", ["nothing", "memory", "proc"])
def test_no_file_with_the_key_is_left(
    ann: Signed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    if lacks == "memory":
        monkeypatch.delattr(os, "memfd_create")
    elif lacks == "proc":
        monkeypatch.setattr("smtps.drivers.client_key._DESCRIPTORS", "/no/proc/")
    memory = lacks == "nothing"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[tuple[str, int, bytes]] = []

    class Watching(ssl.SSLContext):
        def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
            content = Path(certfile).read_bytes()
            seen.append((certfile, os.stat(certfile).st_mode & 0o077, content))
            super().load_cert_chain(certfile, keyfile, password)

    before = set(os.listdir("/proc/self/fd"))
    load_client_key(
        Watching(ssl.PROTOCOL_TLS_CLIENT), Certificate(CertStoreType.PFX_BLOB, ann.pfx())
    )
    ((path, others, content),) = seen
    assert path.startswith("/proc/self/fd/" if memory else str(tmp_path))
    assert memory or others == 0
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in content
    assert os.listdir(tmp_path) == []
    assert set(os.listdir("/proc/self/fd")) == before


def test_the_file_is_removed_when_the_library_refuses_it(
    chains: Chains, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    weak = chains.sign("Weak", by=chains.below, key=rsa.generate_private_key(65537, 1024))
    with pytest.raises(BadValue, match="key too small") as caught:
        load_client_key(
            ssl.create_default_context(), Certificate(CertStoreType.PFX_BLOB, weak.pfx())
        )
    assert caught.value.code == 273
    assert os.listdir(tmp_path) == []


def test_a_certificate_that_the_server_does_not_know_is_an_error(
    front: Front, chains: Chains
) -> None:
    stranger = chains.sign("Stranger", by=chains.sign("Nobody", authority=True))
    certificate = only(shown(chains), ssl.TLSVersion.TLSv1_3)
    with Sink(tls="implicit", certificate=certificate, client_ca=chains.ca_file) as sink:
        smtp = client(front, sink, "relay.example", chains)
        smtp.ssl_cert = Certificate(CertStoreType.PFX_BLOB, stranger.pfx())
        error = fails(front, smtp, sink)
        assert isinstance(error, SMTPSError)
        assert "alert" in str(error)
