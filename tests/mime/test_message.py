"""Messages, judged by the parser of the standard library."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.address import Address
from smtps.errors import AddressError, BadValue
from smtps.mime.transfer import Offer
from tests.support.composed import PNG, make, parse, shape

EIGHT = Offer(eight_bit=True)

#: What the parser of the standard library gives back as it is: no lone surrogates, no controls.
TEXT = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters="\r\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    )
)

LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)


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
