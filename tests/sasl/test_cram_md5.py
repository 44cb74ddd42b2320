"""CRAM-MD5."""

from __future__ import annotations

import pytest

from smtps.errors import ProtocolError
from smtps.sasl.cram_md5 import cram_md5
from smtps.sasl.credentials import Credentials


def test_the_example_of_rfc_2195_is_answered_as_there() -> None:
    responses = cram_md5(Credentials("tim", "tanstaaftanstaaf"))
    assert next(responses) is None
    answer = responses.send(b"<1896.697170952@postoffice.reston.mci.net>")
    assert answer == b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_an_empty_challenge_is_refused() -> None:
    responses = cram_md5(Credentials("tim", "p"))
    next(responses)
    with pytest.raises(ProtocolError):
        responses.send(b"")
