"""The lines of an AUTH exchange."""

from __future__ import annotations

import pytest

from smtps.errors import BadValue, ProtocolError
from smtps.sasl.encoding import auth_line, decode_challenge, response_line


def test_an_empty_initial_response_is_told_from_none() -> None:
    assert auth_line("EXTERNAL", b"") == b"AUTH EXTERNAL =\r\n"
    assert auth_line("LOGIN", None) == b"AUTH LOGIN\r\n"
    assert auth_line("PLAIN", b"abc") == b"AUTH PLAIN YWJj\r\n"


def test_lines_show_nothing_of_what_they_hold() -> None:
    for line in (auth_line("PLAIN", b"secret"), response_line(b"secret")):
        assert "c2VjcmV0" not in repr(line)


def test_a_response_beyond_the_limit_of_the_rfc_is_refused_without_repeating_it() -> None:
    assert len(response_line(b"x" * 9216)) == 12290
    with pytest.raises(BadValue) as caught:
        response_line(b"x" * 9217)
    assert "eHh4" not in str(caught.value)


@pytest.mark.parametrize("text", ["?", "YQ", "YQ==YQ==", "YW Jj", "é", "A" * 12292])
def test_a_challenge_that_is_not_base64_or_too_long_is_a_protocol_error(text: str) -> None:
    with pytest.raises(ProtocolError):
        decode_challenge(text)


def test_an_empty_challenge_is_one() -> None:
    assert decode_challenge(" ") == b""
