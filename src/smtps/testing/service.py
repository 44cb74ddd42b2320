"""What all connections of one sink share: what it offers, to whom, and where messages go."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .auth import Mechanism
from .extensions import Extensions
from .faults import Script
from .records import SinkMessage

__all__ = ["Service"]


@dataclass(frozen=True)
class Service:
    """The settings of a sink, and what a conversation reports to it."""

    name: str
    extensions: Extensions
    #: Users and their passwords.
    users: Mapping[str, str]
    #: How they can log in.
    mechanisms: Mapping[str, Mechanism]
    auth_in_clear: bool
    require_auth: bool
    #: What TLS is made with, if there is any.
    context: ssl.SSLContext | None
    implicit_tls: bool
    #: The hash of the certificate that RFC 5929 binds to.
    end_point: bytes
    #: Whether commands and content are remembered.
    keep: bool
    script: Script
    #: Whether LMTP is spoken: LHLO, and one last reply for each recipient. RFC 2033.
    lmtp: bool
    #: Called with each message that was taken, in the order of the final replies; None stands
    #: for one that is not kept.
    deliver: Callable[[SinkMessage | None], None]
    #: Called when a connection has something new to show.
    notice: Callable[[], None]
    #: Set when the sink stops.
    stopping: threading.Event = field(default_factory=threading.Event)
