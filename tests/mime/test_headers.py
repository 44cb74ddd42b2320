"""Header lines: nothing that could be another line ever becomes bytes."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default as email_policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.address import Address
from smtps.errors import AddressError, BadValue
from smtps.mailboxes import parse_address_list
from smtps.mime.headers import (
    address_header,
    check_block,
    header,
    parse_headers,
    text_header,
)

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F) if code != 0x09]


def lines_of(text: str) -> list[bytes]:
    return [line.lines for line in parse_headers(text, field="other_headers")]


# --- one header -----------------------------------------------------------------------------------


def test_a_header_is_a_name_a_value_and_crlf() -> None:
    assert header("X-Mailer", "smtps") == b"X-Mailer: smtps\r\n"


def test_blanks_at_the_edges_of_a_value_are_dropped() -> None:
    assert header("X-A", " \t b \t") == b"X-A: b\r\n"
    assert header("X-A", " ") == b"X-A:\r\n"


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("shape", ["{}b", "a{}b", "a{}", "a{}Bcc: x"])
def test_a_control_character_in_a_value_is_refused(shape: str, control: str) -> None:
    for build in (header, text_header):
        with pytest.raises(BadValue) as caught:
            build("Subject", shape.format(control))
        assert caught.value.field == "Subject"
        assert str(caught.value).isprintable()


def test_a_control_character_is_refused_even_where_encoding_would_hide_it() -> None:
    with pytest.raises(BadValue):
        text_header("Subject", "é\r\nBcc: x@y")


@pytest.mark.parametrize(
    "name", ["", "X A", "X:A", "X-A: b\r\nBcc", "X-A\n", "X-É", "X\x7f", "\tX", "X" * 77, "X-A "]
)
def test_a_name_that_is_not_one_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(BadValue) as caught:
        header(name, "value")
    assert caught.value.field == "header name"
    assert str(caught.value).isprintable()


def test_half_a_surrogate_pair_is_refused() -> None:
    for build in (header, text_header):
        with pytest.raises(BadValue):
            build("Subject", "a\ud800b")


def test_a_value_outside_ascii_needs_encoding_or_smtputf8() -> None:
    with pytest.raises(BadValue, match="encoded"):
        header("X-A", "é")
    assert header("X-A", "é", utf8=True) == "X-A: é\r\n".encode()


def test_letters_whose_low_byte_is_a_newline_stay_letters() -> None:
    assert text_header("Subject", "a\u760d\u760ab").count(b"\n") == 1
    assert header("X-A", "a\u760d\u760ab", utf8=True).count(b"\n") == 1


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
def test_what_only_python_takes_for_a_line_end_stays_in_its_line(separator: str) -> None:
    value = f"a{separator}Bcc: b"
    assert header("X-A", value, utf8=True) == f"X-A: {value}\r\n".encode()
    (line,) = parse_headers(f"X-A: {value}\r\n", field="other_headers")
    assert line.value == value
    assert b"\nBcc" not in line.lines


def test_a_word_longer_than_a_line_is_refused() -> None:
    with pytest.raises(BadValue, match="998"):
        header("References", "<" + "x" * 1000 + ">")


def test_long_text_is_folded_at_the_limit() -> None:
    block = text_header("Subject", "word " * 50 + "end", limit=60)
    assert max(map(len, block.split(b"\r\n"))) <= 60


def test_a_character_that_the_charset_lacks_is_error_434() -> None:
    with pytest.raises(BadValue) as caught:
        text_header("Subject", "漢", charset="iso-8859-1")
    assert caught.value.code == 434


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_text_is_refused_or_comes_back_from_the_message(text: str) -> None:
    try:
        block = text_header("Subject", text)
    except BadValue:
        assert any(character < " " or character == "\x7f" for character in text)
        return
    assert block.isascii()
    assert max(map(len, block.split(b"\r\n"))) <= 80
    assert message_from_bytes(block + b"\r\n", policy=email_policy)["Subject"] == text


# --- mailboxes ------------------------------------------------------------------------------------


def test_mailboxes_are_separated_by_commas_and_folded_after_them() -> None:
    team = [Address(f"person{n}", "example.org", "A Person") for n in range(3)]
    assert address_header("To", team, limit=60) == (
        b"To: A Person <person0@example.org>,\r\n"
        b" A Person <person1@example.org>,\r\n"
        b" A Person <person2@example.org>\r\n"
    )


def test_a_mailbox_has_in_the_header_what_it_has_in_the_envelope() -> None:
    address = Address("x@gmail.com y", "tëst", "Zoë, Bertram")
    assert address_header("To", [address]) == (
        b'To: =?utf-8?q?Zo=C3=AB=2C_Bertram?= <"x@gmail.com y"@xn--tst-jma>\r\n'
    )


def test_an_address_that_needs_smtputf8_is_refused_without_it() -> None:
    address = Address("bøb", "t")
    with pytest.raises(AddressError, match="SMTPUTF8") as caught:
        address_header("To", [address])
    assert caught.value.field == "To"
    assert address_header("To", [address], utf8=True) == "To: bøb@t\r\n".encode()


NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=60)
LOCAL = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@given(st.lists(st.tuples(LOCAL, NAME), min_size=1, max_size=6))
def test_the_standard_library_reads_the_addresses_that_were_written(
    parts: list[tuple[str, str]],
) -> None:
    team = [Address(local, "b.example", name) for local, name in parts]
    block = address_header("To", team)
    read = message_from_bytes(block + b"\r\n", policy=email_policy)["To"]
    assert [(found.username, found.domain) for found in read.addresses] == [
        (found.local, found.domain) for found in team
    ]
    written = block[4:-2].replace(b"\r\n", b"").decode()
    assert [found.wire() for found in parse_address_list(written, field="To")] == [
        found.wire() for found in team
    ]


# --- lines that a program wrote -------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "\r\n", "\n", "\r"])
def test_given_lines_are_kept_with_or_without_a_last_line_end(end: str) -> None:
    assert lines_of(f"X-A: 1\r\nX-B: 2{end}") == [b"X-A: 1\r\n", b"X-B: 2\r\n"]


def test_given_folds_are_kept_and_the_value_is_unfolded() -> None:
    (line,) = parse_headers("X-A: one\r\n two\r\n\tthree", field="other_headers")
    assert line.lines == b"X-A: one\r\n two\r\n\tthree\r\n"
    assert (line.name, line.value) == ("X-A", "one two\tthree")


def test_no_text_gives_no_lines() -> None:
    assert lines_of("") == []


@pytest.mark.parametrize(
    "text",
    [
        "no colon",
        ": no name",
        "X A: b",
        "X-A : b",
        " continuation first",
        "X-A: b\r\n\r\nbody",
        "X-A: b\r\n \r\nX-C: d",
        "X-A: é\r\n \r\n d",
        "X-A: b\r\n\r\n",
        "X-A: b\0c",
        "X-A: b\x0bBcc: c",
        "X-A: b\x7f",
        "X-A: b\ud800",
        "É: b",
        "X-A: " + "b" * 998,
        "Content-Type: text/plain; name=é",
        "To: Zoë <a@b>",
        "List-Unsubscribe: <https://é>",
    ],
)
def test_given_lines_that_are_not_headers_are_refused(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        lines_of(text)
    assert caught.value.field == "other_headers"
    assert str(caught.value).isprintable()


def test_given_text_outside_ascii_is_encoded() -> None:
    assert lines_of("X-A: Zoë") == [b"X-A: =?utf-8?q?Zo=C3=AB?=\r\n"]


@given(st.text(st.sampled_from("aZ-: \t\r\n\0é\x7f\u2028=?"), max_size=60))
def test_whatever_was_given_is_refused_or_becomes_sound_lines(text: str) -> None:
    try:
        lines = parse_headers(text, field="other_headers")
    except BadValue:
        return
    check_block(b"".join(line.lines for line in lines), field="other_headers")


# --- the finished block ---------------------------------------------------------------------------


def test_a_sound_block_passes() -> None:
    check_block(b"A: b\r\nC:\r\n D\r\n\tE\r\n" + "F: é\r\n".encode(), field="headers")
    check_block(b"", field="headers")
    check_block(b"A: " + b"b" * 995 + b"\r\n", field="headers")


@pytest.mark.parametrize(
    "block",
    [
        b"A: b",
        b"A: b\n",
        b"A: b\r",
        b"A: b\nC: d\r\n",
        b"A: b\rC: d\r\n",
        b"A: b\r\n\r\n",
        b"\r\nA: b\r\n",
        b" A: b\r\n",
        b"A: b\r\n \r\n",
        b"A b\r\n",
        b"A : b\r\n",
        b": b\r\n",
        b"A: \0\r\n",
        b"A: \x7f\r\n",
        b"A: \x0b\r\n",
        b"A: " + b"b" * 996 + b"\r\n",
    ],
)
def test_an_unsound_block_is_refused(block: bytes) -> None:
    with pytest.raises(BadValue):
        check_block(block, field="headers")
