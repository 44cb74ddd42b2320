"""Which header fields a signature covers, and how it names them. RFC 6376."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

__all__ = ["COVERED", "Choice", "choose"]

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
# Lines of the header keep to 76 characters.
_ROOM = 74


class Choice(NamedTuple):
    """The fields of a header block that are signed."""

    #: The h= tag, on as many lines as it needs. Names stand for nothing where there is no field.
    tag: bytes
    #: Where the fields to be hashed stand, in the order of the tag.
    places: tuple[int, ...]


# Most messages of a program have the same fields.
@lru_cache(maxsize=256)
def choose(names: tuple[bytes, ...], covered: tuple[str, ...]) -> Choice:
    """Choose the fields to sign, each name from the last to the first. RFC 6376, section 5.4.2.

    Args:
        names: those of the fields, in lower case, as they stand.
    """
    signed: list[str] = []
    places: list[int] = []
    for name in covered:
        found = [place for place, one in enumerate(names) if one == name.encode("ascii")]
        signed += [name] * (len(found) + (name in _SEALED))
        places += reversed(found)
    return Choice("\r\n".join(_folded(signed)).encode("ascii"), tuple(places))


def _folded(names: Iterable[str]) -> list[str]:
    """Write the names with colons between, on as many lines as they need."""
    first, *others = names
    lines = [f" h={first}"]
    for name in others:
        if len(lines[-1]) + len(name) > _ROOM:
            lines[-1] += ":"
            lines.append("  " + name)
        else:
            lines[-1] += ":" + name
    lines[-1] += ";"
    return lines
