"""Header lines: unfolded and decoded by the standard library, they say what was given."""

from __future__ import annotations

from email.header import decode_header, make_header

from smtps.address import Address
from smtps.errors import AddressError, BadValue
from smtps.mime.headers import address_header, check_block, parse_headers, text_header
from tests.fuzz.feeding import Feed, both

FIELDS, WORDS = both("fields"), both("words")


def check(data: bytes) -> None:
    """Write it as a subject, as a name beside an address, and as lines that a program wrote."""
    feed = Feed(data)
    limit = 20 + 4 * feed.number(200)
    structured = bool(feed.number(1))
    text = feed.text()
    assert len({module.text_field("Subject", text, limit) for module in FIELDS}) == 1
    _check_subject(text, limit)
    _check_name(text, limit)
    try:
        for line in parse_headers(text, field="headers"):
            check_block(line.lines, field="headers")
            assert line.lines.endswith(b"\r\n")
    except BadValue as error:
        assert str(error).isprintable()
    if text.isprintable():
        whole = f"X-A: {text}".rstrip()
        folds = {module.fold(whole, limit, structured=structured) for module in FIELDS}
        assert len(folds) == 1
        assert folds.pop().replace("\r\n", "") == whole


def _check_subject(text: str, limit: int) -> None:
    try:
        lines = text_header("Subject", text, limit=limit)
    except BadValue as error:
        assert str(error).isprintable()
        return
    check_block(lines, field="Subject")
    assert max(map(len, lines.split(b"\r\n"))) <= 998
    assert len({module.encode_unstructured(text, column=9) for module in WORDS}) == 1
    value = lines.decode("ascii").removesuffix("\r\n").replace("\r\n", "")
    if "=?" in value:
        # The library takes TAB for a blank between words that are encoded, and drops one.
        assert _decoded(value) == f"Subject: {text}"
    else:
        assert value == f"Subject: {text}".rstrip(" ")


def _decoded(value: str) -> str:
    name, _, rest = value.partition(": ") if ": " in value else value.partition(":")
    return f"{name}: {make_header(decode_header(rest))}"


def _check_name(text: str, limit: int) -> None:
    try:
        people = [Address("ann", "a.example", text), Address("bob", "b.example")]
        lines = address_header("To", people, limit=limit)
    except (AddressError, BadValue) as error:
        assert str(error).isprintable()
        return
    check_block(lines, field="To")
    assert len({module.encode_phrase(text) for module in WORDS}) == 1
    assert lines.endswith(b"b.example\r\n")
