"""A client certificate from the two files that other libraries have for it."""

from __future__ import annotations

from pathlib import Path

from ..certificate import Certificate
from ..enumerations import CertStoreType
from ..errors import BadValue

__all__ = ["client_certificate"]


def client_certificate(**files: str | Path | None) -> Certificate:
    """Read a certificate and its key, which may be in one file or in two.

    Args:
        files: the paths, by the names that the caller has for them.

    Raises:
        BadValue: one cannot be read, or they do not belong together.
    """
    parts = []
    for name, path in files.items():
        try:
            parts += [Path(path).read_bytes()] if path else []
        except OSError as error:
            raise BadValue(name, f"cannot be read: {error.strerror}: {path}") from error
    return Certificate(CertStoreType.PEM_KEY_BLOB, b"\n".join(parts))
