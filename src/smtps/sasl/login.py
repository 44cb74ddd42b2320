"""LOGIN: the user, then the password, each when asked; obsolete and everywhere. No RFC."""

from __future__ import annotations

from .credentials import Credentials, Responses

__all__ = ["login"]


def login(credentials: Credentials) -> Responses:
    """Give the user and the password in this order; the wording of the prompts differs widely."""
    yield None
    yield credentials.user.encode()
    yield credentials.password.encode()
