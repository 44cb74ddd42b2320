"""Folding: shorter lines, the same text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtps.mime.fold import HARD_LIMIT, fold

LINE = st.text(st.sampled_from('ab,;"\\ \t=?'), max_size=400).map(lambda v: f"X-Y: {v}".rstrip())


def test_a_short_line_is_left_alone() -> None:
    assert fold("Subject: hello world", 80) == "Subject: hello world"


def test_a_line_is_folded_before_white_space() -> None:
    assert fold("Subject: hello wide world", 18) == "Subject: hello\r\n wide world"


def test_a_line_may_be_exactly_as_long_as_the_limit() -> None:
    assert fold("A: bb cc", 8) == "A: bb cc"
    assert fold("A: bb ccc", 8) == "A: bb\r\n ccc"


def test_a_word_longer_than_the_limit_is_left_whole() -> None:
    word = "w" * 100
    assert fold(f"A: b {word} c", 20) == f"A: b\r\n {word}\r\n c"


def test_the_first_word_stays_beside_the_name() -> None:
    assert fold("Subject: " + "w" * 100, 20) == "Subject: " + "w" * 100


def test_the_first_word_leaves_the_name_only_for_the_hard_limit() -> None:
    word = "w" * 995
    assert fold(f"Subject: {word}", 80) == f"Subject:\r\n {word}"


def test_zero_folds_what_is_over_the_hard_limit_only() -> None:
    assert fold("A: " + "b " * 300 + "c", 0).count("\r\n") == 0
    assert max(map(len, fold("A: " + "b " * 3000 + "c", 0).split("\r\n"))) <= HARD_LIMIT


def test_a_limit_above_the_hard_one_is_the_hard_one() -> None:
    assert max(map(len, fold("A: " + "b " * 3000 + "c", 5000).split("\r\n"))) <= HARD_LIMIT


def test_a_line_with_encoded_words_keeps_to_76() -> None:
    lines = fold("Subject: " + "=?utf-8?q?abcdefg?= " * 10 + "x", 200).split("\r\n")
    assert max(map(len, lines)) <= 76


def test_a_quoted_string_is_never_torn() -> None:
    line = 'To: "a very long name, with a comma" <a@b>, "another \\" name" <c@d>'
    assert fold(line, 20, structured=True) == (
        'To: "a very long name, with a comma"\r\n <a@b>,\r\n "another \\" name"\r\n <c@d>'
    )


def test_a_quote_in_text_does_not_hinder_folding() -> None:
    assert fold('Subject: 5" disk and more', 12) == 'Subject: 5"\r\n disk and\r\n more'


def test_a_mailbox_that_fits_a_line_is_not_torn() -> None:
    line = "To: Anna Maria <a@b>, Bert Carl <c@d>"
    assert fold(line, 36, structured=True) == "To: Anna Maria <a@b>,\r\n Bert Carl <c@d>"


def test_a_mailbox_longer_than_a_line_begins_on_its_own() -> None:
    line = "To: a@b, Bert Carl Dora <c@d>"
    assert fold(line, 18, structured=True) == "To: a@b,\r\n Bert Carl Dora\r\n <c@d>"


@given(LINE, st.integers(0, 120), st.booleans())
@example('X-Y: "' + '\\"' * 100, 30, True)
def test_unfolding_gives_back_the_line(line: str, limit: int, structured: bool) -> None:
    assert fold(line, limit, structured=structured).replace("\r\n", "") == line


@given(LINE, st.integers(1, 120))
def test_no_line_is_longer_than_the_limit_or_its_word(line: str, limit: int) -> None:
    first, *rest = fold(line, limit).split("\r\n")
    longest = max([len(word) for word in re.findall(r"[ \t]*[^ \t]+", line)])
    assert all(len(line) <= max(limit, longest) for line in rest)
    assert len(first) <= max(limit, longest + len("X-Y:"))


@given(LINE, st.integers(1, 120), st.booleans())
def test_every_continuation_begins_with_a_blank_and_holds_more(
    line: str, limit: int, structured: bool
) -> None:
    first, *rest = fold(line, limit, structured=structured).split("\r\n")
    assert first.startswith("X-Y:")
    for continuation in rest:
        assert continuation.startswith((" ", "\t"))
        assert continuation.strip(" \t")


@pytest.mark.parametrize("shape", ['"', '\\"', '"\\', "a ", " ", ",", '" ', "=?"])
def test_time_grows_with_the_length_and_not_faster(shape: str) -> None:
    def seconds(size: int) -> float:
        line = "A: x" + shape * size + "x"
        best = float("inf")
        for _ in range(3):
            begin = time.thread_time()
            fold(line, 80, structured=True)
            best = min(best, time.thread_time() - begin)
        return best

    # Sixteen times the input; quadratic work would take 256 times as long.
    assert seconds(64_000) < 64 * seconds(4_000) + 0.02
