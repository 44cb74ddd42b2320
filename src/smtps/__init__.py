"""Send mail over SMTP: the classic component and a modern engine under it.

`SMTPS` and `AsyncSMTPS` are one connection to a relay; `send` is one message to a relay URL.
"""

from __future__ import annotations

from .aclient import AsyncSMTPS
from .apool import AsyncPool
from .certificate import Certificate
from .classic import Header
from .client import SMTPS, send
from .dkim import DkimSigner
from .enumerations import (
    AuthMechanism,
    CertStoreType,
    FirewallType,
    Importance,
    InDoubt,
    IPVersion,
    Priority,
    Protocol,
    RecipientPolicy,
    RecipientType,
    Sensitivity,
    SSLStartMode,
)
from .envelope import Envelope, Recipient
from .errors import *  # noqa: F403  (every error is public)
from .errors import __all__ as _errors
from .events import (
    ConnectionStatus,
    Direction,
    EndTransfer,
    Error,
    Expand,
    PITrail,
    SSLServerAuthentication,
    SSLStatus,
    StartTransfer,
    Transfer,
)
from .firewall import Firewall
from .items import Item
from .mime.mailing import Mailing
from .mime.message import Message
from .ops import TLSInfo
from .outbox import Outbox, Report
from .phase import Phase
from .pool import Pool
from .receipt import Outcome, Receipt, RecipientResult
from .recipients import MessageRecipient
from .reply import Reply
from .spool.failures import QueueError, QueueFolderError
from .spool.schedule import Schedule
from .tokens import Token
from .wire.capabilities import Capabilities

__all__ = [
    "AsyncPool",
    "AsyncSMTPS",
    "AuthMechanism",
    "Capabilities",
    "CertStoreType",
    "Certificate",
    "ConnectionStatus",
    "Direction",
    "DkimSigner",
    "EndTransfer",
    "Envelope",
    "Error",
    "Expand",
    "Firewall",
    "FirewallType",
    "Header",
    "IPVersion",
    "Importance",
    "InDoubt",
    "Item",
    "Mailing",
    "Message",
    "MessageRecipient",
    "Outbox",
    "Outcome",
    "PITrail",
    "Phase",
    "Pool",
    "Priority",
    "Protocol",
    "QueueError",
    "QueueFolderError",
    "Receipt",
    "Recipient",
    "RecipientPolicy",
    "RecipientResult",
    "RecipientType",
    "Reply",
    "Report",
    "SMTPS",
    "SSLServerAuthentication",
    "SSLStartMode",
    "SSLStatus",
    "Schedule",
    "Sensitivity",
    "StartTransfer",
    "Token",
    "Transfer",
    "TLSInfo",
    "send",
]
__all__ += _errors

#: The version of the installed package, from its tag: SemVer 2.0.
__version__: str


def __getattr__(name: str) -> str:
    # Looked up when it is asked for: reading the metadata takes longer than many a program runs.
    if name == "__version__":
        from importlib.metadata import version

        return version("smtps")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
