"""Send mail over SMTP: the classic component and a modern engine under it.

`SMTPS` and `AsyncSMTPS` are one connection to a relay; `send` is one message to a relay URL.
"""

from __future__ import annotations

from .aclient import AsyncSMTPS
from .client import SMTPS, send
from .component import Item
from .envelope import Envelope, Recipient
from .errors import *  # noqa: F403  (every error is public)
from .errors import __all__ as _errors
from .events import Direction, Error, PITrail
from .options import (
    AuthMechanism,
    Importance,
    Priority,
    RecipientPolicy,
    RecipientType,
    Sensitivity,
    SSLStartMode,
)
from .phase import Phase
from .receipt import Outcome, Receipt, RecipientResult
from .reply import Reply
from .wire.capabilities import Capabilities

__all__ = [
    "AsyncSMTPS",
    "AuthMechanism",
    "Capabilities",
    "Direction",
    "Envelope",
    "Error",
    "Importance",
    "Item",
    "Outcome",
    "PITrail",
    "Phase",
    "Priority",
    "Receipt",
    "Recipient",
    "RecipientPolicy",
    "RecipientResult",
    "RecipientType",
    "Reply",
    "SMTPS",
    "SSLStartMode",
    "Sensitivity",
    "send",
]
__all__ += _errors

__version__ = "0.1.0"
