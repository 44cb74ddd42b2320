"""Header fields in their canonical form, and which of them a signature covers. RFC 6376."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["COVERED", "Field", "canonical", "choose", "split_fields"]

#: What is covered by default: what readers and filters act upon. RFC 6376, section 5.4.1.
COVERED = (
    *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to"),
    *("references", "mime-version", "content-type", "content-transfer-encoding", "content-id"),
    *("content-description", "content-disposition", "list-id", "list-unsubscribe"),
    *("list-unsubscribe-post", "feedback-id", "auto-submitted"),
)
#: Of these one more is signed than there is, so that none can be added. RFC 6376, section 8.15.
_SEALED = frozenset(
    (
        *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id"),
        *("mime-version", "content-type", "content-transfer-encoding"),
    )
)

_fold = re.compile(rb"\r\n(?=[ \t])")
_white_space = re.compile(rb"[ \t]+")
_end = re.compile(rb"\r\n(?![ \t])")

#: The name in lower case, and the field as it stands, without its last line end.
Field = tuple[str, bytes]


def split_fields(headers: bytes) -> list[Field]:
    """Part a header block into its fields."""
    return [
        (field.partition(b":")[0].strip(b" \t").lower().decode("ascii", "replace"), field)
        for field in _end.split(headers)
        if field
    ]


def choose(fields: Iterable[Field], covered: Iterable[str]) -> tuple[list[str], list[bytes]]:
    """Choose the fields to sign, each name from the last to the first. RFC 6376, section 5.4.2.

    Returns:
        The names for the h= tag, and the fields to be hashed; names stand for nothing where the
        field does not exist.
    """
    found: dict[str, list[bytes]] = {}
    for name, field in fields:
        found.setdefault(name, []).append(field)
    names: list[str] = []
    chosen: list[bytes] = []
    for name in covered:
        instances = found.get(name, [])
        names += [name] * (len(instances) + (name in _SEALED))
        chosen += reversed(instances)
    return names, chosen


def canonical(field: bytes, relaxed: bool) -> bytes:
    """Bring a field into its canonical form, without a line end. RFC 6376, section 3.4."""
    if not relaxed:
        return field
    name, _, value = field.partition(b":")
    value = _white_space.sub(b" ", _fold.sub(b"", value))
    return name.rstrip(b" \t").lower() + b":" + value.strip(b" ")
