"""Attached and embedded files: their type, their name and what describes them. RFC 2183, 2392."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from mimetypes import guess_type

from ..address import Address
from ..controls import require_text, shown
from ..domain import domain_to_wire
from ..errors import BadValue
from .blob import Blob, BlobSource
from .headers import header
from .parameters import file_name, format_parameters
from .parts import FilePart

__all__ = ["attached", "content_id", "embedded"]

_ANY = "application/octet-stream"
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]{1,127}"  # RFC 6838, section 4.2.
_type = re.compile(rf"{_TOKEN}/{_TOKEN}").fullmatch
_identifier = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+(?:@[A-Za-z0-9.-]+)?").fullmatch


def attached(source: BlobSource, name: str | None, content_type: str | None) -> FilePart:
    """Describe a file that readers can save.

    Raises:
        BadValue: it cannot be read, or the name or type is not one.
    """
    blob = Blob(source, field="attach")
    shown = file_name(name, field="name") if name is not None else _own_name(blob)
    return FilePart(blob, _attached_headers(_content_type(content_type, shown, blob.data), shown))


def embedded(source: BlobSource, cid: str, content_type: str | None) -> FilePart:
    """Describe a file that the HTML shows.

    Raises:
        BadValue: it cannot be read, or the type is not one.
    """
    blob = Blob(source, field="embed")
    shown = _own_name(blob)
    kind = _content_type(content_type, shown, blob.data)
    headers = header("Content-Type", kind) + header("Content-ID", f"<{cid}>")
    disposition = format_parameters("inline", {"filename": shown} if shown else {})
    return FilePart(blob, headers + header("Content-Disposition", disposition, structured=True))


def content_id(cid: str | None, authors: tuple[Address, ...]) -> str:
    """Check an identifier, or make one.

    Raises:
        BadValue: it is none.
    """
    if cid is None:
        domain = authors[0].domain if authors and authors[0].domain else "localhost"
        return f"{secrets.token_hex(8)}@{domain_to_wire(domain, field='from_')}"
    inside = require_text("cid", cid).removeprefix("<").removesuffix(">")
    if not _identifier(inside):
        raise BadValue(
            "cid", f"expected an identifier such as logo or logo@example.com, not {shown(cid)}"
        )
    return inside


def _own_name(blob: Blob) -> str:
    return file_name(blob.name, field="name") if blob.name else ""


@lru_cache(maxsize=256)
def _attached_headers(kind: str, name: str) -> bytes:
    parameters = {"filename": name} if name else {}
    disposition = format_parameters("attachment", parameters)
    return header("Content-Type", kind) + header(
        "Content-Disposition", disposition, structured=True
    )


# The signatures of what is embedded: images have no name when they come as bytes.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def _content_type(given: str | None, name: str, data: bytes | None) -> str:
    if given is not None:
        if not _type(require_text("content_type", given)):
            raise BadValue(
                "content_type",
                f"expected type/subtype, such as application/pdf, not {shown(given)}",
            )
        if given.lower().startswith(("multipart/", "message/")):
            # RFC 2045 6.4: these may not be encoded as files are.
            raise BadValue("content_type", f"{given} cannot be a file; leave it out")
        return given
    kind, encoding = guess_type(name) if name else (None, None)
    if kind is None and data is not None:
        kind = next((kind for start, kind in _SIGNATURES if data.startswith(start)), None)
    # "a.tar.gz" is a tar only behind its compression, which mail has no word for.
    if kind is None or encoding is not None or kind.startswith(("multipart/", "message/")):
        return _ANY
    return kind
