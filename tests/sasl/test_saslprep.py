"""SASLprep."""

from __future__ import annotations

import pytest

from smtps.errors import BadValue
from smtps.sasl.saslprep import saslprep


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        # The examples of RFC 4013, section 3.
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0627\u0628", "\u0627\u0628"),
        # Unassigned in Unicode 3.2, which a query may hold.
        ("\u0221", "\u0221"),
    ],
)
def test_text_takes_the_form_of_the_rfc(text: str, prepared: str) -> None:
    assert saslprep("user", text) == prepared


@pytest.mark.parametrize(
    "text",
    ["\u0007", "\u00ad", "\u06271", "a\u0627", "\ue000", "\ufdd0", "\u200e", "\ufffd", "é\x7f"],
)
def test_what_the_rfc_prohibits_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadValue) as caught:
        saslprep("password", text)
    assert caught.value.field == "password"
    assert text not in str(caught.value)
