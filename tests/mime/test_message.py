"""Messages, judged by the parser of the standard library."""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.address import Address
from smtps.errors import AddressError, BadValue
from smtps.mime.addressed import Addressed
from smtps.mime.message import Message
from smtps.mime.transfer import Offer

EIGHT = Offer(eight_bit=True)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LEAST: dict[str, Any] = {"from_": "Ann <a@b.example>", "to": "x@y.example"}
#: What the parser of the standard library gives back as it is: no lone surrogates, no controls.
TEXT = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters="\r\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    )
)
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)


def make(**changes: Any) -> Message:
    return Message(**LEAST | changes)


def parse(data: bytes) -> EmailMessage:
    parsed = message_from_bytes(data, policy=default)
    assert isinstance(parsed, EmailMessage)
    for part in parsed.walk():
        assert not part.defects
        for value in part.values():
            assert not getattr(value, "defects", ()), value
    return parsed


def shape(part: Any) -> Any:
    if part.is_multipart():
        return (part.get_content_subtype(), *map(shape, part.iter_parts()))
    return part.get_content_type()


def decoded(part: Any) -> bytes:
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    return data


def assert_lines_fit(data: bytes) -> None:
    lines = data.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    assert max(map(len, lines)) <= 998


# --- structure ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html", "image", "file", "expected"),
    [
        ("t", None, 0, 0, "text/plain"),
        (None, None, 0, 0, "text/plain"),
        (None, "h", 0, 0, "text/html"),
        ("t", "h", 0, 0, ("alternative", "text/plain", "text/html")),
        (None, "h", 1, 0, ("related", "text/html", "image/png")),
        ("t", "h", 1, 0, ("alternative", "text/plain", ("related", "text/html", "image/png"))),
        ("t", None, 0, 1, ("mixed", "text/plain", "application/pdf")),
        (None, None, 0, 1, ("mixed", "text/plain", "application/pdf")),
        (
            *("t", "h", 1, 1),
            (
                "mixed",
                ("alternative", "text/plain", ("related", "text/html", "image/png")),
                "application/pdf",
            ),
        ),
    ],
)
def test_parts_are_nested_no_deeper_than_they_need(
    text: str | None, html: str | None, image: int, file: int, expected: Any
) -> None:
    message = make(text=text, html=html)
    for _ in range(image):
        message.embed(PNG)
    for _ in range(file):
        message.attach(b"%PDF", name="a.pdf")
    assert shape(parse(message.render())) == expected


@given(TEXT, TEXT, LINE)
def test_texts_and_subject_are_read_as_they_were_given(text: str, html: str, subject: str) -> None:
    for offer in (Offer(), EIGHT):
        data = make(text=text, html=html, subject=subject).rendering(offer).whole()
        assert_lines_fit(data)
        assert offer.eight_bit or data.isascii()
        parsed = parse(data)
        assert parsed.get("Subject", "") == subject
        plain, shown = parsed.iter_parts()
        for part, given_ in ((plain, text), (shown, html)):
            assert decoded(part).replace(b"\r\n", b"\n").decode() == given_


@given(st.binary(max_size=300), LINE.filter(str.strip))
def test_files_and_their_names_are_read_as_they_were_given(data: bytes, name: str) -> None:
    message = make(text="t")
    try:
        message.attach(data, name=name)
    except BadValue:
        return
    rendered = message.render()
    assert_lines_fit(rendered)
    assert rendered.isascii()
    _, part = parse(rendered).iter_parts()
    assert part.get_payload(decode=True) == data
    # The library that reads it back strips every white space, and so hides what it does not.
    assert part.get_filename() == name.replace("\\", "/").split("/")[-1].strip()
    assert part.get_content_disposition() == "attachment"


def test_an_embedded_image_has_the_identifier_that_the_html_names() -> None:
    message = make()
    cid = message.embed(PNG)
    message.html = f'<img src="cid:{cid}">'
    image = list(parse(message.render()).iter_parts())[1]
    assert image["Content-ID"] == f"<{cid}>"
    assert image.get_content_type() == "image/png"
    assert image.get_content_disposition() == "inline"
    assert make(html="h").embed(PNG, cid="logo") == "logo"


