"""An SMTP server for tests and demos: `Sink` records or discards, and misbehaves as scripted."""

from .auth import AuthExchange
from .certificates import Authority, Certificate, self_signed
from .extensions import ALL_EXTENSIONS
from .faults import Fault
from .records import SinkConnection, SinkMessage
from .sink import Sink

__all__ = [
    "ALL_EXTENSIONS",
    "AuthExchange",
    "Authority",
    "Certificate",
    "Fault",
    "Sink",
    "SinkConnection",
    "SinkMessage",
    "self_signed",
]
