"""What the C sink says to each command, wherever the bytes were cut; under the sanitizers."""

from __future__ import annotations

import re
import subprocess

import pytest

from benchmarks.comparison.native import FOLDER, Program

PROGRAM = Program(
    "receiver_cuts",
    ("receiver.c", "../tests/benchmarks/receiver_cuts.c"),
    headers=("receiver.h",),
    flags=("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{FOLDER}"),
)
HELLO = b"EHLO me\r\n"
ENVELOPE = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n"


@pytest.fixture(scope="module")
def program() -> str:
    return PROGRAM.build()


def converse(program: str, said: bytes) -> tuple[list[str], str]:
    """Give the codes of the replies behind that to EHLO, and the tally."""
    result = subprocess.run([program], input=HELLO + said, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    *lines, tally = result.stdout.decode().splitlines()
    codes = [line[:9] if line[4:5].isdigit() else line[:3] for line in lines if line[3] == " "]
    return codes[1:], tally


OK = ["250 2.1.0", "250 2.1.5"]
TAKEN = ["250 2.0.0"]


@pytest.mark.parametrize(
    ("content", "octets"),
    [
        (b".\r\n", 0),
        (b"Hello\r\n.\r\n", 7),
        (b"..dot\r\n..\r\n.\r\n", 9),
        (b"bare\n.\nlines\r\n.\n\r\n.\r\n", 17),
        (b"\r\r\n\r.\r\n.\r\n", 7),
        (b"\r\n.\r.\r\n.\r\n", 6),
    ],
)
def test_data_ends_at_the_dot_alone_and_doubled_dots_count_once(
    program: str, content: bytes, octets: int
) -> None:
    codes, tally = converse(program, ENVELOPE + b"DATA\r\n" + content + b"NOOP\r\n")
    assert codes == [*OK, "354", *TAKEN, *TAKEN]
    assert tally == f"1 messages, 1 recipients, {octets} octets"


def test_chunks_are_taken_by_their_size(program: str) -> None:
    said = ENVELOPE + b"BDAT 5\r\nQUIT\nBDAT 0\r\nBDAT 7 LAST\r\n\r\n.\r\n.\rRSET\r\n"
    codes, tally = converse(program, said)
    assert codes == [*OK, *TAKEN, *TAKEN, *TAKEN, *TAKEN]
    assert tally == "1 messages, 1 recipients, 12 octets"


def test_transactions_go_back_to_back(program: str) -> None:
    codes, tally = converse(program, (ENVELOPE + b"BDAT 3 LAST\r\nx\r\nRSET\r\n") * 9)
    assert codes == [*OK, *TAKEN, *TAKEN] * 9
    assert tally == "9 messages, 9 recipients, 27 octets"


def test_each_message_gets_a_number_of_its_own(program: str) -> None:
    said = HELLO + (ENVELOPE + b"BDAT 2 LAST\r\n\r\n") * 2
    result = subprocess.run([program], input=said, capture_output=True, check=True)
    assert re.findall(rb"queued as 0*(\d+)", result.stdout) == [b"1", b"2"]


def test_a_refused_address_is_refused_by_its_beginning(program: str) -> None:
    said = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<gone@b.example>\r\nBDAT 3 LAST\r\nx\r\nDATA\r\n"
    said += b"MAIL FROM:<b@a.example>\r\nRSET\r\nMAIL FROM:<gone1@a.example>\r\n"
    codes, tally = converse(program, said)
    assert codes == [
        "250 2.1.0", "550 5.1.1", "503 5.5.1", "554 5.5.1", "503 5.5.1", "250 2.0.0", "550 5.1.8",
    ]  # fmt: skip
    assert tally == "0 messages, 0 recipients, 0 octets"


@pytest.mark.parametrize(
    "said", [b"BDAT 61 LAST\r\n" + b"x" * 61, b"DATA\r\n" + b"x" * 59 + b"\r\n.\r\n"]
)
def test_a_message_above_the_limit_is_refused_once_it_has_come(program: str, said: bytes) -> None:
    codes, tally = converse(program, ENVELOPE + said + b"NOOP\r\n")
    assert codes[-2:] == ["552 5.3.4", "250 2.0.0"]
    assert tally == "0 messages, 0 recipients, 0 octets"


def test_a_declared_size_above_the_limit_is_refused_at_mail(program: str) -> None:
    codes, _ = converse(program, b"MAIL FROM:<a@a.example> BODY=8BITMIME SIZE=61\r\nNOOP\r\n")
    assert codes == ["552 5.3.4", "250 2.0.0"]


@pytest.mark.parametrize("size", [b"x", b"", b"-1", b"1 FIRST", b"99999999999999999999999"])
def test_a_chunk_without_a_size_ends_the_connection(program: str, size: bytes) -> None:
    codes, _ = converse(program, ENVELOPE + b"BDAT " + size + b"\r\nNOOP\r\n")
    assert codes == [*OK, "501 5.5.4"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"VRFY a", "500 5.5.2"),
        (b"", "500 5.5.2"),
        (b"MAILER", "500 5.5.2"),
        (b"mail from:<\"a>\\\"b\"@c.example> size=5", "250 2.1.0"),
        (b"MAIL FROM:a@a.example", "501 5.5.4"),
        (b"MAIL", "501 5.5.4"),
        (b"RCPT TO:<b@b.example>", "503 5.5.1"),
        (b"DATA", "554 5.5.1"),
        (b"NOOP " + b"x" * 5000, "500 5.5.2"),
        (b"quit", "221 2.0.0"),
    ],
)  # fmt: skip
def test_a_line_is_answered(program: str, line: bytes, code: str) -> None:
    codes, _ = converse(program, line + b"\r\n")
    assert codes == [code]


def test_mail_before_ehlo_is_refused(program: str) -> None:
    result = subprocess.run([program], input=ENVELOPE, capture_output=True, check=True)
    assert result.stdout.startswith(b"503 5.5.1 EHLO first")