def test_an_image_without_html_is_an_error() -> None:
    message = make(text="t")
    message.embed(PNG)
    with pytest.raises(BadValue, match="html"):
        message.render()


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "offer", "encoding"),
    [
        ("plain\n", Offer(), "7bit"),
        ("Grüße, und sonst lauter Buchstaben\n", Offer(), "quoted-printable"),
        ("Grüße\n", EIGHT, "8bit"),
        ("日本語の文章\n", Offer(), "base64"),
        ("x" * 999, EIGHT, "quoted-printable"),
        ("x" * 998, EIGHT, "7bit"),
        ("nul\0", EIGHT, "base64"),
    ],
)
def test_a_text_goes_as_plainly_as_it_may(text: str, offer: Offer, encoding: str) -> None:
    parsed = parse(make(text=text).rendering(offer).whole())
    assert parsed["Content-Transfer-Encoding"] == encoding


def test_a_file_goes_raw_where_any_bytes_may() -> None:
    message = make(text="t")
    message.attach(PNG)
    rendering = message.rendering(Offer(eight_bit=True, binary=True))
    assert PNG in rendering.whole()
    assert len(rendering.whole()) < len(message.render())


# --- headers --------------------------------------------------------------------------------------


def test_headers_come_in_an_order_that_stays() -> None:
    message = make(
        cc="c@y.example",
        bcc="secret@y.example",
        reply_to="r@b.example",
        subject="s",
        text="t",
        headers={"X-One": "1", "References": "<1@b.example>"},
    )
    head = message.render().split(b"\r\n\r\n")[0]
    assert [line.split(b":")[0].decode() for line in head.split(b"\r\n")] == [
        *("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "X-One", "References"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    ]
    assert b"secret" not in message.render()
    assert message.envelope.addresses == ("x@y.example", "c@y.example", "secret@y.example")


def test_every_rendering_is_the_same_message() -> None:
    message = make(text="Grüße")
    message.attach(PNG)
    assert message.render() == message.render() == b"".join(message.chunks())
    assert make(text="t").message_id != make(text="t").message_id


def test_date_and_identifier_can_be_given() -> None:
    message = make(date=datetime(2026, 11, 25, tzinfo=UTC), message_id="1@b.example")
    parsed = parse(message.render())
    assert parsed["Date"] == "Wed, 25 Nov 2026 00:00:00 +0000"
    assert parsed["Message-ID"] == "<1@b.example>"


def test_several_authors_have_a_sender() -> None:
    message = make(from_="Ann <a@b.example>, Bob <b@b.example>")
    assert parse(message.render())["Sender"] == "Ann <a@b.example>"
    message.sender = "post@b.example"
    assert parse(message.render())["Sender"] == "post@b.example"
    assert message.envelope.sender == "post@b.example"


@pytest.mark.parametrize(
    ("from_", "sender"), [("\xfc@b.example", "a@b.example"), ("a@b.example", "\xfc@b.example")]
)
def test_author_and_sender_both_say_whether_smtputf8_is_needed(from_: str, sender: str) -> None:
    message = make(from_=from_)
    message.sender = sender
    assert message.envelope.smtputf8
    assert b"\xc3\xbc@b.example" in message.render()


@pytest.mark.parametrize("value", [5, b"a@b.example", ["a@b.example"]])
def test_a_sender_that_is_no_mailbox_is_named(value: Any) -> None:
    with pytest.raises(AddressError, match="sender: expected text, not "):
        make().sender = value


def test_a_domain_goes_as_a_label_and_a_local_part_needs_smtputf8() -> None:
    assert b"xn--tst-qla.example" in make(to="x@täst.example").render()
    message = make(to="bøb@y.example")
    assert message.envelope.smtputf8
    assert "bøb@y.example".encode() in message.render()
    with pytest.raises(AddressError, match="SMTPUTF8"):
        message.rendering(Offer(utf8=False))


@pytest.mark.parametrize(
    "value", ["x@gmail.com y", 'a"@e> ORCPT=v', "a@b", "a,b", "a b", "a\\b", ".a", "a..b"]
)
def test_an_address_in_the_header_is_the_address_of_the_envelope(value: str) -> None:
    message = make(to=Address(value, "in.example", "N, <v@x.example>"))
    shown = parse(message.render())["To"].addresses
    assert [(one.username, one.domain) for one in shown] == [(value, "in.example")]
    assert message.envelope.recipients[0].mailbox == Address(value, "in.example")


BAD = ["\r", "\n", "\0", "\r\nBcc: v@x.example", "\x7f", "\x1b", "\ud800"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize(
    "place",
    [
        *("from_", "to", "cc", "bcc", "reply_to", "subject", "header", "header name", "name"),
        *("content_type", "cid", "message_id", "date", "url", "mailto"),
    ],
)
def test_a_control_character_is_refused_when_it_is_given(bad: str, place: str) -> None:
    with pytest.raises(BadValue) as caught:
        give(place, f"a{bad}b")
    assert str(caught.value).isprintable()


def give(place: str, value: str) -> None:
    message = make(html="h")
    if place == "header":
        message.add_header("X-One", value)
    elif place == "header name":
        message.add_header(value, "1")
    elif place == "name":
        message.attach(b"", name=value)
    elif place == "content_type":
        message.attach(b"", content_type=f"text/{value}")
    elif place == "cid":
        message.embed(b"", cid=value)
    elif place == "url":
        message.unsubscribe(url=f"https://b.example/{value}")
    elif place == "mailto":
        message.unsubscribe(mailto=f"u@b.example?subject={value}")
    else:
        setattr(message, place, value)


@pytest.mark.parametrize("name", ["From", "bcc", "Content-Type", "MIME-Version", "subject"])
def test_a_header_that_is_computed_cannot_be_added(name: str) -> None:
    with pytest.raises(BadValue, match=name):
        make().add_header(name, "x")


def test_half_a_surrogate_pair_in_a_text_is_named() -> None:
    with pytest.raises(BadValue, match=r"text.*surrogate"):
        make(text="a\ud800").render()


@pytest.mark.parametrize("field", ["text", "html", "subject"])
def test_a_text_that_is_none_is_named(field: str) -> None:
    with pytest.raises(BadValue, match=field):
        make(**{field: b"bytes"})


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["path", "text path", "file", "pipe", "view"])
@pytest.mark.parametrize("size", [0, 1, 57, 87_552, 87_553, 300_000])
def test_a_file_comes_from_any_source(kind: str, size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    message = make(text="t")
    with path.open("rb") as file:
        source: Any = {
            "path": path,
            "text path": str(path),
            "file": file,
            "pipe": _Pipe(data),
            "view": memoryview(data),
        }[kind]
        message.attach(source, name="a.bin")
        rendering = message.rendering()
        size_told, rendered = rendering.size, rendering.whole()
    _, part = parse(rendered).iter_parts()
    assert part.get_payload(decode=True) == data
    assert size_told == (None if kind == "pipe" else len(rendered))


class _Pipe(io.BytesIO):
    """A file that cannot be rewound and gives what it likes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1000))

    def tell(self) -> int:
        raise OSError("a pipe")


def test_a_file_that_can_be_read_once_is_not_sent_empty_again() -> None:
    message = make(text="t")
    message.attach(_Pipe(b"x" * 100_000))
    message.render()
    with pytest.raises(BadValue, match="once"):
        message.render()


def test_an_open_file_is_read_from_where_it_stands_each_time() -> None:
    file = io.BytesIO(b"skipped" + PNG)
    file.seek(7)
    message = make(text="t")
    message.attach(file)
    assert message.render() == message.render()
    _, part = parse(message.render()).iter_parts()
    assert part.get_payload(decode=True) == PNG


def test_any_buffer_and_a_mapped_file_can_be_attached(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(PNG)
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        sources: list[Any] = [array("B", PNG), memoryview(bytearray(PNG)), mapped]
        for source in sources:
            message = make(text="t")
            message.attach(source)
            _, part = parse(message.render()).iter_parts()
            assert part.get_payload(decode=True) == PNG


@pytest.mark.parametrize("change", [b"", b"x" * 99_999, b"x" * 100_001])
def test_a_file_that_changes_while_it_is_sent_ends_the_message(
    change: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 100_000)
    message = make(text="t")
    message.attach(path)
    chunks = message.rendering().chunks()
    next(chunks)
    next(chunks)
    path.write_bytes(change)
    with pytest.raises(BadValue, match="attach"):
        list(chunks)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("none.bin", "cannot be read: .*'none.bin'"),
        (".", "folder"),
        (io.StringIO(), "rb"),
        (7, "bytes"),
    ],
)
def test_what_cannot_be_attached_is_said_at_once(source: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        make().attach(source)


def test_the_type_follows_the_name_and_is_never_another_message() -> None:
    kinds = {
        "a.pdf": "application/pdf",
        "a.tar.gz": "application/octet-stream",
        "a": "application/octet-stream",
    }
    for name, kind in kinds.items():
        message = make(text="t")
        message.attach(b"", name=name)
        assert shape(parse(message.render())) == ("mixed", "text/plain", kind)
    with pytest.raises(BadValue, match="content_type"):
        make().attach(b"", content_type="message/rfc822")


def test_an_image_has_an_identifier_of_its_own() -> None:
    message = make(html="<p>")
    message.embed(PNG, cid="logo")
    with pytest.raises(BadValue, match="cid: 'logo' is another image of this message; give its"):
        message.embed(PNG, cid="<logo>")


def _from_email(message: Any) -> Message:
    return Message.from_email(message)


WRONG: dict[str, tuple[Callable[[Message], Any], str]] = {
    "from_": (lambda message: setattr(message, "from_", 5), "expected text, not int"),
    "to": (lambda message: setattr(message, "to", object()), "expected text, not object"),
    "subject": (lambda message: setattr(message, "subject", 5), "expected text, not int"),
    "html": (lambda message: setattr(message, "html", b"x"), "expected text, not bytes"),
    "date": (lambda message: setattr(message, "date", 5), "expected a datetime or text, not int"),
    "message_id": (lambda message: setattr(message, "message_id", b"<a@b>"), "text, not bytes"),
    "header name": (lambda message: message.add_header(5, "x"), "expected text, not int"),  # type: ignore[arg-type]
    "name": (lambda message: message.attach(b"", name=5), "expected text, not int"),  # type: ignore[arg-type]
    "content_type": (lambda message: message.attach(b"", content_type=5), "text, not int"),  # type: ignore[arg-type]
    "cid": (lambda message: message.embed(b"", cid=5), "expected text, not int"),  # type: ignore[arg-type]
    "url": (lambda message: message.unsubscribe(url=5), "expected text, not int"),  # type: ignore[arg-type]
    "mailto": (lambda message: message.unsubscribe(mailto=5), "expected text, not int"),  # type: ignore[arg-type]
    "sign": (lambda message: message.sign(5), "expected a DkimSigner, not int"),  # type: ignore[arg-type]
    "attach": (lambda message: message.attach(5), "'rb', not int"),  # type: ignore[arg-type]
    "message": (_from_email, "expected an email.message.Message, not Message"),
}


@pytest.mark.parametrize("field", WRONG)
def test_a_value_of_another_type_is_named(field: str) -> None:
    use, reason = WRONG[field]
    with pytest.raises(BadValue, match=f"{field}: .*{reason}"):
        use(make(text="t", html="<p>"))


WRONG_TEXT: dict[str, tuple[Callable[[Message], Any], str]] = {
    "date": (lambda message: setattr(message, "date", "today"), "like Mon, .*, not 'today'"),
    "message_id": (lambda message: setattr(message, "message_id", "a b"), "ASCII .*, not 'a b'"),
    "header name": (lambda message: message.add_header("X A", "1"), "without .*, not 'X A'"),
    "name": (lambda message: message.attach(b"", name="a\rb"), r"'a\\rb' holds .*; rename it"),
    "content_type": (lambda message: message.attach(b"", content_type="a"), "such as .*, not 'a'"),
    "cid": (lambda message: message.embed(b"", cid="a b"), "such as logo.*, not 'a b'"),
    "url": (lambda message: message.unsubscribe(url="http://x"), "expected https.*, not 'http://x"),
}


@pytest.mark.parametrize("field", WRONG_TEXT)
def test_a_value_of_another_form_is_shown_with_the_form_that_it_should_have(field: str) -> None:
    use, reason = WRONG_TEXT[field]
    with pytest.raises(BadValue, match=f"{field}: .*{reason}"):
        use(make(text="t", html="<p>"))


@pytest.mark.parametrize("headers", [5, "X-A: 1", ["X-A: 1"], [("X-A", "1", "2")]])
def test_headers_are_pairs(headers: Any) -> None:
    with pytest.raises(BadValue, match="headers: expected a mapping, or pairs of name and value"):
        make(headers=headers)


def test_to_sign_by_nobody_is_refused() -> None:
    with pytest.raises(BadValue, match="sign: there is no signer; give one or several"):
        make(text="t").sign()


# --- leaving a mailing ----------------------------------------------------------------------------


def test_one_click_writes_both_headers() -> None:
    message = make(text="t")
    message.unsubscribe(url="https://b.example/u?t=1", mailto="u@b.example?subject=off")
    parsed = parse(message.render())
    assert (
        parsed["List-Unsubscribe"] == "<https://b.example/u?t=1>, <mailto:u@b.example?subject=off>"
    )
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("url", ["http://b.example/", "https://b.example/<x>", "javascript:x", ""])
def test_an_address_of_the_web_is_https_and_nothing_else(url: str) -> None:
    with pytest.raises(BadValue, match="url"):
        make().unsubscribe(url=url)


# --- messages of the standard library -------------------------------------------------------------


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
