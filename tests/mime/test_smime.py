"""S/MIME, judged by the openssl command."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as serial
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from smtps import BadValue, Message


def certified(key: Any, name: str = "Ann") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serial.Encoding.PEM)


def pem(key: Any) -> bytes:
    data: bytes = key.private_bytes(
        serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.NoEncryption()
    )
    return data


ANN = rsa.generate_private_key(65537, 2048)
ANN_CERTIFICATE = certified(ANN)
EC = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ann.pem").write_bytes(ANN_CERTIFICATE)
    (tmp_path / "ann.key").write_bytes(pem(ANN))
    return tmp_path


def make() -> Message:
    message = Message(from_="a@b.example", to="x@y.example", subject="s", text="Grüße\n.\n")
    message.attach(b"%PDF" * 1000, name="a.pdf")
    return message


def openssl(folder: Path, message: bytes, *arguments: str) -> bytes:
    (folder / "message.eml").write_bytes(message)
    done = subprocess.run(
        ["openssl", "smime", *arguments, "-in", "message.eml"], cwd=folder, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def check_content(content: bytes) -> None:
    parsed = message_from_bytes(content)
    parts: Any = parsed.get_payload()
    text, file = parts
    assert text.get_payload(decode=True).decode().split() == ["Grüße", "."]
    assert file.get_payload(decode=True) == b"%PDF" * 1000


@pytest.mark.parametrize("key", [ANN, EC])
def test_a_signature_verifies(folder: Path, key: Any) -> None:
    (folder / "ca.pem").write_bytes(certificate := certified(key))
    message = make()
    message.sign_smime(certificate, pem(key))
    verify = ("-verify", "-CAfile", "ca.pem")
    check_content(openssl(folder, message.render(), *verify))
    with pytest.raises(AssertionError):
        openssl(folder, message.render().replace(b"JVBERiV", b"JVBERiU", 1), *verify)


def test_what_is_encrypted_is_read_by_whom_it_is_for(folder: Path) -> None:
    message = make()
    message.encrypt_smime(folder / "ann.pem")
    data = message.render()
    assert b"application/pdf" not in data
    decrypt = ("-decrypt", "-recip", "ann.pem", "-inkey", "ann.key")
    check_content(openssl(folder, data, *decrypt))


def test_what_is_signed_can_be_encrypted(folder: Path) -> None:
    message = make()
    message.sign_smime(ANN_CERTIFICATE, folder / "ann.key")
    message.encrypt_smime(ANN_CERTIFICATE)
    decrypt = ("-decrypt", "-recip", "ann.pem", "-inkey", "ann.key")
    inside = openssl(folder, message.render(), *decrypt)
    check_content(openssl(folder, inside, "-verify", "-CAfile", "ann.pem"))


@pytest.mark.parametrize(
    ("certificate", "key", "reason"),
    [
        (b"no certificate", pem(ANN), "certificate"),
        (ANN_CERTIFICATE, b"no key", "key"),
        (ANN_CERTIFICATE, pem(EC), "does not belong"),
        ("/nowhere/cert.pem", pem(ANN), "^certificate: cannot be read: [^:]*; give PEM, or"),
        (Path("/nowhere/a.pem"), pem(ANN), "^certificate: cannot be .*: '/nowhere/a.pem'; give"),
        (5, pem(ANN), "^certificate: expected PEM or the path of a file, not int"),
        (ANN_CERTIFICATE, None, "^key: expected PEM or the path of a file, not NoneType"),
    ],
    ids=[
        *("no certificate", "no key", "another one's key", "no file", "no path", "a number"),
        "nothing",
    ],
)
def test_what_cannot_sign_is_refused_at_once(certificate: Any, key: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        make().sign_smime(certificate, key)


def test_what_nobody_can_read_is_refused_at_once() -> None:
    with pytest.raises(BadValue, match="RSA"):
        make().encrypt_smime(certified(EC))
    with pytest.raises(BadValue, match="none"):
        make().encrypt_smime()
