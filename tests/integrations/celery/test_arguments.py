"""Messages in the arguments of tasks."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from smtps import BadValue, Envelope, Message, Recipient
from smtps.integrations.celery import pack
from smtps.integrations.celery.arguments import Parcel, parcel_of

LETTER: dict[str, Any] = {"from": "ann@a.example", "to": ["bob@b.example"], "text": "Hello"}
MIME = b"From: ann@a.example\r\nSubject: Hi\r\n\r\nHello\r\n"
FINISHED: dict[str, Any] = {
    "mime": base64.b64encode(MIME).decode(),
    "sender": "ann@a.example",
    "recipients": ["bob@b.example"],
}


def parcel(argument: object, folder: Path | None = None, key: str = "task:0") -> Parcel:
    return parcel_of(argument, key=key, folder=None if folder is None else str(folder))


def content(found: Parcel) -> bytes:
    return b"".join(bytes(chunk) for chunk in found.transaction.content.chunks())


def refusal(argument: object, folder: Path | None = None) -> BadValue:
    with pytest.raises(BadValue) as caught:
        parcel(argument, folder)
    return caught.value


def test_fields_become_a_message() -> None:
    found = parcel({**LETTER, "subject": "Grüße", "headers": {"X-Job": "7"}, "cc": "c@b.example"})
    assert b"\r\nX-Job: 7\r\n" in content(found)
    assert found.addresses == ("bob@b.example", "c@b.example")


def test_the_field_from_may_be_spelled_as_the_argument_of_message() -> None:
    assert parcel({"from_": "ann@a.example", "to": "b@b.example"}).addresses == ("b@b.example",)


def test_a_message_has_the_same_message_id_in_every_attempt() -> None:
    first, second = parcel(LETTER), parcel(LETTER)
    assert first.transaction.message_id == second.transaction.message_id
    assert first.transaction.message_id != parcel(LETTER, key="task:1").transaction.message_id


def test_a_message_id_of_the_program_stays() -> None:
    found = parcel({**LETTER, "message_id": "<7@a.example>"})
    assert found.transaction.message_id == "<7@a.example>"


def test_the_envelope_may_differ_from_the_headers() -> None:
    found = parcel({**LETTER, "sender": "bounces@a.example", "recipients": ["x@b.example"]})
    assert found.transaction.envelope == Envelope("bounces@a.example", ["x@b.example"])


def test_a_message_may_go_to_people_whom_no_header_names() -> None:
    found = parcel({"from": "ann@a.example", "text": "Hi", "recipients": ["x@b.example"]})
    assert found.addresses == ("x@b.example",)
    assert b"x@b.example" not in content(found)


def test_a_finished_message_goes_as_it_is() -> None:
    found = parcel(FINISHED)
    assert content(found) == MIME
    assert found.transaction.envelope == Envelope("ann@a.example", ["bob@b.example"])


def test_a_finished_message_may_be_in_the_shared_folder(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(MIME)
    found = parcel(
        {"path": "1.eml", "sender": "ann@a.example", "recipients": "bob@b.example"}, tmp_path
    )
    assert content(found) == MIME


def test_attachments_come_in_base64_or_from_the_shared_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"from the folder")
    files = [
        {"content": base64.b64encode(b"in the argument").decode(), "name": "b.bin"},
        {"path": "a.txt"},
    ]
    whole = content(parcel({**LETTER, "attachments": files}, tmp_path))
    assert base64.b64encode(b"in the argument") in whole
    assert b'filename="a.txt"' in whole or b"filename=a.txt" in whole


def test_images_and_one_click_unsubscribe_are_fields_too() -> None:
    image = {
        "content": "R0lGODlhAQABAAAAACw=",
        "cid": "logo@a.example",
        "content_type": "image/gif",
    }
    found = parcel(
        {
            **LETTER,
            "html": '<img src="cid:logo@a.example">',
            "images": [image],
            "unsubscribe": {"url": "https://a.example/leave"},
        }
    )
    whole = content(found)
    assert b"Content-ID: <logo@a.example>" in whole
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in whole


def test_the_key_of_a_message_names_it_in_place_of_its_task() -> None:
    assert (
        parcel({**LETTER, "key": "invoice-7"}).key
        == parcel({**LETTER, "key": "invoice-7"}, key="other:3").key
    )
    assert parcel(LETTER).key != parcel({**LETTER, "key": "task:0"}).key


def test_a_portion_has_some_of_the_recipients() -> None:
    found = parcel({**LETTER, "to": ["b@b.example", "c@b.example", "d@b.example"]})
    assert found.portion(["d@b.example"]).envelope.addresses == ("d@b.example",)


def test_who_is_named_twice_gets_one_copy() -> None:
    found = parcel({**LETTER, "recipients": ["b@b.example", "b@b.example"]})
    assert found.portion(found.addresses).envelope.addresses == ("b@b.example",)


@pytest.mark.parametrize(
    ("argument", "field"),
    [
        (None, "message"),
        ("text", "message"),
        ({}, "from_"),
        ({"from": "ann@a.example"}, "recipients"),
        ({**LETTER, "to": 1}, "to"),
        ({**LETTER, "to": "no address"}, "to"),
        ({**LETTER, "from": ["a@a.example", 2]}, "from_"),
        ({**LETTER, "subject": 5}, "subject"),
        ({**LETTER, "subject": "a\nBcc: x@y.example"}, "subject"),
        ({**LETTER, "text": ["a"]}, "text"),
        ({**LETTER, "date": "yesterday"}, "date"),
        ({**LETTER, "headers": "X: y"}, "headers"),
        ({**LETTER, "headers": {"X": 1}}, "headers"),
        ({**LETTER, "headers": [["X"]]}, "headers"),
        ({**LETTER, "subjekt": "x"}, "subjekt"),
        ({**LETTER, "attachments": {"path": "x"}}, "attachments"),
        ({**LETTER, "attachments": [{"name": "x"}]}, "attachments"),
        ({**LETTER, "attachments": [{"content": "%"}]}, "content"),
        ({**LETTER, "attachments": [{"file": "x"}]}, "attachments[0].file"),
        ({**LETTER, "unsubscribe": "https://a.example"}, "unsubscribe"),
        ({**LETTER, "key": ""}, "key"),
        ({**LETTER, "key": 7}, "key"),
        ({**LETTER, "recipients": [3]}, "recipients"),
        ({**LETTER, "recipients": 3}, "recipients"),
        ({**LETTER, "recipients": []}, "recipients"),
        ({**LETTER, "sender": 3}, "sender"),
        ({**LETTER, "deliver_by": "soon"}, "deliver_by"),
        ({**FINISHED, "subject": "x"}, "subject"),
        ({**FINISHED, "mime": "%%%"}, "mime"),
        ({**FINISHED, "mime": 5}, "mime"),
        ({"mime": FINISHED["mime"], "sender": ""}, "recipients"),
        ({"mime": FINISHED["mime"], "recipients": ["b@b.example"]}, "sender"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(argument: object, field: str) -> None:
    assert refusal(argument).field == field


def test_a_path_needs_a_shared_folder() -> None:
    error = refusal({**LETTER, "attachments": [{"path": "/etc/hostname"}]})
    assert error.field == "path"
    assert "smtps_folder" in error.reason


@pytest.mark.parametrize("path", ["/etc/hostname", "../secret", "link"])
def test_no_path_leads_out_of_the_shared_folder(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    error = refusal(
        {"path": path, "sender": "ann@a.example", "recipients": ["b@b.example"]}, folder
    )
    assert error.field == "path"
    assert "smtps_folder" in error.reason
    assert "secret" not in error.reason


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    error = refusal(
        {"path": "gone.eml", "sender": "a@a.example", "recipients": ["b@b.example"]}, tmp_path
    )
    assert error.field == "path"
    assert "gone.eml" in error.reason


def test_a_message_is_packed_as_it_is_sent() -> None:
    message = Message(from_="ann@a.example", to="bob@b.example", bcc="c@c.example", text="Hello")
    packed = json.loads(json.dumps(pack(message, key="7")))
    found = parcel(packed)
    assert content(found) == message.render()
    assert found.transaction.envelope == message.envelope
    assert found.key == "key:7"


def test_the_parameters_of_an_envelope_are_packed_too() -> None:
    envelope = Envelope(
        "ann@a.example",
        [Recipient("bob@b.example", notify="NEVER"), "c@b.example"],
        ret="HDRS",
        envid="7",
        deliver_by=60,
        priority=3,
        requiretls=True,
    )
    packed = json.loads(json.dumps(pack((envelope, MIME))))
    assert parcel(packed).transaction.envelope == envelope
