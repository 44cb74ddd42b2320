"""Survey a body: what its transfer encoding and its size on the wire depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .buffers import as_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Survey", "survey"]

_HIGH = bytes(range(128, 256))


class Survey(NamedTuple):
    """What a body holds. Lines end at CRLF, bare CR or bare LF."""

    #: The most bytes of a line, without its end.
    longest_line: int
    #: How many bytes are above 127.
    eight_bit: int
    #: How many bytes are NUL.
    nul: int
    bare_cr: int
    bare_lf: int
    crlf: int
    #: How many lines open with a dot.
    dots: int


def survey(data: Buffer, /) -> Survey:
    """Count what matters in a body."""
    text = as_bytes(data)
    crlf = text.count(b"\r\n")
    return Survey(
        longest_line=max(map(len, text.splitlines()), default=0),
        eight_bit=0 if text.isascii() else len(text) - len(text.translate(None, _HIGH)),
        nul=text.count(0),
        bare_cr=text.count(b"\r") - crlf,
        bare_lf=text.count(b"\n") - crlf,
        crlf=crlf,
        dots=text.startswith(b".") + text.count(b"\n.") + text.count(b"\r."),
    )
