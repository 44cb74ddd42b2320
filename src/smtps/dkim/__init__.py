"""DKIM: signatures by which a receiver knows that a domain stands behind a message. RFC 6376."""

from __future__ import annotations

from .signer import DkimSigner

__all__ = ["DkimSigner"]
