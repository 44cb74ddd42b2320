"""Encoded words: what is plain stays, and everything else comes back as it was."""

from __future__ import annotations

import re
from email import message_from_string
from email.header import decode_header, make_header
from email.policy import default as email_policy
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smtps._pure import words as pure_words

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters=[chr(n) for n in range(32)] + ["\x7f"])
    | st.sampled_from(" \t=?_é漢😀"),
    max_size=300,
)

_anew = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def decoded(encoded: str) -> str:
    return str(make_header(decode_header(encoded)))


def words(encoded: str) -> list[str]:
    return re.findall(r"=\?[^ ]*\?=", encoded)


@pytest.mark.parametrize("text", ["", "Hello", "a  b\tc", "50% off = ? yes!", "a=b?c", "x" * 900])
def test_plain_text_is_left_alone(codec: SimpleNamespace, text: str) -> None:
    assert codec.encode_unstructured(text) == text


def test_only_the_span_that_needs_it_is_encoded(codec: SimpleNamespace) -> None:
    encoded = codec.encode_unstructured("Meeting with Zoë and her friend Ève tomorrow")
    assert encoded == "Meeting with =?utf-8?q?Zo=C3=AB_and_her_friend_=C3=88ve?= tomorrow"


def test_the_shorter_of_q_and_b_is_taken(codec: SimpleNamespace) -> None:
    assert "?q?" in codec.encode_unstructured("Zoë Smith")
    assert "?b?" in codec.encode_unstructured("漢字漢字")


@pytest.mark.parametrize(
    "text",
    ["=?utf-8?q?x?=", "a =?utf-8?b?eA==?= b", "=?", "=?x?= =?y?=", " lead", "trail ", " ", "\t"],
)
def test_what_a_decoder_would_change_is_encoded(codec: SimpleNamespace, text: str) -> None:
    assert codec.encode_unstructured(text) != text
    assert decoded(codec.encode_unstructured(text)) == text


@pytest.mark.parametrize("text", ["w" * 2000, "a" + " " * 2000 + "b"])
def test_a_word_too_long_for_a_line_is_encoded(codec: SimpleNamespace, text: str) -> None:
    encoded = codec.encode_unstructured(text)
    assert max(map(len, encoded.split(" "))) <= 900
    assert decoded(encoded) == text


@given(TEXT)
@example("😀" * 100)
@example("a" * 44 + "é")
@_anew
def test_text_comes_back_from_its_encoding(codec: SimpleNamespace, text: str) -> None:
    encoded = codec.encode_unstructured(text, column=9)
    assert encoded.isascii()
    assert decoded(encoded) == text
    assert message_from_string(f"Subject: {encoded}\n\n", policy=email_policy)["Subject"] == text


@given(TEXT)
@_anew
def test_a_name_comes_back_from_its_encoding(codec: SimpleNamespace, name: str) -> None:
    encoded = codec.encode_phrase(name)
    if encoded.startswith('"'):
        assert re.sub(r"\\(.)", r"\1", encoded[1:-1]) == name
    else:
        assert decoded(encoded) == name


@given(TEXT)
@_anew
def test_no_word_is_over_75_and_each_decodes_by_itself(codec: SimpleNamespace, text: str) -> None:
    for word in words(codec.encode_unstructured(text)):
        assert len(word) <= 75
        # A character cut in two would decode to a replacement or not at all.
        ((data, charset),) = decode_header(word)
        assert charset == "utf-8"
        assert isinstance(data, bytes)
        data.decode("utf-8")


@given(st.integers(0, 76))
@_anew
def test_the_first_word_leaves_room_for_the_name_of_the_header(
    codec: SimpleNamespace, column: int
) -> None:
    first = words(codec.encode_unstructured("é" * 100, column=column))[0]
    assert len(first) <= 75
    if column <= 76 - 36:
        assert column + len(first) <= 76


@pytest.mark.parametrize("charset", ["iso-8859-1", "iso-2022-jp", "utf-8", "gb18030", "koi8-r"])
def test_another_charset_is_named_and_used(codec: SimpleNamespace, charset: str) -> None:
    text = {"iso-8859-1": "Größe ", "koi8-r": "Привет "}.get(charset, "日本語 ") * 30
    encoded = codec.encode_unstructured(text + ".", charset=charset)
    assert encoded.startswith(f"=?{charset}?")
    assert all(len(word) <= 75 for word in words(encoded))
    assert decoded(encoded) == text + "."


def test_a_character_that_the_charset_lacks_is_an_error(codec: SimpleNamespace) -> None:
    with pytest.raises(UnicodeEncodeError):
        codec.encode_unstructured("漢", charset="iso-8859-1")


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
def test_a_name_is_written_as_atoms_or_in_quotes_or_encoded(
    codec: SimpleNamespace, name: str, phrase: str
) -> None:
    assert codec.encode_phrase(name) == phrase


@given(TEXT)
@example("Doe, Jörg")
@example('J"örg (x) <a@b>:;[]')
@_anew
def test_nothing_special_is_left_bare_in_a_name(codec: SimpleNamespace, name: str) -> None:
    phrase = codec.encode_phrase(name)
    if not phrase.startswith('"'):
        # RFC 2047, section 5 (3), and the atoms of RFC 5322.
        assert not set(phrase) & set('()<>@,;:\\".[]')


@given(TEXT | st.text(max_size=80), st.integers(0, 90))
@example("é" * 500, 9)
@example(" ", 0)
@_anew
def test_words_are_alike_from_both_twins(codec: SimpleNamespace, text: str, column: int) -> None:
    for name in ("encode_unstructured", "encode_phrase"):
        results = []
        for encode in (getattr(codec, name), getattr(pure_words, name)):
            try:
                results.append(encode(text, column=column))
            except UnicodeEncodeError:
                results.append("half of a surrogate pair")
        assert results[0] == results[1]


def test_a_word_is_filled_before_the_next_begins(codec: SimpleNamespace) -> None:
    # 22 characters are 60 of base64, one more would be 64 with 12 around them.
    *filled, _ = words(codec.encode_unstructured("é" * 200))
    assert {len(word) for word in filled} == {72}
