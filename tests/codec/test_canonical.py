"""Canonical bodies: by the rules of RFC 6376 written out again, and for any cut."""

from __future__ import annotations

import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

PIECES = st.lists(
    st.sampled_from(
        [b" ", b"\t", b"\r", b"\n", b"\r\n", b"a", b"bc", b".", b"x" * 600, b"y z\r\n" * 200]
    )
    | st.binary(max_size=4),
    max_size=24,
).map(b"".join)


def expected(data: bytes, relaxed: bool) -> bytes:
    lines = re.split(rb"\r\n|\r|\n", data)
    if relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"" if relaxed else b"\r\n"
    return b"".join(line + b"\r\n" for line in lines)


@pytest.mark.parametrize("relaxed", [True, False])
@given(data=PIECES, cuts=st.lists(st.integers(0, 3000), max_size=6))
@example(data=b"", cuts=[])
@example(data=b" C \r\nD \t E\r\n\r\n\r\n", cuts=[3])
@example(data=b" \r\n \r\n", cuts=[2])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_body_becomes_canonical_for_any_cut(
    codec: SimpleNamespace, relaxed: bool, data: bytes, cuts: list[int]
) -> None:
    body = codec.BodyCanonicalizer(relaxed)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for _ in range(2):  # It is as new after finish().
        pieces = [body.update(data[a:b]) for a, b in pairwise(places)]
        assert b"".join(pieces) + body.finish() == expected(data, relaxed)


def test_a_body_byte_by_byte_is_the_same(codec: SimpleNamespace) -> None:
    data = b"a \t b \r\n\r\n \r \n x\r\r\n\n" * 9
    for relaxed in (True, False):
        body = codec.BodyCanonicalizer(relaxed)
        pieces = [body.update(data[at : at + 1]) for at in range(len(data))]
        assert b"".join(pieces) + body.finish() == expected(data, relaxed)


def test_the_examples_of_the_rfc(codec: SimpleNamespace) -> None:
    # RFC 6376, section 3.4.5.
    body = codec.BodyCanonicalizer(True)
    assert body.update(b" C \r\nD \t E\r\n\r\n\r\n") + body.finish() == b" C\r\nD E\r\n"
    body = codec.BodyCanonicalizer(False)
    assert body.update(b" C \r\nD \t E\r\n\r\n\r\n") + body.finish() == b" C \r\nD \t E\r\n"


HEADERS = st.lists(
    st.sampled_from(
        [
            b" ",
            b"\t",
            b"\r",
            b"\n",
            b"\r\n",
            b":",
            b"Subject",
            b"A",
            b"b c",
            b"\r\n ",
            b"X-Y: z\r\n",
        ]
    )
    | st.binary(max_size=4),
    max_size=24,
).map(b"".join)


@given(data=HEADERS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(data=b"A :\t b\r\n\t c  \r\n \r\nB:\r\n")
@example(data=b" X: y")
@example(data=b"no colon")
def test_fields_are_parted_and_made_canonical(codec: SimpleNamespace, data: bytes) -> None:
    fields = [field for field in re.split(rb"\r\n(?![ \t])", data) if field]
    names = [field.split(b":")[0].strip(b" \t").lower() for field in fields]
    assert codec.canonical_fields(data, False) == list(zip(names, fields, strict=True))
    found = codec.canonical_fields(data)
    assert [name for name, _ in found] == names
    for field, (_, canonical) in zip(fields, found, strict=True):
        name, _, value = field.partition(b":")
        words = re.split(rb"[ \t]+", value.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t"))
        assert canonical == name.rstrip(b" \t").lower() + b":" + b" ".join(filter(None, words))


def test_a_canonical_body_is_relaxed_unless_that_is_unwanted(codec: SimpleNamespace) -> None:
    body = codec.BodyCanonicalizer()
    assert body.update(b"a \t b \r\nc") + body.finish() == b"a b\r\nc\r\n"
    body = codec.BodyCanonicalizer(False)
    assert body.update(b"a \t b \r\nc") + body.finish() == b"a \t b \r\nc\r\n"
