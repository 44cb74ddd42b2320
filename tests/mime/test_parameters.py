"""Parameters of MIME headers: any file name goes through, and nothing gets out of its quotes."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import compat32
from email.policy import default as email_policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtps.errors import BadValue
from smtps.mime.headers import header
from smtps.mime.parameters import file_name, format_parameters


def attachment(name: str) -> bytes:
    value = format_parameters("attachment", {"filename": name})
    return header("Content-Disposition", value, structured=True)


def test_a_plain_value_is_quoted() -> None:
    assert format_parameters("text/plain", {"charset": "utf-8", "name": "a b.txt"}) == (
        'text/plain; charset="utf-8"; name="a b.txt"'
    )


def test_no_parameters_leave_the_value_alone() -> None:
    assert format_parameters("text/plain", {}) == "text/plain"


@pytest.mark.parametrize("name", ["é.txt", 'a"b', "a\\b", "=?utf-8?q?x?="])
def test_what_readers_get_wrong_in_quotes_is_percent_encoded(name: str) -> None:
    value = format_parameters("attachment", {"filename": name})
    assert value.startswith("attachment; filename*=utf-8''")
    assert not set(value) & set('"\\')


def test_a_long_value_is_cut_into_segments_between_characters() -> None:
    block = attachment("漢" * 80)
    assert b"filename*0*=utf-8''" in block
    assert max(map(len, block.split(b"\r\n"))) <= 76
    for segment in block.split(b";")[1:]:
        assert segment.count(b"%") % 3 == 0


NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], exclude_characters='/\\<>"')
    | st.sampled_from(" %'*;=?"),
    min_size=1,
    max_size=200,
).filter(lambda name: name == name.strip() != "")


@pytest.mark.parametrize("policy", [email_policy, compat32], ids=["default", "compat32"])
@given(NAME)
@example("=?utf-8?q?x?=.txt")
@example("100%.txt")
@example("utf-8''x")
def test_the_standard_library_reads_the_same_name(policy: object, name: str) -> None:
    message = message_from_bytes(attachment(name) + b"\r\n", policy=policy)  # type: ignore[call-overload]
    assert message.get_filename() == name


@pytest.mark.parametrize("bad", ["a\r\nX: y", "a\0b", "a\tb", "a\x7fb", "a\x85b", "a\ud800b"])
def test_a_control_character_in_a_value_is_refused(bad: str) -> None:
    with pytest.raises(BadValue) as caught:
        format_parameters("attachment", {"filename": bad})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("bad", ["", "a b", "a=b", "a*", "é", 'a"', "a\r\nb", "x" * 41])
def test_a_name_that_is_not_a_token_is_refused_and_not_repeated(bad: str) -> None:
    with pytest.raises(BadValue) as caught:
        format_parameters("attachment", {bad: "value"})
    assert caught.value.field == "parameter name"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/x", "x"),
        ("/abs/olute.txt", "olute.txt"),
        ("C:\\Users\\me\\a.doc", "a.doc"),
        ("..\\a/b\\c", "c"),
        ('a".exe', 'a".exe'),
        (" spaced.txt ", "spaced.txt"),
    ],
)
def test_folders_are_stripped_from_a_file_name(path: str, name: str) -> None:
    assert file_name(path, field="name") == name


@pytest.mark.parametrize(
    "bad",
    ["", ".", "..", "a/", " ", 'a".exe\r\nX: y', "a\0", "x\u202egpj.exe", "x\u2066y", "\ud800"],
)
def test_a_file_name_that_misleads_is_refused(bad: str) -> None:
    with pytest.raises(BadValue) as caught:
        file_name(bad, field="name")
    assert str(caught.value).isprintable()
