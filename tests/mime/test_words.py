"""Encoded words: what is plain stays, and everything else comes back as it was."""

from __future__ import annotations

import re
from email import message_from_string
from email.header import decode_header, make_header
from email.policy import default as email_policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtps.mime.words import encode_phrase, encode_text

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters=[chr(n) for n in range(32)] + ["\x7f"])
    | st.sampled_from(" \t=?_é漢😀"),
    max_size=300,
)


def decoded(encoded: str) -> str:
    return str(make_header(decode_header(encoded)))


def words(encoded: str) -> list[str]:
    return re.findall(r"=\?[^ ]*\?=", encoded)


@pytest.mark.parametrize("text", ["", "Hello", "a  b\tc", "50% off = ? yes!", "a=b?c", "x" * 900])
def test_plain_text_is_left_alone(text: str) -> None:
    assert encode_text(text) == text


def test_only_the_span_that_needs_it_is_encoded() -> None:
    encoded = encode_text("Meeting with Zoë and her friend Ève tomorrow")
    assert encoded == "Meeting with =?utf-8?q?Zo=C3=AB_and_her_friend_=C3=88ve?= tomorrow"


def test_the_shorter_of_q_and_b_is_taken() -> None:
    assert "?q?" in encode_text("Zoë Smith")
    assert "?b?" in encode_text("漢字漢字")


@pytest.mark.parametrize(
    "text",
    ["=?utf-8?q?x?=", "a =?utf-8?b?eA==?= b", "=?", "=?x?= =?y?=", " lead", "trail ", " ", "\t"],
)
def test_what_a_decoder_would_change_is_encoded(text: str) -> None:
    assert encode_text(text) != text
    assert decoded(encode_text(text)) == text


@pytest.mark.parametrize("text", ["w" * 2000, "a" + " " * 2000 + "b"])
def test_a_word_too_long_for_a_line_is_encoded(text: str) -> None:
    encoded = encode_text(text)
    assert max(map(len, encoded.split(" "))) <= 900
    assert decoded(encoded) == text


@given(TEXT)
@example("😀" * 100)
@example("a" * 44 + "é")
def test_text_comes_back_from_its_encoding(text: str) -> None:
    encoded = encode_text(text, column=9)
    assert encoded.isascii()
    assert decoded(encoded) == text
    assert message_from_string(f"Subject: {encoded}\n\n", policy=email_policy)["Subject"] == text


@given(TEXT)
def test_a_name_comes_back_from_its_encoding(name: str) -> None:
    encoded = encode_phrase(name)
    if encoded.startswith('"'):
        assert re.sub(r"\\(.)", r"\1", encoded[1:-1]) == name
    else:
        assert decoded(encoded) == name


@given(TEXT)
def test_no_word_is_over_75_and_each_decodes_by_itself(text: str) -> None:
    for word in words(encode_text(text)):
        assert len(word) <= 75
        # A character cut in two would decode to a replacement or not at all.
        ((data, charset),) = decode_header(word)
        assert charset == "utf-8"
        assert isinstance(data, bytes)
        data.decode("utf-8")


@given(st.integers(0, 76))
def test_the_first_word_leaves_room_for_the_name_of_the_header(column: int) -> None:
    first = words(encode_text("é" * 100, column=column))[0]
    assert len(first) <= 75
    if column <= 76 - 36:
        assert column + len(first) <= 76


@pytest.mark.parametrize("charset", ["iso-8859-1", "iso-2022-jp", "utf-8", "gb18030", "koi8-r"])
def test_another_charset_is_named_and_used(charset: str) -> None:
    text = {"iso-8859-1": "Größe ", "koi8-r": "Привет "}.get(charset, "日本語 ") * 30
    encoded = encode_text(text + ".", charset=charset)
    assert encoded.startswith(f"=?{charset}?")
    assert all(len(word) <= 75 for word in words(encoded))
    assert decoded(encoded) == text + "."


def test_a_character_that_the_charset_lacks_is_an_error() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_text("漢", charset="iso-8859-1")


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("Anna", "Anna"),
        ("Anna O'Neill", "Anna O'Neill"),
        ("Maria, Anna", '"Maria, Anna"'),
        ("J. Doe", '"J. Doe"'),
        ('say "hi" \\', r'"say \"hi\" \\"'),
        ("a@b", '"a@b"'),
        ("Zoë, Bertram", "=?utf-8?q?Zo=C3=AB=2C_Bertram?="),
        ("=?xxxxxxxxx", "=?utf-8?q?=3D=3Fxxxxxxxxx?="),
        (" edge ", '" edge "'),
    ],
)
def test_a_name_is_written_as_atoms_or_in_quotes_or_encoded(name: str, phrase: str) -> None:
    assert encode_phrase(name) == phrase


@given(TEXT)
def test_nothing_special_is_left_bare_in_a_name(name: str) -> None:
    phrase = encode_phrase(name)
    if not phrase.startswith('"'):
        # RFC 2047, section 5 (3), and the atoms of RFC 5322.
        assert not set(phrase) & set('()<>@,;:\\".[]')
