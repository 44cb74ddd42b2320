"""A secret, and the forms in which it could be shown by mistake."""

from __future__ import annotations

import base64

__all__ = ["SECRET", "shown", "spellings"]

SECRET = "S3cr3t!pass"


def spellings(secret: str) -> list[str]:
    """Give a secret as it is, backwards, in hexadecimal, and in base64 behind other text."""
    data = secret.encode()
    inner = [base64.b64encode(b"x" * shift + data).decode()[shift + 2 : -4] for shift in range(3)]
    return [secret, secret[::-1], data.hex(), data.hex().upper(), *inner]


def shown(text: str, secret: str = SECRET) -> list[str]:
    """Tell the forms of a secret that are in a text."""
    return [spelling for spelling in spellings(secret) if spelling in text]
