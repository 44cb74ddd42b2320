"""Messages, judged by two parsers that share nothing but the bytes: mailparser and `email`."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.policy import default
from typing import Any
from unicodedata import normalize

import mailparser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtps import Message
from smtps.address import Address
from smtps.mime.transfer import Offer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
#: What stands in mail as it is: no controls, and no separators that parsers take for line ends.
# mailparser gives letters in their composed form.
LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=80).map(
    lambda text: normalize("NFC", text)
)
#: Two parsers strip white space at the ends, and count any of it inside as one blank.
WORDS = LINE.map(lambda text: " ".join(text.split()))
TEXT = st.lists(LINE, min_size=1, max_size=8).map(lambda lines: "\n".join([*lines, ""]))
NAMES = WORDS.filter(lambda name: name.strip(" .") and not set(name) & set('/\\<>:"|?*=%'))
OFFERS = st.sampled_from([Offer(), Offer(eight_bit=True)])


def plain(data: str) -> str:
    return data.replace("\r\n", "\n")


@given(text=TEXT, html=TEXT, subject=WORDS, name=WORDS, offer=OFFERS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
def test_both_read_texts_subject_and_people_as_they_were_given(
    text: str, html: str, subject: str, name: str, offer: Offer
) -> None:
    message = Message(from_="a@b.example", subject=subject, text=text, html=html)
    message.to = [Address("x", "y.example", name)]
    data = message.rendering(offer).whole()
    seen: Any = mailparser.parse_from_bytes(data)
    parsed: Any = message_from_bytes(data, policy=default)
    assert [plain(one) for one in seen.text_plain] == [text]
    assert [plain(one) for one in seen.text_html] == [html]
    assert seen.subject == subject == parsed.get("Subject", "")
    assert seen.to == [(name, "x@y.example")]
    (shown,) = parsed["To"].addresses
    # The standard library leaves the blank between two encoded words of a name.
    assert "".join(shown.display_name.split()) == "".join(name.split())
    assert shown.addr_spec == "x@y.example"
    assert not seen.defects
    assert seen.message_id == message.message_id == parsed["Message-ID"]


@given(
    files=st.lists(st.tuples(NAMES, st.binary(max_size=200)), max_size=3),
    image=st.binary(max_size=200),
)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
def test_both_read_files_and_images_as_they_were_given(
    files: list[tuple[str, bytes]], image: bytes
) -> None:
    message = Message(from_="a@b.example", to="x@y.example", text="t", html="h")
    for name, data in files:
        message.attach(data, name=name, content_type="application/octet-stream")
    message.embed(PNG + image, cid="logo@b.example")
    rendered = message.render()
    seen: Any = mailparser.parse_from_bytes(rendered)
    found = [(one["filename"], base64.b64decode(one["payload"])) for one in seen.attachments]
    parsed: Any = message_from_bytes(rendered, policy=default)
    leaves = [part for part in parsed.walk() if part.get_content_disposition()]
    assert found[1:] == files
    assert found[0][1] == PNG + image
    assert seen.attachments[0]["content-id"] == "<logo@b.example>" == leaves[0]["Content-ID"]
    assert [part.get_payload(decode=True) for part in leaves] == [data for _, data in found]
    assert [part.get_filename() for part in leaves[1:]] == [name for name, _ in files]
    assert not seen.defects
