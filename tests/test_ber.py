"""Elements of BER: what is one, where it ends, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps.ber import INTEGER, OCTETS, SEQUENCE, CutShort, Malformed, read


def test_an_element_ends_where_its_length_says() -> None:
    assert read(b"\x04\x02ab and more").octets() == b"ab"


@pytest.mark.parametrize("length", [b"\x03", b"\x81\x03", b"\x84\0\0\0\x03"])
def test_a_length_may_be_written_in_more_bytes_than_it_needs(length: bytes) -> None:
    assert read(b"\x04" + length + b"abc").octets() == b"abc"


def test_a_length_without_end_goes_to_its_zeros() -> None:
    inner = b"\x30\x80\x04\x01a\0\0"
    element = read(b"\x30\x80" + inner + b"\x04\x01b\0\0 and more")
    assert [part.tag for part in element.parts] == [SEQUENCE, OCTETS]
    assert element.parts[0].parts[0].octets() == b"a"


def test_zeros_inside_an_element_do_not_end_what_is_around_it() -> None:
    assert read(b"\x30\x80\x04\x02\0\0\x04\x01b\0\0").parts[1].octets() == b"b"


@pytest.mark.parametrize("string", [b"\x24\x06\x04\x01a\x04\x01b", b"\x24\x80\x04\x02ab\0\0"])
def test_a_string_may_come_in_pieces(string: bytes) -> None:
    assert read(string).octets() == b"ab"


def test_pieces_have_pieces() -> None:
    assert read(b"\x24\x07\x24\x05\x04\x03abc").octets() == b"abc"


def test_a_string_with_a_tag_of_its_own_may_come_in_pieces_too() -> None:
    assert read(b"\xa0\x03\x04\x01a").octets(0x80) == b"a"
    assert read(b"\x80\x01a").octets(0x80) == b"a"


@pytest.mark.parametrize("value", [0, 1, -1, 127, 128, 2**31, -(2**63)])
def test_a_number_has_a_sign(value: int) -> None:
    content = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
    assert read(bytes([INTEGER, len(content)]) + content).number == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x04\x05abcd",
        b"\x04\x82\x01",
        b"\x30\x80\x04\x01a",
        b"\x30\x80\x04\x01a\0",
        b"\x04\x88" + b"\xff" * 8,
    ],
)
def test_what_is_not_there_is_cut_short(data: bytes) -> None:
    with pytest.raises(CutShort):
        read(data)


@pytest.mark.parametrize("data", [b"\x1f\x01\x01a", b"\x04\x89" + bytes(9), b"\x04\x80ab\0\0"])
def test_what_no_store_holds_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        assert read(data).octets()


def test_what_has_no_bytes_is_no_number() -> None:
    with pytest.raises(Malformed, match="no bytes"):
        assert read(b"\x02\0").number


def test_what_is_of_another_kind_is_refused() -> None:
    with pytest.raises(Malformed, match="missing"):
        assert read(b"\x04\x01a").number
    with pytest.raises(Malformed, match="no parts"):
        assert read(b"\x04\x01a").parts
    with pytest.raises(Malformed, match="string"):
        read(b"\x02\x01a").octets()


@pytest.mark.parametrize("depth", [100, 100_000])
def test_elements_deep_in_one_another_are_refused_and_not_recursed_into(depth: int) -> None:
    with pytest.raises(Malformed, match="deep"):
        read(b"\x30\x80" * depth)
    with pytest.raises(Malformed):
        read(b"\x24\x82\xff\xff" + b"\x24\x80" * depth + bytes(0xFFFF)).octets()


@given(st.binary())
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    try:
        assert len(read(data).content) <= len(data)
    except Malformed:
        pass
