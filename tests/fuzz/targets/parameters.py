"""File names in parameters: the standard library reads the same name."""

from __future__ import annotations

import email.utils
import re
from email import message_from_bytes
from urllib.parse import unquote

from smtps.errors import BadValue
from smtps.mime.headers import DEFAULT_LIMIT, header
from smtps.mime.parameters import file_name, format_parameters
from tests.fuzz.feeding import Feed


def check(data: bytes) -> None:
    """Take it for the name of an attached file."""
    text = Feed(data).text()
    try:
        name = file_name(text, field="name")
        value = format_parameters("attachment", {"filename": name})
    except BadValue as error:
        assert str(error).isprintable()
        return
    assert not set(name) & set("/\\")
    lines = header("Content-Disposition", value, structured=True)
    assert max(map(len, lines.split(b"\r\n"))) <= DEFAULT_LIMIT
    assert _by_hand(value) == name
    # It takes quotes and angle brackets off the name itself, too.
    if name == email.utils.unquote(name.strip()) and "'" not in name:
        assert message_from_bytes(lines + b"\r\n").get_filename() == name


def _by_hand(value: str) -> str:
    """Read RFC 2231 as it is written: every segment percent-encoded, the first with the charset."""
    rest = value.removeprefix("attachment; ")
    if rest.startswith("filename="):
        return re.sub(r"\\(.)", r"\1", rest.removeprefix("filename=")[1:-1])
    segments = [part.split("=", 1)[1] for part in rest.split("; ")]
    return unquote("".join(segments).removeprefix("utf-8''"), errors="strict")
