"""Signatures, judged by dkimpy."""

from __future__ import annotations

import base64
import warnings
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization as serial
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtps import BadValue, DkimSigner, Message
from smtps.testing import Sink
from tests.support.fronts import Front

RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> bytes:
    data: bytes = key.private_bytes(
        serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.NoEncryption()
    )
    return data


def record(name: bytes, timeout: int = 5) -> bytes:
    if name.startswith(b"rsa."):
        public = RSA.public_key().public_bytes(
            serial.Encoding.DER, serial.PublicFormat.SubjectPublicKeyInfo
        )
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    public = ED25519.public_key().public_bytes(serial.Encoding.Raw, serial.PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(public)


def verifies(message: bytes) -> bool:
    count = message.lower().split(b"\r\n\r\n")[0].count(b"dkim-signature:")
    judge = dkim.DKIM(message)
    try:
        return count > 0 and all(judge.verify(place, dnsfunc=record) for place in range(count))
    except dkim.ValidationError:
        return False


def signer(kind: str = "rsa", **options: Any) -> DkimSigner:
    return DkimSigner("b.example", kind, pem(RSA if kind == "rsa" else ED25519), **options)


def make(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "from_": "Ann <a@b.example>",
        "to": "x@y.example",
        "subject": "Grüße",
        "text": "Hello  \tyou \n\n.\nGrüße\n\n\n",
        "html": "<p>Grüße</p>",
    }
    return Message(**fields | changes)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    "form", ["relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed", "relaxed"]
)
def test_a_signature_verifies(kind: str, form: str) -> None:
    message = make(headers={"X-Long": "word " * 60})
    message.sign(signer(kind, canonicalization=form))
    assert verifies(message.render())


def test_several_signatures_all_verify() -> None:
    message = make()
    message.attach(b"%PDF" * 50_000, name="a.pdf")
    message.sign(signer("rsa"), signer("ed25519", canonicalization="simple/simple"))
    data = message.render()
    assert data.count(b"DKIM-Signature:") == 2
    assert verifies(data)


@given(text=st.text(st.characters(exclude_categories=["Cs"])), subject=st.text(max_size=90))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_message_verifies(text: str, subject: str) -> None:
    try:
        message = make(text=text, html=None, subject=subject)
    except BadValue:
        return
    message.sign(signer("ed25519"))
    assert verifies(message.render() + b"\r\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\nSubject:", b"\r\nSubject: more\r\nSubject:"),
        (b"From: Ann", b"From: Eve <e@x.example>\r\nFrom: Ann"),
        (b"\r\nMIME-Version", b"\r\nReply-To: e@x.example\r\nMIME-Version"),
        (b"\r\nMIME-Version", b"\r\nCc: e@x.example\r\nMIME-Version"),
        (b"=20", b"=21"),
        (b"--\r\n", b"--\r\nmore\r\n"),
    ],
)
def test_what_is_changed_or_added_breaks_it(old: bytes, new: bytes) -> None:
    message = make()
    message.sign(signer())
    data = message.render()
    assert old in data
    assert not verifies(data.replace(old, new, 1))


def test_white_space_that_changes_on_the_way_does_not(  # RFC 6376, section 3.4.
) -> None:
    message = make(text="Hello you\n", html=None)
    message.sign(signer())
    data = message.render()
    changed = data.replace(b"Hello you\r\n", b"Hello   you \t\r\n\r\n\r\n")
    assert changed != data
    assert verifies(changed)


def test_the_signature_covers_the_message_as_it_is_sent(front: Front, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 1000)
    message = make()
    message.attach(path)
    message.sign(signer("rsa"), signer("ed25519"))
    with Sink() as sink:
        front.send(front.at(sink.url), message)
    assert verifies(sink.messages[0].content)
    assert sink.messages[0].content.isascii()


def test_there_is_no_length_and_lines_keep_to_their_limit() -> None:
    message = make()
    message.sign(signer())
    field = message.render().split(b"\r\nFrom:")[0]
    assert b" l=" not in field
    assert max(map(len, field.split(b"\r\n"))) <= 78


def test_a_signature_can_expire() -> None:
    message = make()
    message.sign(signer(expires=3600))
    assert b" x=" in message.render()
    assert verifies(message.render())


def test_one_click_must_be_covered() -> None:
    message = make()
    message.unsubscribe(url="https://b.example/u")
    message.sign(signer())
    assert verifies(message.render())
    other = make()
    other.unsubscribe(url="https://b.example/u")
    with pytest.raises(BadValue, match="list-unsubscribe-post"):
        other.sign(signer(headers=["From", "To", "List-Unsubscribe"]))


def test_a_domain_that_is_not_the_authors_is_warned_of() -> None:
    with pytest.warns(RuntimeWarning, match=r"c\.example"):
        make(from_="a@c.example").sign(signer())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(from_="a@mail.b.example").sign(signer())


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (b"no key", "PEM"),
        (pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "Ed25519"),
        ("/nowhere/key.pem", "cannot be read: .*; give PEM, or the path of a file with it"),
        (Path("/nowhere/key.pem"), "cannot be read: .*: '/nowhere/key.pem'; give PEM"),
        (5, "expected PEM or the path of a file, not int"),
    ],
    ids=["no key", "a short one", "of another kind", "no file", "no path", "a number"],
)
def test_a_key_that_cannot_sign_is_refused_at_once(key: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        DkimSigner("b.example", "s", key)


def test_a_key_comes_from_a_file_and_may_be_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(
        RSA.private_bytes(
            serial.Encoding.PEM,
            serial.PrivateFormat.PKCS8,
            serial.BestAvailableEncryption(b"S3cr3t"),
        )
    )
    message = make()
    message.sign(DkimSigner("b.example", "rsa", path, password=b"S3cr3t"))
    assert verifies(message.render())
    with pytest.raises(BadValue, match="key") as caught:
        DkimSigner("b.example", "rsa", str(path), password=b"wrong")
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        *({"canonicalization": "loose"}, {"canonicalization": "relaxed/relaxed/x"}, {"expires": 0}),
        *({"headers": "From"}, {"headers": ["From:"]}, {"headers": ["a\r\nb"]}),
        *({"headers": 5}, {"headers": [5]}, {"canonicalization": 5}, {"expires": "1"}),
    ],
)
def test_an_argument_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadValue, match=next(iter(options))):
        signer(**options)


@pytest.mark.parametrize("selector", ["", "a b", "a\r\nb", "x" * 64, "-a", "ä", 5, None])
def test_a_selector_is_a_label(selector: Any) -> None:
    with pytest.raises(BadValue, match="selector"):
        DkimSigner("b.example", selector, pem(RSA))


def test_a_domain_is_text() -> None:
    domain: Any = 5
    with pytest.raises(BadValue, match="domain: expected text, not int"):
        DkimSigner(domain, "s", pem(RSA))
