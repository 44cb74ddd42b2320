"""What signs a message by a header of its own, and how it is asked to. DKIM is one of these."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..errors import BadValue
from .rendering import Rendering

__all__ = ["BodyHash", "Signer", "check_cover", "signatures"]


class BodyHash(Protocol):
    """The hash of a body, taken piece by piece."""

    def update(self, piece: bytes | memoryview, /) -> None:
        """Take in the next piece."""

    def digest(self) -> bytes:
        """Give the hash of all that came."""


class Signer(Protocol):
    """Something that signs a message by a header of its own, such as DKIM."""

    #: The domain that signs.
    domain: str
    #: What hashes of bodies it can share with others: those of the same name are alike.
    body_form: str

    @property
    def covered(self) -> frozenset[str]:
        """The headers that it covers where they exist, in lower case."""

    def body_hash(self) -> BodyHash:
        """Begin to hash a body."""

    def signature(self, headers: bytes, body_digest: bytes) -> bytes:
        """Give the header lines to put on top of `headers`."""


def check_cover(signers: Iterable[Signer], headers: Iterable[bytes]) -> None:
    """Make sure that an offer to unsubscribe with one click is signed. RFC 8058, section 4.

    Raises:
        BadValue: a signer does not cover its headers.
    """
    if not any(b"List-Unsubscribe-Post:" in lines for lines in headers):
        return
    for signer in signers:
        missing = {"list-unsubscribe", "list-unsubscribe-post"} - signer.covered
        if missing:
            raise BadValue(
                "sign",
                f"the signature does not cover {' and '.join(sorted(missing))}, which RFC 8058"
                " demands; leave out headers=, or name them too",
            )


def signatures(signers: Iterable[Signer], rendering: Rendering) -> bytes:
    """Hash the body once for all signers that want it alike, and sign the headers."""
    signers = tuple(signers)
    hashes: dict[str, BodyHash] = {}
    for signer in signers:
        hashes.setdefault(signer.body_form, signer.body_hash())
    head, body = rendering.parted()
    for piece in body:
        for hashing in hashes.values():
            hashing.update(piece)
    digests = {form: hashing.digest() for form, hashing in hashes.items()}
    return b"".join(signer.signature(head, digests[signer.body_form]) for signer in signers)
