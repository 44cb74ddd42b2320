"""Messages as their authors make them, and as the standard library reads them."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from smtps.mime.message import Message

__all__ = ["LEAST", "PNG", "make", "parse", "shape"]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LEAST: dict[str, Any] = {"from_": "Ann <a@b.example>", "to": "x@y.example"}


def make(**changes: Any) -> Message:
    return Message(**LEAST | changes)


def parse(data: bytes) -> EmailMessage:
    parsed = message_from_bytes(data, policy=default)
    assert isinstance(parsed, EmailMessage)
    for part in parsed.walk():
        assert not part.defects
        for value in part.values():
            assert not getattr(value, "defects", ()), value
    return parsed


def shape(part: Any) -> Any:
    if part.is_multipart():
        return (part.get_content_subtype(), *map(shape, part.iter_parts()))
    return part.get_content_type()
