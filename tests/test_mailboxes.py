"""Mailboxes: what is taken, what is refused, and that nothing else can be read from the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from email.headerregistry import AddressHeader
from email.policy import default as email_policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtps._pure.words import quoted_string
from smtps.address import Address
from smtps.errors import AddressError
from smtps.mailboxes import parse_address, parse_address_list, parse_sender

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F)]


def one(text: str) -> Address:
    return parse_address(text, field="To")


def many(text: str) -> list[Address]:
    return parse_address_list(text, field="To")


# --- what is taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("a@b", Address("a", "b")),
        ("<a@b>", Address("a", "b")),
        (" <a@b> ", Address("a", "b")),
        ("Anna <a@b>", Address("a", "b", "Anna")),
        ("Anna  Maria<a@b>", Address("a", "b", "Anna Maria")),
        ('"Maria, Anna" <a@b>', Address("a", "b", "Maria, Anna")),
        ("John Q. Public <a@b>", Address("a", "b", "John Q. Public")),
        ("Zoë <a@b>", Address("a", "b", "Zoë")),
        (r'"say \"hi\" \\o/" <a@b>', Address("a", "b", r'say "hi" \o/')),
        ('"" <a@b>', Address("a", "b")),
        ("(1) Anna (2) <(3)a(4)@(5)b(6)> (7)", Address("a", "b", "Anna")),
        (r"a (nested (comment) \) here) @ b", Address("a", "b")),
        ("a+b/!#$%&'*=?^_`{|}~-@c", Address("a+b/!#$%&'*=?^_`{|}~-", "c")),
        ('"a b"@c', Address("a b", "c")),
        ('"x@gmail.com y"@in.test', Address("x@gmail.com y", "in.test")),
        (r'"\a\"\\"@c', Address('a"\\', "c")),
        ('"plain"@c', Address("plain", "c")),
        ("bøb@b", Address("bøb", "b")),
        ("a@tëst.example", Address("a", "tëst.example")),
        ("a@[192.0.2.1]", Address("a", "[192.0.2.1]")),
        ("a@[IPv6:2001:db8::1]", Address("a", "[IPv6:2001:db8::1]")),
        ("a@xn--tst-jma.example", Address("a", "xn--tst-jma.example")),
        ("a@b--c.example", Address("a", "b--c.example")),
        ("Postmaster", Address("Postmaster", "")),
        ("<postmaster>", Address("postmaster", "")),
        ("l" * 64 + "@b", Address("l" * 64, "b")),
    ],
)
def test_a_mailbox_is_parsed_into_its_parts(text: str, address: Address) -> None:
    assert one(text) == address


def test_a_list_is_split_at_commas_outside_quotes_comments_and_angles() -> None:
    text = 'a@b, "C, D" <c@d>,, E (x, y) <e@f> , "g,h"@i,'
    assert list(map(str, many(text))) == ["a@b", '"C, D" <c@d>', "E <e@f>", '"g,h"@i']


def test_an_empty_list_holds_nothing() -> None:
    assert many("") == many(" , ,") == []


def test_a_group_stands_for_its_members() -> None:
    assert many("Team: a@b, C <c@d>;, e@f") == [
        Address("a", "b"), Address("c", "d", "C"), Address("e", "f"),
    ]  # fmt: skip


def test_undisclosed_recipients_are_nobody() -> None:
    assert many("undisclosed-recipients:;") == []


@pytest.mark.parametrize("text", ["", "<>"])
def test_nothing_and_empty_angles_are_the_null_sender(text: str) -> None:
    assert parse_sender(text, field="ReturnPath") is None


def test_any_other_sender_is_a_mailbox() -> None:
    assert parse_sender("<a@b>", field="ReturnPath") == Address("a", "b")


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "<>",
        "a",
        "@b",
        "a@",
        "a b@c",
        "a@b@c",
        "<a@g>b@e",
        "a@g(<b@e>",
        "a@b <c@d>",
        "<a@b> <c@d>",
        "<a@b",
        "a@b>",
        "<<a@b>>",
        "<a@b>x",
        "Name a@b",
        "Maria, Anna <a@b>",
        "a@b, c@d",
        "a@b;",
        "a@b c",
        "a@b.",
        "a@.b",
        "a@b..c",
        ".a@b",
        "a.@b",
        "a..b@c",
        '"a".b@c',
        '"a""b"@c',
        '""@b',
        '"a@b',
        '"a\\"@b',
        "(a@b",
        "a)@b",
        "a@b\\",
        "[x] <a@b>",
        "<@relay:a@b>",
        "mailto:a@b",
        "a@b_c",
        "a@-b",
        "a@b-",
        "a@b!c",
        "a@" + "l" * 64,
        "a@" + ".".join(["l" * 63] * 4),
        "l" * 65 + "@b",
        "é" * 33 + "@b",
        '"' + " " * 63 + '"@b',
        "a" * 60 + "@" + ".".join(["l" * 60] * 3) + "." + "l" * 12,
        "a@[192.0.2.256]",
        "a@[192.0.2.1",
        "a@[]",
        "a@[2001:db8::1]",
        "a@[IPv6:192.0.2.1]",
        "a@[IPv6:fe80::1%eth0]",
        "a@[tag:content]",
        "a@[1.2.3.4]x",
        "a@xn--",
        "a@xn--a-",
        "a@xn--abc-",
        "a@xn--99999999999",
        "a\uff20b",
        "a\uff20b@c",
        "a\u00a0b@c",
        "a\u2028@c",
        "a\u202e@c",
        "a\ud800@c",
        "a@b\udc00",
        "a@exa\u200dmple",
        "a@exa\u00admple",
        "a@exa\u202emple",
        "a@xn--example-j06c",
        "a@é..b",
        "a@。b",
        "a@b。c\uff20d",
        "a@\u05d0b\u05d01a",
        "a@a\u0300\ufe0f\ufffd",
    ],
)
def test_what_is_not_one_mailbox_is_refused(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        one(text)
    assert caught.value.field == "To"
    assert caught.value.code == 165


@pytest.mark.parametrize(
    "text",
    [
        "a@b; c@d",
        "g: a@b",
        "g: h: a@b;;",
        "g: a@b;c@d",
        "g: a@b;;",
        ": a@b;",
        ";",
        "a@b, c",
        "a@b c@d",
    ],
)
def test_what_is_not_a_list_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        many(text)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(
    "shape",
    [
        "{}a@b",
        "a{}@b",
        "a@{}b",
        "a@b{}",
        '"a{}"@b',
        '"A{}" <a@b>',
        "A{} <a@b>",
        "a@b({})",
        "<{}a@b>",
    ],
)
def test_a_control_character_anywhere_is_refused(shape: str, control: str) -> None:
    for parse in (one, many):
        with pytest.raises(AddressError):
            parse(shape.format(control))


# --- errors ---------------------------------------------------------------------------------------


def test_an_error_shows_the_value_without_its_controls_and_cut() -> None:
    with pytest.raises(AddressError) as caught:
        one("evil\r\nRCPT TO:<c@d>\x1b[31m" + "x" * 10_000)
    message = str(caught.value)
    assert message.isprintable()
    assert "evil" in message
    assert len(message) < 160


def test_an_error_in_a_list_shows_the_item_that_is_wrong() -> None:
    with pytest.raises(AddressError, match=r"^To: 'wrong'"):
        many("fine@b, " * 100 + "wrong")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a@b;c@d", "commas"),
        ("bob", "add @ and a domain"),
        ("a..b@c", '"quoted"@domain'),
        ("a b@c", "quotes"),
        ("a@[1.2]", r"\[192\.0\.2\.1\]"),
    ],
)
def test_an_error_names_the_way_out(text: str, hint: str) -> None:
    with pytest.raises(AddressError, match=hint):
        many(text)


# --- laws -----------------------------------------------------------------------------------------

SIGNS = st.sampled_from([*'()<>@,;:\\".[] \t\r\n\0\x7f=?-a1é\uff20。', "@b", "xn--", "\u202e"])
PIECES = st.sampled_from(
    ["a@b", "<c@d.e>", "Name ", '"x, \\"y" ', '"q r"@s', "(c)", ", ", "g:", ";"]
)
SOUP = st.lists(SIGNS | st.characters(), max_size=40).map("".join)
STEW = st.lists(PIECES | SIGNS, max_size=8).map("".join)


@given(SOUP | STEW)
@example("((((" * 20)
@example('"\\')
@example("<@")
@example("a@[")
def test_nothing_but_an_address_error_is_ever_raised(text: str) -> None:
    for parse in (one, many):
        with suppress(AddressError):
            parse(text)


@given(STEW)
def test_what_was_parsed_is_written_so_that_it_parses_the_same(text: str) -> None:
    try:
        addresses = many(text)
    except AddressError:
        return
    for address in addresses:
        assert one(str(address)) == address
        wire = address.wire(utf8=True)
        assert one(wire).wire(utf8=True) == wire
        assert one(wire).local == address.local
    assert many(", ".join(map(str, addresses))) == addresses


ANY_NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=40)
ANY_LOCAL = st.text(
    st.characters(categories=["L", "M", "N", "P", "S"], exclude_characters="\uff20\ufe6b"),
    min_size=1,
    max_size=15,
)
DOMAIN = st.sampled_from(["b", "mail.example", "[192.0.2.1]", "tëst"])


@given(st.builds(Address, ANY_LOCAL, DOMAIN, ANY_NAME))
def test_every_address_can_be_written_and_parsed(address: Address) -> None:
    assert one(str(address)) == address
    assert one(address.wire(utf8=True)).local == address.local


@given(STEW)
def test_no_domain_comes_out_that_did_not_go_in(text: str) -> None:
    try:
        addresses = many(text)
    except AddressError:
        return
    assert all(address.domain in text for address in addresses)


ATOM = st.text("abcXYZ019!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=10)
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9]{0,5}[a-z0-9])?", fullmatch=True)
NAME = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(st.lists(st.tuples(NAME, ATOM, LABEL), min_size=1, max_size=5))
def test_the_standard_library_reads_the_same_mailboxes(parts: list[tuple[str, str, str]]) -> None:
    text = ", ".join(f"{quoted_string(name)} <{local}@{domain}>" for name, local, domain in parts)
    header = email_policy.header_factory("To", text)
    assert isinstance(header, AddressHeader)
    assert [(found.local, found.domain, found.name) for found in many(text)] == [
        (found.username, found.domain, found.display_name) for found in header.addresses
    ]


# --- hostile shapes -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["(" * 10**6, "a(" * 10**5, "g:" * 10**5, "<" * 10**6])
def test_deep_nesting_is_refused_and_not_recursed_into(text: str) -> None:
    with pytest.raises(AddressError):
        many(text)


def test_comments_nest_up_to_32_deep() -> None:
    assert one("(" * 32 + ")" * 32 + "a@b") == Address("a", "b")
    with pytest.raises(AddressError, match="32 deep"):
        one("(" * 33 + ")" * 33 + "a@b")


SHAPES: dict[str, Callable[[int], str]] = {
    "commas": lambda n: "," * n,
    "quotes": lambda n: '"' * n,
    "backslashes": lambda n: '"' + "\\" * n,
    "open comments": lambda n: "a@b(" + "x" * n,
    "comments": lambda n: "()" * n + "a@b",
    "escaped comment": lambda n: "(" + "\\(" * n + ")a@b",
    "angles": lambda n: "<" * n,
    "words": lambda n: "a " * n,
    "atoms": lambda n: "a" * n,
    "dots": lambda n: "a." * n + "@b",
    "labels": lambda n: "a@" + "b." * n,
    "hyphens": lambda n: "a@" + "b-" * n,
    "wide labels": lambda n: "a@" + "é." * n,
    "spaces": lambda n: "a@b" + " " * n + "x",
    "encoded words": lambda n: "=?" * n,
    "separators": lambda n: " ;:" * n,
    "ats": lambda n: "a@" * n,
    "mailboxes": lambda n: "a@b," * n,
    "names": lambda n: "A B <a@b>, " * n,
    "brackets": lambda n: "a@[" * n,
    "groups": lambda n: "g:;," * n,
    "quoted names": lambda n: '"a,b",' * n,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_time_grows_with_the_length_and_not_faster(shape: str) -> None:
    def seconds(size: int) -> float:
        text = SHAPES[shape](size)
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()
            with suppress(AddressError):
                many(text)
            best = min(best, time.process_time() - begin)
        return best

    # Sixteen times the input; quadratic work would take 256 times as long.
    assert seconds(64_000) < 128 * seconds(4_000) + 0.02
