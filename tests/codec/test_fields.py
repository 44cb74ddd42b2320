"""Header fields: folded to shorter lines of the same text, and alike from both twins."""

from __future__ import annotations

import re
import time
from importlib import import_module
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smtps.address import Address
from smtps.codec import HARD_LIMIT

LINE = st.text(st.sampled_from('ab,;"\\ \t=?'), max_size=400).map(lambda v: f"X-Y: {v}".rstrip())

_anew = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_short_line_is_left_alone(codec: SimpleNamespace) -> None:
    assert codec.fold("Subject: hello world", 80) == "Subject: hello world"


def test_a_line_is_folded_before_white_space(codec: SimpleNamespace) -> None:
    assert codec.fold("Subject: hello wide world", 18) == "Subject: hello\r\n wide world"


def test_a_line_may_be_exactly_as_long_as_the_limit(codec: SimpleNamespace) -> None:
    assert codec.fold("A: bb cc", 8) == "A: bb cc"
    assert codec.fold("A: bb ccc", 8) == "A: bb\r\n ccc"


def test_a_word_longer_than_the_limit_is_left_whole(codec: SimpleNamespace) -> None:
    word = "w" * 100
    assert codec.fold(f"A: b {word} c", 20) == f"A: b\r\n {word}\r\n c"


def test_the_first_word_stays_beside_the_name(codec: SimpleNamespace) -> None:
    assert codec.fold("Subject: " + "w" * 100, 20) == "Subject: " + "w" * 100


def test_the_first_word_leaves_the_name_only_for_the_hard_limit(codec: SimpleNamespace) -> None:
    word = "w" * 995
    assert codec.fold(f"Subject: {word}", 80) == f"Subject:\r\n {word}"


def test_zero_folds_what_is_over_the_hard_limit_only(codec: SimpleNamespace) -> None:
    assert codec.fold("A: " + "b " * 300 + "c", 0).count("\r\n") == 0
    assert max(map(len, codec.fold("A: " + "b " * 3000 + "c", 0).split("\r\n"))) <= HARD_LIMIT


def test_a_limit_above_the_hard_one_is_the_hard_one(codec: SimpleNamespace) -> None:
    assert max(map(len, codec.fold("A: " + "b " * 3000 + "c", 5000).split("\r\n"))) <= HARD_LIMIT


def test_a_line_with_encoded_words_keeps_to_76(codec: SimpleNamespace) -> None:
    lines = codec.fold("Subject: " + "=?utf-8?q?abcdefg?= " * 10 + "x", 200).split("\r\n")
    assert max(map(len, lines)) <= 76


def test_a_quoted_string_is_never_torn(codec: SimpleNamespace) -> None:
    line = 'To: "a very long name, with a comma" <a@b>, "another \\" name" <c@d>'
    assert codec.fold(line, 20, structured=True) == (
        'To: "a very long name, with a comma"\r\n <a@b>,\r\n "another \\" name"\r\n <c@d>'
    )


def test_a_quote_in_text_does_not_hinder_folding(codec: SimpleNamespace) -> None:
    assert codec.fold('Subject: 5" disk and more', 12) == 'Subject: 5"\r\n disk and\r\n more'


def test_a_mailbox_that_fits_a_line_is_not_torn(codec: SimpleNamespace) -> None:
    line = "To: Anna Maria <a@b>, Bert Carl <c@d>"
    assert codec.fold(line, 36, structured=True) == "To: Anna Maria <a@b>,\r\n Bert Carl <c@d>"


def test_a_mailbox_longer_than_a_line_begins_on_its_own(codec: SimpleNamespace) -> None:
    line = "To: a@b, Bert Carl Dora <c@d>"
    assert codec.fold(line, 18, structured=True) == "To: a@b,\r\n Bert Carl Dora\r\n <c@d>"


@given(LINE, st.integers(0, 120), st.booleans())
@example('X-Y: "' + '\\"' * 100, 30, True)
@_anew
def test_unfolding_gives_back_the_line(
    codec: SimpleNamespace, line: str, limit: int, structured: bool
) -> None:
    assert codec.fold(line, limit, structured=structured).replace("\r\n", "") == line


@given(LINE, st.integers(1, 120))
@_anew
def test_no_line_is_longer_than_the_limit_or_its_word(
    codec: SimpleNamespace, line: str, limit: int
) -> None:
    first, *rest = codec.fold(line, limit).split("\r\n")
    longest = max([len(word) for word in re.findall(r"[ \t]*[^ \t]+", line)])
    assert all(len(line) <= max(limit, longest) for line in rest)
    assert len(first) <= max(limit, longest + len("X-Y:"))


