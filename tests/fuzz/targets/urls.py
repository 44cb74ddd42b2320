"""URLs of relays and proxies: refused without repeating a secret, or taken as they are written."""

from __future__ import annotations

from smtps import SMTPS
from smtps.errors import BadValue
from smtps.firewall import Firewall
from smtps.url import RelayURL
from tests.fuzz.feeding import Feed


def check(data: bytes) -> None:
    """Parse it, bare and behind a host."""
    text = Feed(data).text()
    for url in (text, f"smtp://user:s3cret@host{text}", f"smtps://host?{text}"):
        for parse in (RelayURL.parse, SMTPS.from_url):
            try:
                found = parse(url)
            except BadValue as error:
                assert "s3cret" not in str(error)
            else:
                assert "s3cret" not in repr(found)
    try:
        Firewall.from_url(text)
    except BadValue:
        pass
    try:
        parts = RelayURL.parse(text)
    except BadValue:
        return
    assert parts.host
    assert 0 <= parts.port <= 65535
