"""The durable queue: a folder of messages that any number of processes fill and empty."""

from __future__ import annotations

from ..spool.listing import Listed, ListedRecipient
from ..spool.rules import Report
from .box import Outbox

__all__ = ["Listed", "ListedRecipient", "Outbox", "Report"]
