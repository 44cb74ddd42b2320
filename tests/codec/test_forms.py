"""Forms of mailings: both twins take the same rows and make the same bytes of them."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

FIELDS = 3
PIECE = st.sampled_from(
    ["", "a", "\n", "a\nb", "\r\n", "a\r", "\rb", "é", "x" * 990, "\0", "<p>", "x\n" * 3, "\n\n"]
)
VALUE = st.text(max_size=12) | st.sampled_from(
    ["", "Ann", "Zoë", "a<b>&\"'", "a\nb", "\n", "a\n", "\r", "\0", "x" * 12, "日本", "\x7f", "\t"]
)
PLACES = st.integers(0, FIELDS - 1)
CUTS = st.lists(st.tuples(PLACES, PIECE), max_size=4).flatmap(
    lambda pairs: PIECE.map(
        lambda first: ((first, *(piece for _, piece in pairs)), tuple(at for at, _ in pairs))
    )
)
#: Most addresses are an address.
MAILS = VALUE | st.sampled_from(
    ["a@y.example", "Ann <a@y.example>", "<a@y.example>", "ä@y.example"]
)
WHOLE = (("", ""), (0,))
UTF8 = VALUE.filter(lambda text: not any("\ud800" <= one <= "\udfff" for one in text))


def filled(form: Any, *arguments: Any) -> Any:
    found = form.fill(*arguments)
    if found is None:
        return None
    return (
        *(found.whole(), len(found), found.eight_bit, found.envelope, found.boundary, found.date),
        found.message_id,
    )


def make(codec: Any, *texts: Any, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "sender": "news@b.example",
        "name": None,
        "address": WHOLE,
        "subject": (("Hello",), ()),
        "before": b"From: news@b.example\r\n",
        "behind": b"",
        "texts": list(texts),
    }
    return codec.Form(**given | changes)


def fill(form: Any, *values: str, eight_bit: bool = True) -> Any:
    return form.fill(values, "abc", "Mon, 02 Jan 2006 15:04:05 +0000", "<1@b>", b"", eight_bit)


@given(
    st.lists(st.tuples(st.sampled_from(["plain", "html"]), CUTS), max_size=3),
    st.none() | CUTS,
    st.none() | CUTS,
    st.tuples(MAILS, UTF8, UTF8).filter(lambda values: values[0].isprintable()),
    st.booleans(),
)
@example([("plain", (("a", "\nb"), (1,)))], None, None, ("a@y.example", "x\n", ""), True)
@example([("html", (("", ""), (1,)))], None, None, ("a@y.example", "<\n>", ""), False)
@example([("plain", (("x" * 990, "\n"), (1,)))], None, None, ("a@y.example", "x" * 9, ""), True)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_twins_fill_alike(
    codec: SimpleNamespace, texts: list[Any], name: Any, subject: Any, values: Any, eight_bit: bool
) -> None:
    pure = import_module("smtps._pure.forms")
    results = [
        filled(
            make(one, *texts, name=name, subject=subject),
            *(values, "abc", "Mon, 02 Jan 2006 15:04:05 +0000", "<1@b>", b"X-A: b\r\n", eight_bit),
        )
        for one in (codec, pure)
    ]
    assert results[0] == results[1]


@given(st.lists(VALUE | st.none() | st.integers(), max_size=4))
@example(["\ud800"])
@example(["x"] * 65)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_twins_take_the_same_values(codec: SimpleNamespace, values: list[Any]) -> None:
    pure = import_module("smtps._pure.forms")
    row = {str(number): value for number, value in enumerate(values)}
    taken = codec.take_values(row, tuple(row))
    assert taken == pure.take_values(row, tuple(row))
    assert taken is None or taken == tuple(values)


def test_values_stand_where_the_fields_were(codec: SimpleNamespace) -> None:
    form = make(
        codec,
        ("plain", (("Dear ", ",\nyours.\n"), (1,))),
        ("html", (("<p>", "</p>\n"), (1,))),
    )
    parsed: Any = message_from_bytes(fill(form, "a@y.example", "Zoë & <b>").whole(), policy=default)
    assert parsed["To"] == "a@y.example"
    text, html = parsed.iter_parts()
    assert text.get_content() == "Dear Zoë & <b>,\r\nyours.\r\n"
    assert html.get_content() == "<p>Zoë &amp; &lt;b&gt;</p>\r\n"
    assert [text["Content-Transfer-Encoding"], html["Content-Transfer-Encoding"]] == [
        "8bit",
        "8bit",
    ]


def test_a_text_is_7bit_until_a_value_is_more(codec: SimpleNamespace) -> None:
    form = make(codec, ("plain", (("Dear ", "\n"), (1,))))
    assert b"charset=us-ascii" in fill(form, "a@y.example", "Ann", eight_bit=False).whole()
    assert fill(form, "a@y.example", "Zoë", eight_bit=False) is None
    assert b"charset=utf-8" in fill(form, "a@y.example", "Zoë").whole()


@pytest.mark.parametrize(
    "values",
    [
        ("a@y.example, b@y.example", "x"),
        ("ä@y.example", "x"),
        ("a@y.example", "x\r"),
        ("a@y.example", "x\0"),
        ("a@y.example", "x" * 999),
        ("a@y.example\n", "x"),
    ],
)
def test_an_unusual_row_is_left_alone(codec: SimpleNamespace, values: tuple[str, str]) -> None:
    assert fill(make(codec, ("plain", (("Dear ", "\n"), (1,)))), *values) is None


def test_a_line_of_998_bytes_is_not_too_long(codec: SimpleNamespace) -> None:
    form = make(codec, ("plain", (("Dear ", "!\n"), (1,))))
    assert fill(form, "a@y.example", "x" * 992) is not None
    assert fill(form, "a@y.example", "x" * 993) is None


def test_the_last_line_is_ended(codec: SimpleNamespace) -> None:
    form = make(codec, ("plain", (("Dear ", ""), (1,))))
    assert fill(form, "a@y.example", "Ann").whole().endswith(b"\r\n\r\nDear Ann\r\n")
    assert fill(form, "a@y.example", "Ann\n").whole().endswith(b"\r\n\r\nDear Ann\r\n")


def test_a_row_with_too_few_values_is_an_error(codec: SimpleNamespace) -> None:
    form = make(codec, ("plain", (("a", "b"), (2,))))
    with pytest.raises(IndexError):
        fill(form, "ann@a.example", "Ann")


def test_a_form_that_is_made_again_is_not_another(codec: SimpleNamespace) -> None:
    form = make(codec, ("plain", (("a",), ())), ("html", (("b",), ())))
    if "_fast" in type(form).__module__:
        with pytest.raises(TypeError, match="made once"):
            form.__init__(None, None, WHOLE, None, b"", b"", [("plain", (("c",), ()))])
    assert b"\r\na" in fill(form, "ann@a.example").whole()
