"""Messages of the standard library are taken over, part by part or as they are."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

import pytest

from smtps.errors import BadValue
from smtps.mime.addressed import Addressed
from smtps.mime.message import Message
from tests.support.composed import PNG, parse, shape


def classic() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Ann <a@b.example>", "x@y.example, Zoë <z@y.example>"
    message["Bcc"], message["Subject"] = "secret@y.example", "Grüße"
    message["X-One"] = "1"
    message["Message-ID"] = "<1@b.example>"
    message.set_content("Grüße\n")
    return message


def content(part: EmailMessage) -> Any:
    return part.get_content_type(), part.get_filename(), part.get_payload(decode=True)


def test_a_message_of_the_library_is_taken_over_part_by_part() -> None:
    source = classic()
    source.add_alternative("<p>Grüße</p>\n", subtype="html")
    html = source.get_payload()[1]  # type: ignore[index]
    html.add_related(PNG, "image", "png", cid="<logo@b.example>")  # type: ignore[union-attr]
    source.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="å.pdf")
    message = Message.from_email(source)
    assert message.text == "Grüße\n"
    parsed = parse(message.render())
    wanted = [content(part) for part in source.walk() if not part.is_multipart()]
    found = [content(part) for part in parsed.walk() if not part.is_multipart()]
    for one in found:
        assert isinstance(one[2], bytes)
    assert [(kind, name, data.replace(b"\r\n", b"\n")) for kind, name, data in found[:2]] == wanted[
        :2
    ]
    assert found[2:] == wanted[2:]
    assert parsed["Subject"] == "Grüße"
    assert parsed["X-One"] == "1"
    assert parsed["Message-ID"] == "<1@b.example>"
    assert "secret" not in str(parsed)
    assert message.envelope.addresses == ("x@y.example", "z@y.example", "secret@y.example")


def test_what_has_another_shape_is_kept_as_it_is() -> None:
    source = classic()
    source.set_content("flowed\n", params={"format": "flowed"})
    message = Message.from_email(source)
    assert message.text is None
    parsed = parse(message.render())
    assert parsed["Content-Type"] == source["Content-Type"]
    assert parsed.get_payload(decode=True) == b"flowed\r\n"
    message.attach(PNG)
    assert shape(parse(message.render())) == ("mixed", "text/plain", "image/png")


def old(**headers: str) -> EmailMessage:
    """Parse a message under the policy that the library has if none is named."""
    lines = {"From": "a@b.example", "To": "x@y.example"} | headers
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    parsed: Any = message_from_bytes(f"{text}\nHello\n".encode())
    assert type(parsed) is not EmailMessage
    return parsed  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("A =?iso-8859-1?Q?gr=FCn?= =?iso-8859-1?Q?er?= B", "A grüner B"),
        ("folded\n\tby a tab", "folded by a tab"),
        ("=?no-charset?Q?x?=", "=?no-charset?Q?x?="),
        (r"C:\u0041 =?utf-8?Q?=C3=A9?=", r"C:\u0041 é"),
    ],
)
def test_words_that_an_older_policy_left_encoded_are_decoded(subject: str, shown: str) -> None:
    message = Message.from_email(old(Subject=subject, Comments=subject))
    assert message.subject == shown
    if "no-charset" not in subject:
        assert parse(message.render())["Subject"] == shown
        assert parse(message.render())["Comments"].split() == shown.split()


@pytest.mark.parametrize("charset", ["idna", "punycode", "undefined", "utf\\0-8"])
def test_a_charset_that_is_none_leaves_words_and_texts_as_they_are(charset: str) -> None:
    described = f'Content-Type: text/plain; charset="{charset}"'
    subject = f"=?{charset}?q?=ff..x?="
    message = Message.from_email(
        message_from_bytes(f"Subject: {subject}\r\n{described}\r\n\r\n".encode() + b"..\xff\r\n")
    )
    message.from_, message.to = "a@b.example", "c@d.example"
    data = message.render()
    assert described.encode() in data
    assert data.endswith(b"\r\n\r\n..\xff\r\n")
    assert message.subject == subject


def test_a_name_in_encoded_words_is_decoded_and_its_address_stays() -> None:
    name = "=?utf-8?Q?=3Ce=40x=2Eexample=3E=2C_J=C3=B6rg?="
    message = Message.from_email(old(To=f"{name} <x@y.example>"))
    assert message.envelope.addresses == ("x@y.example",)
    (shown,) = parse(message.render())["To"].addresses
    assert (shown.display_name, shown.addr_spec) == ("<e@x.example>, Jörg", "x@y.example")


def test_an_address_that_looks_like_an_encoded_word_is_not_decoded() -> None:
    message = Message.from_email(old(To="=?utf-8?Q?q?=@y.example"))
    assert message.envelope.addresses == ("=?utf-8?Q?q?=@y.example",)
    assert b"To: =?utf-8?Q?q?=@y.example\r\n" in message.render()


@pytest.mark.parametrize("header", ["Subject", "To", "Comments"])
def test_a_line_end_in_an_encoded_word_makes_no_header(header: str) -> None:
    source = old(**{header: "=?utf-8?Q?a=0D=0ABcc:_v=40x.example?= <x@y.example>"})
    with pytest.raises(BadValue):
        Message.from_email(source).render()


def test_a_related_image_that_does_not_say_what_it_is_for_is_shown() -> None:
    source = classic()
    source.set_content("<p>Hi</p>", subtype="html")
    source.add_related(PNG, "image", "png", cid="<logo@b.example>", filename="logo.png")
    image = source.get_payload()[1]  # type: ignore[index]
    del image["Content-Disposition"]  # type: ignore[union-attr]
    image.set_param("name", "logo.png")  # type: ignore[union-attr]
    parsed = list(parse(Message.from_email(source).render()).iter_parts())[1]
    assert parsed.get_content_disposition() == "inline"
    assert parsed.get_filename() == "logo.png"


def test_a_copy_has_everything_but_the_identity() -> None:
    message = Message(
        from_="a@b.example",
        to="c@d.example",
        cc="e@f.example",
        bcc="g@h.example",
        reply_to="i@j.example",
        subject="Hello",
        text="text",
        html="<p>html</p>",
        headers={"X-A": "b"},
    )
    message.sender = "k@l.example"
    message.attach(b"file", name="a.bin")
    message.embed(b"\x89PNG\r\n\x1a\n", cid="x@y")
    other = message.copy()
    own = {"_message_id", "_boundary"}
    names = {*Addressed.__slots__, *Message.__slots__} - own
    assert {name: getattr(other, name) for name in names} == {
        name: getattr(message, name) for name in names
    }
    assert other.message_id != message.message_id


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"from_": "New <n@b.example>"}, b"From: New <n@b.example>\r\n"),
        ({"sender": "n@b.example"}, b"Sender: n@b.example\r\n"),
        ({"cc": "n@b.example"}, b"Cc: n@b.example\r\n"),
        ({"reply_to": "n@b.example"}, b"Reply-To: n@b.example\r\n"),
    ],
)
def test_who_is_changed_after_a_rendering_is_in_the_next(
    change: dict[str, str], line: bytes
) -> None:
    message = Message(from_="a@b.example", to="c@d.example", text="x")
    message.render()
    for name, value in change.items():
        setattr(message, name, value)
    assert line in message.render()
    assert line in message.copy().render()
