"""Signing messages with the key of a domain. RFC 6376 and RFC 8463."""

from __future__ import annotations

import os
import re
import time
from binascii import b2a_base64
from collections.abc import Iterable
from hashlib import sha256

from ..amounts import check_count
from ..codec import BodyCanonicalizer, canonical_fields
from ..controls import require_text, shown
from ..domain import domain_to_wire
from ..errors import BadValue
from .headers import COVERED, choose
from .keys import load_key

__all__ = ["BodyDigest", "DkimSigner"]

_selector = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9_-]+)*").fullmatch
_field_name = re.compile(r"[!-9;-~]{1,76}").fullmatch
_FORMS = ("simple", "relaxed")
# Lines of the header keep to 76 characters.
_ROOM = 74


class BodyDigest:
    """The hash of a body in its canonical form, taken piece by piece."""

    def __init__(self, relaxed: bool) -> None:
        self._body = BodyCanonicalizer(relaxed)
        self._hash = sha256()

    def update(self, piece: bytes | memoryview, /) -> None:
        """Take in the next piece."""
        self._hash.update(self._body.update(piece))

    def digest(self) -> bytes:
        """Give the hash of all that came."""
        self._hash.update(self._body.finish())
        return self._hash.digest()


class DkimSigner:
    """Sign messages for a domain. The key is loaded once; an object serves any number of threads.

    What a reader acts upon is signed, and most of it once more than it is there, so that nothing
    can be added to a signed message: neither a second From nor a text behind the first (there is no
    l= tag).

    Args:
        domain: the domain that signs; DMARC wants that of the author or one above it.
        selector: the name under which its public key is found, at `selector._domainkey.domain`.
        key: an RSA key of 2048 bits or more, or an Ed25519 key: PEM, or the path of a file.
        headers: the headers to sign, in place of those that matter; From is always among them.
        password: what the key is encrypted with.
        canonicalization: how much white space may change on the way: "relaxed" or "simple", for
            headers and, behind a slash, for the body.
        expires: for how many seconds the signature holds; without it, for good.

    Raises:
        BadValue: the key is none, or another argument is not what it should be.
    """

    def __init__(
        self,
        domain: str,
        selector: str,
        key: bytes | str | os.PathLike[str],
        *,
        headers: Iterable[str] | None = None,
        password: bytes | None = None,
        canonicalization: str = "relaxed/relaxed",
        expires: int | None = None,
    ) -> None:
        self.domain = domain_to_wire(domain, field="domain")
        if not _selector(require_text("selector", selector)) or len(selector) > 63:
            raise BadValue(
                "selector",
                f"expected letters, digits and hyphens, such as mail2026, not {shown(selector)}",
            )
        self.selector = selector
        self._key = load_key(key, password)
        self._covered = _names(headers)
        forms = require_text("canonicalization", canonicalization).split("/")
        if not 1 <= len(forms) <= 2 or any(form not in _FORMS for form in forms):
            raise BadValue(
                "canonicalization",
                f'expected "relaxed/relaxed", or "simple" in it, not {shown(canonicalization)}',
            )
        # RFC 6376 3.5: without a second one the body's is "simple".
        header_form, self.body_form = forms[0], forms[1] if len(forms) == 2 else "simple"
        self._relaxed = header_form == "relaxed"
        self._expires = None if expires is None else check_count("expires", expires)
        self._opening = (
            f"DKIM-Signature: v=1; a={self._key.algorithm}; c={header_form}/{self.body_form};"
            f" d={self.domain};\r\n s={selector}; "
        ).encode("ascii")

    def __repr__(self) -> str:
        return f"<DkimSigner {self.selector}._domainkey.{self.domain}, {self._key.algorithm}>"

    @property
    def covered(self) -> frozenset[str]:
        """The headers that it covers where they exist, in lower case."""
        return frozenset(self._covered)

    def body_hash(self) -> BodyDigest:
        """Begin to hash a body."""
        return BodyDigest(self.body_form == "relaxed")

    def signature(self, headers: bytes, body_digest: bytes) -> bytes:
        """Give the DKIM-Signature header for these headers and a body with this hash.

        Args:
            headers: the header block as it will be sent, without the blank line.

        Raises:
            BadValue: there is no From, which must be signed.
        """
        fields = canonical_fields(headers, self._relaxed)
        names = tuple([name for name, _ in fields])
        if b"from" not in names:
            raise BadValue("from_", "missing; a signature must cover it", code=164)
        choice = choose(names, self._covered)
        now = int(time.time())
        until = b" x=%d;" % (now + self._expires) if self._expires else b""
        unsigned = b"%st=%d;%b\r\n%b\r\n bh=%b;\r\n b=" % (
            self._opening, now, until, choice.tag, b2a_base64(body_digest, newline=False)
        )  # fmt: skip
        hashed = [fields[place][1] for place in choice.places]
        # RFC 6376 3.7: the signature's own field comes last, with b= empty and without a line end.
        hashed += (field for _, field in canonical_fields(unsigned, self._relaxed))
        signed = b2a_base64(self._key.sign(b"\r\n".join(hashed)), newline=False)
        pieces = [signed[at : at + _ROOM] for at in range(0, len(signed), _ROOM)]
        return unsigned + b"\r\n ".join(pieces) + b"\r\n"


def _names(headers: Iterable[str] | None) -> tuple[str, ...]:
    if headers is None:
        return COVERED
    if isinstance(headers, str) or not isinstance(headers, Iterable):
        raise BadValue("headers", f"expected a list of names, not {shown(headers)}")
    names = [require_text("headers", name).lower() for name in headers]
    for name in names:
        if not _field_name(name):
            raise BadValue("headers", f"{shown(name)} is no name of a header; write From")
    return tuple(dict.fromkeys(["from", *names]))
