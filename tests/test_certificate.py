"""Certificate stores: PFX and PEM, files and blobs, and the choice by subject."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smtps import SMTPS, BadValue, Certificate, CertStoreType
from tests.support.chains import CLIENT, Chains, Signed

PFX, PEM = CertStoreType.PFX_BLOB, CertStoreType.PEM_KEY_BLOB
AUTO = CertStoreType.AUTO
PASSWORD = "Pa\u00dfwort"


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Chains:
    return Chains(tmp_path_factory.mktemp("chains"))


@pytest.fixture(scope="module")
def ann(chains: Chains) -> Signed:
    return chains.sign("Ann", by=chains.below, purpose=CLIENT)


@pytest.fixture(scope="module")
def bob(chains: Chains) -> Signed:
    return chains.sign("Bob", by=chains.root, purpose=CLIENT)


def pem(*signed: Signed, password: str = "") -> bytes:
    return b"".join(one.key_pem(password) + one.pem for one in signed)


def refused(*arguments: Any) -> BadValue:
    with pytest.raises(BadValue) as caught:
        Certificate(*arguments)
    return caught.value


# --- kinds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", PASSWORD])
@pytest.mark.parametrize("kind", ["PFX", "PEM"])
def test_blobs_and_files_are_opened_and_told_apart(
    ann: Signed, tmp_path: Path, kind: str, password: str
) -> None:
    blob = ann.pfx(password) if kind == "PFX" else pem(ann, *ann.above[:1], password=password)
    path = tmp_path / "store"
    path.write_bytes(blob)
    of_blob = PFX if kind == "PFX" else PEM
    of_file = CertStoreType.PFX_FILE if kind == "PFX" else CertStoreType.PEM_KEY_FILE
    for store_type, store in (
        (of_blob, blob),
        (of_file, str(path)),
        (AUTO, blob),
        (AUTO, str(path)),
        (99, os.fsencode(path)),
    ):
        certificate = Certificate(store_type, store, password)
        assert certificate.subject == "CN=Ann,O=smtps tests"
        assert certificate.issuer == "CN=Below the root,O=smtps tests"
        assert certificate.encoded == ann.der
        assert certificate.key.private_numbers() == ann.key.private_numbers()


def test_pem_may_be_text(ann: Signed) -> None:
    for kind in (PEM, AUTO):
        assert Certificate(kind, pem(ann).decode()).encoded == ann.der


def test_the_parts_of_a_pem_file_come_in_any_order_with_words_between(ann: Signed) -> None:
    blob = b"Ann's\n" + ann.pem + b"\nthe key:\n" + ann.key_pem().replace(b"\n", b"\r\n")
    assert Certificate(PEM, blob).encoded == ann.der


def test_a_traditional_key_is_read(ann: Signed) -> None:
    key = subprocess.run(
        ["openssl", "pkey", "-traditional"], input=ann.key_pem(), capture_output=True, check=True
    ).stdout
    assert b"BEGIN EC PRIVATE KEY" in key
    assert Certificate(PEM, key + ann.pem).encoded == ann.der


def test_a_password_that_is_not_needed_does_no_harm(ann: Signed) -> None:
    assert Certificate(PEM, pem(ann), "needless").encoded == ann.der


@pytest.mark.parametrize(
    "kind", [kind for kind in CertStoreType if kind not in (2, 3, 6, 7, 99)], ids=str
)
def test_other_kinds_are_refused_with_the_way_out(kind: CertStoreType) -> None:
    error = refused(kind, "store")
    assert error.code == 271
    assert kind.name in str(error)
    assert "PFX" in str(error)


@pytest.mark.parametrize("kind", [CertStoreType.USER, CertStoreType.MACHINE])
def test_the_stores_of_windows_are_refused_with_the_reason(
    kind: CertStoreType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "exists on Windows only" in str(refused(kind, "MY"))
    monkeypatch.setattr("smtps.certificate_store._ON_WINDOWS", True)
    error = refused(kind, "MY")
    assert "exists on Windows only" not in str(error)
    assert "private key" in str(error)


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PFX", "PEM"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_is_an_error_that_does_not_repeat_it(
    ann: Signed, kind: str, password: str
) -> None:
    blob = ann.pfx(PASSWORD) if kind == "PFX" else pem(ann, password=PASSWORD)
    error = refused(AUTO, blob, password)
    assert error.code == 271
    assert "password" in str(error)
    assert "wrong password" not in str(error) or password == "wrong" or kind == "PFX"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for kind in (CertStoreType.PFX_FILE, CertStoreType.PEM_KEY_FILE, AUTO):
        error = refused(kind, str(tmp_path / "none"))
        assert error.code == 271
        assert "No such file" in str(error)


@pytest.mark.parametrize("kind", [CertStoreType.PFX_FILE, CertStoreType.PEM_KEY_FILE, AUTO])
def test_a_file_too_large_for_a_store_is_not_read_whole(
    kind: CertStoreType, tmp_path: Path
) -> None:
    with (tmp_path / "store").open("wb") as file:
        file.truncate(1 << 40)
    error = refused(kind, str(tmp_path / "store"))
    assert error.code == 271
    assert "larger than 16 MiB" in str(error)


@pytest.mark.parametrize("store", ["", b""])
def test_an_empty_store_is_refused(store: Any) -> None:
    assert refused(AUTO, store).code == 271


@pytest.mark.parametrize("kind", [PFX, PEM, AUTO])
def test_every_way_to_damage_a_store_is_an_error(ann: Signed, kind: CertStoreType) -> None:
    whole = ann.pfx("pw") if kind is PFX else pem(ann)
    for end in range(1, len(whole), 37):
        error = refused(kind, whole[:end], "pw")
        assert error.code in (271, 273), str(error)
    for place in range(0, len(whole), 41):
        damaged = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        with contextlib.suppress(BadValue):
            Certificate(kind, damaged, "pw")


def test_a_cut_pfx_is_told_from_a_wrong_password(ann: Signed) -> None:
    assert "cut short" in str(refused(PFX, ann.pfx("pw")[:-20], "pw"))
    assert "cut short" in str(refused(PFX, b"\x30", "pw"))


@pytest.mark.parametrize("legacy", [True, False])
def test_a_weak_pfx_works_or_names_the_way_out(ann: Signed, tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "in.pem"
    path.write_bytes(pem(ann))
    weak = subprocess.run(
        ["openssl", "pkcs12", "-export", "-legacy", "-in", str(path), "-passout", "pass:pw"],
        capture_output=True,
        check=True,
    ).stdout
    # The library decides once in a process whether it takes what is weak.
    program = (
        "import sys; from smtps import Certificate\n"
        "try: print(Certificate(3, sys.stdin.buffer.read(), 'pw').subject)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    environment = os.environ | {"CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "" if legacy else "1"}
    told = subprocess.run(
        [sys.executable, "-c", program],
        input=weak,
        capture_output=True,
        check=True,
        env=environment,
    ).stdout.decode()
    if legacy:
        assert told.strip() == "CN=Ann,O=smtps tests"
    else:
        assert told.startswith("BadValue")
        assert "openssl pkcs12 -legacy" in told


def test_a_key_that_does_not_fit_is_found_at_once(ann: Signed, bob: Signed) -> None:
    error = refused(PEM, bob.key_pem() + ann.pem)
    assert error.code == 273
    assert "CN=Ann" in str(error)
    assert refused(PEM, ann.pem).code == 273


def test_a_store_without_certificates_is_refused(ann: Signed) -> None:
    assert refused(PEM, ann.key_pem()).code == 271
    assert refused(PEM, b"nonsense").code == 271


# --- the choice -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ("*", "Ann"),
        ("CN=Bob,O=smtps tests", "Bob"),
        ("cn = bob, o = SMTPS tests", "Bob"),
        ("Bob", "Bob"),
        ("O=smtps tests", "Ann"),
        ("ob", "Bob"),
    ],
)
def test_the_subject_chooses(ann: Signed, bob: Signed, subject: str, wanted: str) -> None:
    certificate = Certificate(PEM, pem(ann, bob), "", subject)
    assert certificate.subject == f"CN={wanted},O=smtps tests"


def test_a_whole_subject_goes_before_one_that_contains_it(chains: Chains) -> None:
    long, short = chains.sign("Ann Other"), chains.sign("Ann")
    blob = pem(long, short)
    assert Certificate(PEM, blob, "", "CN=Ann,O=smtps tests").encoded == short.der
    assert Certificate(PEM, blob, "", "CN=Ann").encoded == long.der


def test_a_subject_of_nobody_chooses_nothing(ann: Signed) -> None:
    for subject in ("Nobody", ""):
        certificate = Certificate(PEM, pem(ann), "", subject)
        assert (certificate.subject, certificate.encoded, certificate.chain) == ("", b"", ())
        assert certificate.key is None


def test_an_authority_in_the_store_is_not_taken_for_the_own_certificate(ann: Signed) -> None:
    blob = ann.above[0].pem + pem(ann)
    assert Certificate(PEM, blob).encoded == ann.der


def test_the_chain_leads_to_the_authority_and_leaves_it_out(chains: Chains, ann: Signed) -> None:
    blob = chains.root.pem + pem(ann) + chains.below.pem
    assert Certificate(PEM, blob).chain == (ann.der, chains.below.der)
    assert Certificate(PFX, ann.pfx("", chains.root)).chain == (ann.der, chains.below.der)


def test_nothing_shows_the_key_or_the_password(ann: Signed) -> None:
    certificate = Certificate(PEM, pem(ann, password=PASSWORD), PASSWORD)
    assert PASSWORD not in repr(vars(certificate)) + repr(certificate)
    assert "PRIVATE" not in repr(certificate)


# --- part by part ---------------------------------------------------------------------------------


def test_the_subject_is_assigned_last_and_opens_the_store(ann: Signed, bob: Signed) -> None:
    smtp = SMTPS()
    smtp.ssl_cert_store_type = CertStoreType.PEM_KEY_BLOB
    smtp.ssl_cert_store = pem(ann, bob, password=PASSWORD)
    smtp.ssl_cert_store_password = PASSWORD
    assert not smtp.ssl_cert
    smtp.ssl_cert_subject = "Bob"
    assert smtp.ssl_cert.encoded == smtp.ssl_cert_encoded == bob.der
    assert smtp.ssl_cert_subject == "CN=Bob,O=smtps tests"
    assert smtp.ssl_cert_store_password == ""
    # The store is open, so that another choice needs no password.
    smtp.ssl_cert_subject = "Ann"
    assert smtp.ssl_cert.encoded == ann.der
    smtp.ssl_cert_encoded = bob.pem
    assert smtp.ssl_cert_subject == "CN=Bob,O=smtps tests"
    smtp.ssl_cert_subject = "Nobody"
    assert (smtp.ssl_cert_subject, smtp.ssl_cert_encoded) == ("", b"")


def test_a_certificate_shows_in_its_parts(ann: Signed) -> None:
    smtp = SMTPS(ssl_cert=Certificate(PFX, ann.pfx("pw"), "pw"))
    assert smtp.ssl_cert_store_type is CertStoreType.PFX_BLOB
    assert smtp.ssl_cert_store == smtp.ssl_cert.store
    assert smtp.ssl_cert_subject == "CN=Ann,O=smtps tests"
    assert smtp.ssl_cert_encoded == ann.der
    smtp.ssl_cert = None
    assert (smtp.ssl_cert_store, smtp.ssl_cert_subject, smtp.ssl_cert_encoded) == ("", "", b"")


def test_a_new_store_forgets_the_old_choice(ann: Signed, bob: Signed) -> None:
    smtp = SMTPS(ssl_cert=Certificate(PEM, pem(ann)))
    smtp.ssl_cert_store = pem(bob)
    assert not smtp.ssl_cert
    assert (smtp.ssl_cert_subject, smtp.ssl_cert_encoded) == ("", b"")
    smtp.ssl_cert_subject = "*"
    assert smtp.ssl_cert.encoded == bob.der


def test_a_subject_that_could_not_be_looked_up_is_not_forgotten(ann: Signed, bob: Signed) -> None:
    smtp = SMTPS(ssl_cert_store=pem(ann, bob, password=PASSWORD))
    with pytest.raises(BadValue, match="password"):
        smtp.ssl_cert_subject = "Bob"
    smtp.ssl_cert_store_password = PASSWORD
    assert smtp.client_certificate is not None
    assert smtp.client_certificate.encoded == bob.der


def test_a_certificate_without_a_store_is_not_chosen(ann: Signed) -> None:
    smtp = SMTPS()
    with pytest.raises(BadValue, match="ssl_cert_store") as caught:
        smtp.ssl_cert_encoded = ann.der
    assert caught.value.code == 271
    assert smtp.ssl_cert_encoded == b""


def test_a_url_names_the_store(ann: Signed, tmp_path: Path) -> None:
    path = tmp_path / "ann.p12"
    path.write_bytes(ann.pfx("pw"))
    smtp = SMTPS.from_url(f"smtps://relay.example?ssl_cert_store_password=pw&SSLCertStore={path}")
    assert smtp.client_certificate is not None
    assert smtp.client_certificate.encoded == ann.der


def test_no_choice_in_a_store_fails_before_the_network(ann: Signed) -> None:
    smtp = SMTPS(mail_server="192.0.2.1", ssl_cert=Certificate(PEM, pem(ann), "", "Nobody"))
    with pytest.raises(BadValue, match="ssl_cert_subject") as caught:
        smtp.connect()
    assert caught.value.code == 272


@pytest.mark.parametrize("value", ["text", 1, b"bytes"])
def test_the_certificate_is_a_certificate(value: Any) -> None:
    with pytest.raises(BadValue, match="ssl_cert"):
        SMTPS(ssl_cert=value)


def test_certificates_are_shown_as_pem(ann: Signed) -> None:
    smtp = SMTPS(ssl_accept_server_cert=ann.der)
    shown = type(smtp).ssl_accept_server_cert.show(smtp.ssl_accept_server_cert)
    assert shown.encode() == ann.pem


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("store_type", (12345, "x.pem")),
        ("store_type", ("pem", "x.pem")),
        ("store", (CertStoreType.PEM_KEY_FILE, 0)),
        ("store", (CertStoreType.AUTO, None)),
        ("password", (CertStoreType.PEM_KEY_FILE, "x.pem", None)),
    ],
)
def test_an_argument_of_another_type_is_named(field: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(BadValue, match=f"^{field}: ") as caught:
        Certificate(*arguments)
    assert caught.value.code == 271


# --- what a server may show -----------------------------------------------------------------------


def test_names_that_are_none_are_empty(ann: Signed) -> None:
    der = ann.der.replace(b"Ann", b"\xff\xfe\xfd").replace(b"Below", b"\xff" * 5)
    shown = Certificate.from_der(der)
    assert (shown.subject, shown.issuer) == ("", "")


@pytest.mark.parametrize("kind", [CertStoreType.PEM_KEY_FILE, CertStoreType.PFX_FILE])
def test_a_file_that_is_not_there_is_named(kind: CertStoreType) -> None:
    with pytest.raises(BadValue, match=r"the file '/none/key.pem' cannot be read: No such file"):
        Certificate(kind, "/none/key.pem")


def test_a_key_that_was_taken_for_a_path_is_not_repeated() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nS3cr3t\n-----END PRIVATE KEY-----\n"
    with pytest.raises(BadValue) as caught:
        Certificate(CertStoreType.PEM_KEY_FILE, key)
    assert "S3cr3t" not in str(caught.value)
