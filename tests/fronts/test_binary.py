"""Files as they are, to servers that offer BINARYMIME. RFC 3030, section 3."""

from __future__ import annotations

import io
from base64 import b64encode
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from smtps import DkimSigner, EndTransfer, Message, StartTransfer, Transfer
from smtps.testing import ALL_EXTENSIONS, Fault, Sink, SinkMessage
from tests.support.fronts import Front

OFFER = (*ALL_EXTENSIONS, "BINARYMIME")
#: Every byte, bare newlines, dots at the start of lines, and what would end a DATA.
NASTY = bytes(range(256)) + b"\r\n.\r\n\n.\n\r.\r\r\n.." + b"\0" * 9
LARGE = NASTY * 4000


def message(*files: Any) -> Message:
    made = Message(
        from_="a@b.example", to="x@y.example", subject="Files", text="Zoë.\n", html="<p>Zoë</p>"
    )
    for number, file in enumerate(files):
        made.attach(file, name=f"{number}.bin")
    return made


def files_in(taken: SinkMessage) -> list[bytes]:
    """Take the parts out by their boundary: parsers of lines would change them."""
    found = []
    mixed = taken.content.partition(b'boundary="=_mix')[2].partition(b'"')[0]
    for part in taken.content.split(b"\r\n--=_mix" + mixed)[2:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        assert b"Content-Transfer-Encoding: binary" in head
        found.append(body)
    return found


@pytest.mark.parametrize("pipelining", [True, False])
def test_files_go_as_they_are(front: Front, tmp_path: Path, pipelining: bool) -> None:
    (tmp_path / "large").write_bytes(LARGE)
    offer = OFFER if pipelining else tuple(one for one in OFFER if one != "PIPELINING")
    with Sink(extensions=offer) as sink:
        sent = message(NASTY, tmp_path / "large", io.BytesIO(LARGE))
        assert front.send(front.at(sink.url), sent).ok
        (taken,) = sink.messages
        assert taken.how == "BDAT"
        assert taken.parameters["BODY"] == "BINARYMIME"
        assert taken.parameters["SIZE"] == str(len(taken.content))
        assert files_in(taken) == [NASTY, LARGE, LARGE]
        assert len(taken.content) < len(sent.render()) * 0.78


def test_files_of_many_messages_go_as_they_are(front: Front) -> None:
    with Sink(extensions=OFFER) as sink:
        items = [message(NASTY + b"%d" % n) if n % 2 else message() for n in range(6)]
        receipts = front.send_many(front.at(sink.url), items)
        assert all(receipt.ok for receipt in receipts)
        bodies = [taken.parameters["BODY"] for taken in sink.messages]
        assert bodies == ["8BITMIME", "BINARYMIME"] * 3
        assert [files_in(taken) for taken in sink.messages[1::2]] == [
            [NASTY + b"%d" % n] for n in (1, 3, 5)
        ]
        assert sum(one.bare_newlines for one in sink.connections) == 0


@pytest.mark.parametrize("missing", ["BINARYMIME", "CHUNKING"])
def test_without_both_extensions_files_go_in_base64(front: Front, missing: str) -> None:
    offer = [one for one in OFFER if one != missing]
    with Sink(extensions=offer) as sink:
        assert front.send(front.at(sink.url), message(NASTY)).ok
        (taken,) = sink.messages
        assert taken.parameters["BODY"] == "8BITMIME"
        assert taken.content.count(b"Content-Transfer-Encoding: base64\r\n") == 1


def test_a_message_without_files_is_not_binary(front: Front) -> None:
    with Sink(extensions=OFFER) as sink:
        assert front.send(front.at(sink.url), message()).ok
        assert sink.messages[0].parameters["BODY"] == "8BITMIME"


def test_lmtp_gets_base64(front: Front) -> None:
    with Sink(extensions=OFFER, lmtp=True) as sink:
        assert front.send(front.at(sink.url), message(NASTY)).ok
        (taken,) = sink.messages
        assert taken.how == "DATA"
        assert b"Content-Transfer-Encoding: base64" in taken.content


def test_a_signed_message_stays_in_seven_bits_and_verifies(front: Front) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    record = b"v=DKIM1; k=ed25519; p=" + b64encode(public)
    sent = message(NASTY)
    sent.sign(DkimSigner("b.example", "mail", pem))
    with Sink(extensions=OFFER) as sink:
        assert front.send(front.at(sink.url), sent).ok
        (taken,) = sink.messages
        assert taken.parameters.get("BODY") is None
        assert dkim.verify(taken.content, dnsfunc=lambda name, timeout=5: record)
        (file,) = message_from_bytes(taken.content, policy=default).iter_attachments()
        assert file.get_content() == NASTY


@pytest.mark.parametrize("left", [ALL_EXTENSIONS, ALL_EXTENSIONS[:6]])
def test_another_connection_to_a_server_without_it_gets_base64(
    front: Front, tmp_path: Path, left: tuple[str, ...]
) -> None:
    """The server goes away before the file, and comes back without BINARYMIME, or CHUNKING too."""
    (tmp_path / "large").write_bytes(LARGE)
    hello = "".join(f"250-{line}\r\n" for line in ("localhost", *left[:-1])) + f"250 {left[-1]}"
    again = Fault(on="EHLO", connection=2, reply=hello)
    with Sink(extensions=OFFER, faults=[Fault(on="BDAT", nth=1, drop=True), again]) as sink:
        (receipt,) = front.send_many(front.at(sink.url), [message(tmp_path / "large")])
        assert receipt.ok
        (taken,) = sink.messages
        assert taken.parameters["BODY"] == "8BITMIME"
        (file,) = message_from_bytes(taken.content, policy=default).iter_attachments()
        assert file.get_content() == LARGE


def test_progress_is_told_of_what_goes_as_it_is(front: Front) -> None:
    seen: list[object] = []
    with Sink(extensions=OFFER) as sink:
        smtp = front.at(sink.url)
        smtp.on_start_transfer = smtp.on_transfer = smtp.on_end_transfer = seen.append
        assert front.send(smtp, message(LARGE)).ok
        size = len(sink.messages[0].content)
    assert [type(one) for one in (seen[0], seen[-1])] == [StartTransfer, EndTransfer]
    steps = [one for one in seen if isinstance(one, Transfer)]
    assert len(steps) > 2
    assert (steps[-1].bytes_transferred, steps[-1].percent_done) == (size, 100)


def test_a_file_that_cannot_be_read_fails_its_message_alone(front: Front, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_bytes(LARGE)
    items = [message(NASTY), message(gone), message(NASTY)]
    gone.unlink()
    with Sink(extensions=OFFER) as sink:
        receipts = front.send_many(front.at(sink.url), items)
        outcomes = {receipt.index: receipt.ok for receipt in receipts}
        assert outcomes == {0: True, 1: False, 2: True}
        (failed,) = [receipt for receipt in receipts if not receipt.ok]
        assert "cannot be read" in str(failed.error)
        assert sink.count == 2
