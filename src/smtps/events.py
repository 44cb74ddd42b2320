"""The events: what a connection tells the program while it works.

They decide nothing, with one exception: `SSLServerAuthentication.accept`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "HANDLERS",
    "ConnectionStatus",
    "Direction",
    "EndTransfer",
    "Error",
    "Expand",
    "PITrail",
    "SSLServerAuthentication",
    "SSLStatus",
    "StartTransfer",
    "Transfer",
]


class Direction(IntEnum):
    """Who said it."""

    CLIENT = 0
    SERVER = 1
    INFO = 2


@dataclass(frozen=True, slots=True)
class PITrail:
    """One line of the session, without its line end; never content, never a secret."""

    direction: Direction
    message: str


@dataclass(frozen=True, slots=True)
class Error:
    """A problem that did not stop the message, such as a recipient that was refused."""

    error_code: int
    description: str


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """The connection changed: a layer of it came up or went down.

    `connection_event` is "Firewall Connect", "Remote Connect", "Secure Connect", and the same with
    "Disconnect". `status_code` is 0, or the number of the error that ended it.
    """

    connection_event: str
    status_code: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class StartTransfer:
    """The first byte of a body, or of the stream behind it, is about to be sent."""

    direction: Direction = Direction.CLIENT


@dataclass(frozen=True, slots=True)
class Transfer:
    """A piece of the body was handed to the network.

    `bytes_transferred` counts from the start of the body, and anew for the stream behind it;
    headers are not counted. `percent_done` is -1 where the whole size is not known.
    """

    direction: Direction
    bytes_transferred: int
    percent_done: int = -1


@dataclass(frozen=True, slots=True)
class EndTransfer:
    """The last byte of a body, or of the stream behind it, was handed to the network."""

    direction: Direction = Direction.CLIENT


@dataclass(frozen=True, slots=True)
class Expand:
    """One address of the list that EXPN asked for, as the server wrote it."""

    address: str


@dataclass(slots=True)
class SSLServerAuthentication:
    """The server's certificate is here, and nothing was sent since; `accept` decides."""

    #: The certificate, DER.
    cert_encoded: bytes
    #: Whose it is, and who signed it: RFC 4514.
    cert_subject: str
    cert_issuer: str
    #: "OK", or why verification failed.
    status: str
    #: Whether the connection goes on; preset by verification, and by what the options ignore.
    accept: bool


@dataclass(frozen=True, slots=True)
class SSLStatus:
    """A step of the TLS handshake, in words that may change."""

    message: str


#: The attribute of the component that holds the handler of each event.
HANDLERS: dict[type, str] = {
    ConnectionStatus: "on_connection_status",
    EndTransfer: "on_end_transfer",
    Error: "on_error",
    Expand: "on_expand",
    PITrail: "on_pi_trail",
    SSLServerAuthentication: "on_ssl_server_authentication",
    SSLStatus: "on_ssl_status",
    StartTransfer: "on_start_transfer",
    Transfer: "on_transfer",
}