@given(LINE, st.integers(1, 120), st.booleans())
@_anew
def test_every_continuation_begins_with_a_blank_and_holds_more(
    codec: SimpleNamespace, line: str, limit: int, structured: bool
) -> None:
    first, *rest = codec.fold(line, limit, structured=structured).split("\r\n")
    assert first.startswith("X-Y:")
    for continuation in rest:
        assert continuation.startswith((" ", "\t"))
        assert continuation.strip(" \t")


@pytest.mark.parametrize("shape", ['"', '\\"', '"\\', "a ", " ", ",", '" ', "=?"])
def test_time_grows_with_the_length_and_not_faster(codec: SimpleNamespace, shape: str) -> None:
    def seconds(size: int) -> float:
        line = "A: x" + shape * size + "x"
        best = float("inf")
        for _ in range(3):
            begin = time.thread_time()
            codec.fold(line, 80, structured=True)
            best = min(best, time.thread_time() - begin)
        return best

    # Sixteen times the input; quadratic work would take 256 times as long.
    assert seconds(64_000) < 64 * seconds(4_000) + 0.02


# --- whole fields ---------------------------------------------------------------------------------

ANY = st.text(
    st.characters(codec=None) | st.sampled_from(' \t=?_é漢😀\ud800\r\0\x7f"\\,.<>'), max_size=120
)
NAMES = st.sampled_from(["Subject", "To", "X-" + "y" * 74, "", "X Y", "é", "X:", "X\n"])
LIMITS = st.sampled_from([0, 20, 40, 76, 78, 80, 200, 998, 5000])
MAILBOX = st.builds(
    SimpleNamespace,
    local=st.sampled_from(["a", "a.b", "a=?b", "a..b", "", "é", "x" * 62]),
    domain=st.sampled_from(["b.example", "b--c", "b", "", "é", "[192.0.2.1]", "y" * 60]),
    name=ANY,
)


@pytest.fixture
def pure() -> ModuleType:
    """The plain Python that the others are compared with."""
    return import_module("smtps._pure.fields")


@given(NAMES, ANY, LIMITS)
@example("Subject", "w" * 990, 80)
@example("Subject", "w" * 900 + " é", 0)
@example("Subject", "é" * 2000, 80)
@_anew
def test_a_field_of_text_is_alike_from_both_twins(
    codec: SimpleNamespace, pure: ModuleType, name: str, text: str, limit: int
) -> None:
    assert codec.text_field(name, text, limit) == pure.text_field(name, text, limit)


@given(NAMES, st.lists(MAILBOX, max_size=6), LIMITS)
@_anew
def test_a_field_of_mailboxes_is_alike_from_both_twins(
    codec: SimpleNamespace, pure: ModuleType, name: str, people: list[Address], limit: int
) -> None:
    assert codec.address_field(name, people, limit) == pure.address_field(name, people, limit)


@given(LINE | ANY, LIMITS, st.booleans())
@_anew
def test_a_fold_is_alike_from_both_twins(
    codec: SimpleNamespace, pure: ModuleType, line: str, limit: int, structured: bool
) -> None:
    folded = codec.fold(line, limit, structured=structured)
    assert folded == pure.fold(line, limit, structured=structured)


def test_a_field_has_all_its_lines_ended(codec: SimpleNamespace) -> None:
    assert codec.text_field("Subject", "Grüße") == b"Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n"
    assert codec.text_field("Subject", "") == b"Subject:\r\n"
    people = [Address("a", "b.example", "Zoë"), Address("c", "d")]
    assert codec.address_field("To", people) == (b"To: =?utf-8?q?Zo=C3=AB?= <a@b.example>, c@d\r\n")


def test_what_needs_a_closer_look_is_left_to_the_caller(codec: SimpleNamespace) -> None:
    assert codec.text_field("Subject", "a\r\nBcc: x@y") is None
    assert codec.text_field("Subject", "a\ud800") is None
    assert codec.text_field("Sub ject", "a") is None
    assert codec.address_field("To", []) is None
    assert codec.address_field("To", [Address("a b", "c")]) is None
    assert codec.address_field("To", [SimpleNamespace(local="a", domain="b", name="\n")]) is None


def test_an_encoded_name_leaves_room_for_the_name_of_the_header(codec: SimpleNamespace) -> None:
    for length in range(20, 70):
        mailbox = Address("a", "b.example", "é" * length)
        first, *_ = codec.address_field("Resent-Reply-To", [mailbox]).split(b"\r\n")
        assert 60 < len(first) <= 76


@pytest.mark.parametrize(("word", "is_folded"), [("word", False), ("=?utf-8?q?w?=", True)])
def test_only_a_line_with_encoded_words_keeps_to_76(
    codec: SimpleNamespace, word: str, is_folded: bool
) -> None:
    line = f"Subject: {word} ".ljust(79, "x").replace("xx", "x ") + "x"
    assert 76 < len(line) <= 80
    assert ("\r\n" in codec.fold(line, 80)) is is_folded
