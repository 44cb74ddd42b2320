"""SASLprep: one form for user names and passwords that look the same. RFC 4013."""

from __future__ import annotations

import stringprep
import unicodedata

from ..errors import BadValue

__all__ = ["saslprep"]

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(field: str, text: str) -> str:
    """Prepare a user name or a password as a query, which may hold unassigned characters.

    Args:
        field: the name of the option, for the error, which does not repeat the text.

    Raises:
        BadValue: nothing is left of it, or it holds what RFC 4013 prohibits.
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    # RFC 3454 is written for Unicode 3.2.
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared:
        raise BadValue(field, "nothing is left of it after SASLprep (RFC 4013)")
    if any(prohibited(character) for character in prepared for prohibited in _PROHIBITED):
        raise BadValue(field, "it holds a character that SASLprep (RFC 4013) prohibits; remove it")
    _check_direction(field, prepared)
    return prepared


def _check_direction(field: str, text: str) -> None:
    """Refuse text that runs in both directions. RFC 3454, section 6."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    ends_well = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not ends_well or any(map(stringprep.in_table_d2, text)):
        raise BadValue(field, "it mixes letters of both directions, which SASLprep prohibits")
