"""Messages of texts: composed by both twins alike, and by the rules of MIME."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

HEAD = [b"From: a@b.example\r\n", b"MIME-Version: 1.0\r\n"]
TEXT = st.text(max_size=80) | st.sampled_from(
    ["", "a\nb", "a\r\nb\r\n", "é" * 40, "\0", "x" * 999, "x" * 998, "ü\r\n" * 3, "a=b \n"]
)
TEXTS = st.lists(
    st.tuples(st.sampled_from(["plain", "html"]), TEXT | TEXT.map(str.encode)),
    min_size=1,
    max_size=3,
)


@given(TEXTS, st.booleans(), st.sampled_from(["abc", "x" * 120]))
@example([("plain", "\ud800")], False, "abc")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_twins_compose_alike(
    codec: SimpleNamespace, texts: list[tuple[str, Any]], eight_bit: bool, boundary: str
) -> None:
    pure = import_module("smtps._pure.texts")
    results: list[object] = []
    for compose in (codec.text_message, pure.text_message):
        try:
            results.append(compose(HEAD, boundary, texts, eight_bit))
        except UnicodeEncodeError:
            results.append("half of a surrogate pair")
    assert results[0] == results[1]


@pytest.mark.parametrize("eight_bit", [False, True])
def test_two_texts_are_alternatives(codec: SimpleNamespace, eight_bit: bool) -> None:
    texts = [("plain", "Zoë\n"), ("html", "<p>Zoë</p>\r\n".encode())]
    whole = codec.text_message(HEAD, "abc", texts, eight_bit)
    parsed: Any = message_from_bytes(whole, policy=default)
    assert parsed.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    contents = [part.get_content() for part in parsed.iter_parts()]
    assert contents == ["Zoë\r\n", "<p>Zoë</p>\r\n"]
    assert [part["Content-Transfer-Encoding"] for part in parsed.iter_parts()] == (
        ["8bit", "8bit"] if eight_bit else ["base64", "quoted-printable"]
    )


def test_one_text_is_the_whole_body(codec: SimpleNamespace) -> None:
    assert codec.text_message(HEAD, "abc", [("plain", "Hi\n")]) == (
        b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n\r\nHi\r\n"
    )


@given(
    text=st.text(st.characters(max_codepoint=0xFF, exclude_characters="\0\r\n"), max_size=90)
    | st.lists(st.sampled_from(["a", "ü", "x" * 7, "y" * 8, "\x7f", "\x80", "ÿ"])).map("".join)
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_letters_of_western_europe_are_encoded_wherever_they_stand(
    codec: SimpleNamespace, text: str
) -> None:
    assert codec.encode_text(text, True).data == text.encode()
    line = text.encode()
    whole = codec.text_message([b"A: b\r\n"], "x", [("plain", text)], True)
    assert whole.partition(b"\r\n\r\n")[2] == line


def test_eight_bits_go_only_where_that_is_said(codec: SimpleNamespace) -> None:
    assert codec.encode_text("Grüße aus Köln").encoding != "8bit"
    assert codec.encode_text("Grüße aus Köln", True).encoding == "8bit"
