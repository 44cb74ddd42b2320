"""Base64 and quoted-printable, against the standard library's decoders."""

from __future__ import annotations

import base64
import quopri

from tests.codec.oracles import base64_lines, check_quoted_printable, normalized
from tests.fuzz.feeding import Feed, both

BASE64, PRINTABLE, TEXTS = both("base64"), both("quoted_printable"), both("texts")


def check(data: bytes) -> None:
    """Encode it every way and read it back."""
    feed = Feed(data)
    eight_bit = bool(feed.number(1))
    pieces = feed.pieces()
    body = feed.data
    for module in BASE64:
        assert module.encode_base64(body) == base64_lines(body)
        encoder = module.Base64Encoder()
        assert b"".join([*map(encoder.update, pieces), encoder.finish()]) == base64_lines(body)
    printable = {module.encode_quoted_printable(body) for module in PRINTABLE}
    assert len(printable) == 1
    check_quoted_printable(printable.pop(), body)
    texts = {tuple(module.encode_text(body, eight_bit)) for module in TEXTS}
    assert len(texts) == 1
    encoding, charset, sent = texts.pop()
    assert charset == ("us-ascii" if body.isascii() else "utf-8")
    assert eight_bit or sent.isascii()
    assert max(map(len, sent.split(b"\r\n"))) <= 998
    if encoding == "base64":
        sent = base64.b64decode(sent)
    elif encoding == "quoted-printable":
        sent = quopri.decodestring(sent)
    assert sent == normalized(body)
