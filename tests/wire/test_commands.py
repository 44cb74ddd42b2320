"""Command lines and the encodings of their parameters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.errors import BadValue
from smtps.wire.commands import build_command, envelope_id, original_recipient, xtext

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F)]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("place", ["{}ab", "a{}b", "ab{}"])
def test_a_control_character_is_refused_in_any_place(control: str, place: str) -> None:
    with pytest.raises(BadValue, match=f"U\\+{ord(control):04X}") as caught:
        build_command("EHLO", place.format(control))
    assert control not in str(caught.value)


def test_a_wide_character_is_not_narrowed_to_a_line_end() -> None:
    line = build_command("RCPT", "TO:<a\u760d\u760aRCPT@x.example>")
    assert line.count(b"\r") == line.count(b"\n") == 1
    assert line.endswith(b"\r\n")


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(BadValue, match="surrogate"):
        build_command("MAIL", "\ud800")


def test_a_command_has_a_longest_length() -> None:
    with pytest.raises(BadValue, match="longer than"):
        build_command("VRFY", "x" * 12_288)


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"])))
def test_what_is_not_refused_is_one_line(argument: str) -> None:
    try:
        line = build_command("X", argument)
    except BadValue:
        return
    assert line == b"X " + argument.encode() + b"\r\n"
    assert not re.search(rb"[\r\n\0]", line[:-2])


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("a b+\x01=", "a+20b+2B+01+3D"),
        ("QQ314159", "QQ314159"),
        ("~!{}", "~!{}"),
    ],
)
def test_xtext_leaves_nothing_that_ends_a_value(value: str, encoded: str) -> None:
    assert xtext(value) == encoded


def test_an_envelope_id_has_100_characters_once_it_is_encoded() -> None:
    assert len(envelope_id("+" * 33 + "x")) == 100
    with pytest.raises(BadValue, match="envid: longer than 100"):
        envelope_id("+" * 34)


@pytest.mark.parametrize(
    ("address", "encoded"),
    [
        ("carol@ivory.example", "rfc822;carol@ivory.example"),
        ("a+b=c@x.example", "rfc822;a+2Bb+3Dc@x.example"),
        ('"a b;c"@x.example', 'rfc822;"a+20b;c"@x.example'),
        ("rfc822;a@x.example", "rfc822;a@x.example"),
        ("x400;/S=a/", "x400;/S+3Da/"),
        ("\u00e4\\@x.example", "utf-8;\\x{E4}\\x{5C}@x.example"),
        ("\U0001f600+@x.example", "utf-8;\\x{1F600}\\x{2B}@x.example"),
        ("utf-8;\u00e4@x.example", "utf-8;\\x{E4}@x.example"),
    ],
)
def test_the_original_recipient_bears_its_kind(address: str, encoded: str) -> None:
    assert original_recipient(address) == encoded


def test_the_original_recipient_has_500_characters_once_it_is_encoded() -> None:
    assert len(original_recipient("x" * 493)) == 500
    with pytest.raises(BadValue, match="orcpt: longer than 500"):
        original_recipient("x" * 494)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("Xé@b.example", "utf-8;X\\x{E9}@b.example"),
        ("a\\+=é@b", "utf-8;a\\x{5C}\\x{2B}\\x{3D}\\x{E9}@b"),
        ("a+X=@b", "rfc822;a+2BX+3D@b"),
    ],
)
def test_the_original_recipient_escapes_what_would_be_read_otherwise(
    address: str, written: str
) -> None:
    assert original_recipient(address) == written


def test_the_longest_command_has_12288_bytes() -> None:
    assert len(build_command("VRFY", "x" * 12_283)) == 12_290
    with pytest.raises(BadValue) as caught:
        build_command("VRFY", "x" * 12_284)
    assert str(caught.value) == "argument of VRFY: longer than 12288 bytes"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("NOOP\n",), "command: control character U+000A"),
        (("VRFY", "a\nb"), "argument of VRFY: control character U+000A"),
        (("\ud800",), "command: half of a surrogate pair"),
        (("VRFY", "\ud800"), "argument of VRFY: half of a surrogate pair"),
    ],
)
def test_what_cannot_be_sent_is_named_by_its_place(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(BadValue) as caught:
        build_command(*words)
    assert str(caught.value) == sentence


def test_the_original_recipient_keeps_the_first_and_the_last_printable_character() -> None:
    assert original_recipient("!~é@b") == "utf-8;!~\\x{E9}@b"
    assert original_recipient("!~@b") == "rfc822;!~@b"
