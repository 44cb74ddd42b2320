"""One click to leave a mailing: the headers of RFC 2369 and RFC 8058."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..controls import require_text, shown
from ..errors import BadValue
from ..mailboxes import parse_address
from .headers import header

__all__ = ["quote_url", "unsubscribe_headers"]

# RFC 3986 without what a header gives a meaning: angle brackets and commas.
_url = re.compile(r"https://[A-Za-z0-9.\[\]:-]+(?:[/?][!#-+\--;=?-Z\[\]_a-z~%]*)?").fullmatch
_query = re.compile(r"[!#-+\--;=?-Z_a-z~%]*").fullmatch


def unsubscribe_headers(url: str | None, mailto: str | None) -> bytes:
    """Give List-Unsubscribe, and with an address of the web List-Unsubscribe-Post.

    Raises:
        BadValue: neither is given, or one is not such an address.
    """
    ways = []
    if url is not None:
        if not _url(require_text("url", url)):
            raise BadValue(
                "url",
                f"expected https://..., percent-encoded, without < > or commas, not {shown(url)}",
            )
        ways.append(f"<{url}>")
    if mailto is not None:
        ways.append(f"<{_mailto(mailto)}>")
    if not ways:
        raise BadValue("unsubscribe", "give url=, mailto= or both")
    lines = header("List-Unsubscribe", ", ".join(ways), structured=True)
    if url is not None:
        lines += header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    return lines


def quote_url(value: str) -> str:
    """Quote a value so that it is one part of a URL and nothing else of it."""
    return quote(value, safe="")


def _mailto(text: str) -> str:
    address, mark, query = require_text("mailto", text).removeprefix("mailto:").partition("?")
    if not _query(query):
        raise BadValue("mailto", f"what follows the ? must be percent-encoded, not {shown(query)}")
    return f"mailto:{parse_address(address, field='mailto').wire()}{mark}{query}"
