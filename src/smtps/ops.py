"""The operations that dialogues yield and drivers carry out.

A dialogue is a generator: it yields one of these and gets the result back, or the error thrown in.
It never touches a socket, so the same procedure runs blocking, on asyncio, and in a test that
feeds it by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeAlias, TypeVar

from .errors import ProtocolError
from .properties import ConnectionProperties
from .receipt import Receipt

__all__ = [
    "Await",
    "Call",
    "Close",
    "Connect",
    "Connected",
    "Deadline",
    "Dialogue",
    "Emit",
    "Finished",
    "Give",
    "Op",
    "Poll",
    "PrepareTLS",
    "Read",
    "Respond",
    "Sleep",
    "StartTLS",
    "TLSInfo",
    "Verdict",
    "Verify",
    "Write",
    "most_heard",
]


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long an operation may take.

    `idle` is the seconds without any byte moved, `until` a moment of `time.monotonic` by which the
    whole method must be done, `total` seconds after it began; None is no limit.
    """

    idle: float | None = None
    until: float | None = None
    total: float | None = None

    def seconds(self) -> float | None:
        """Tell how long to wait from now for the next byte; never negative."""
        if self.until is None:
            return self.idle
        left = max(self.until - monotonic(), 0.0)
        return left if self.idle is None else min(self.idle, left)

    @property
    def is_over(self) -> bool:
        """Whether the method has no time left, even if bytes still move."""
        return self.until is not None and monotonic() >= self.until

    @property
    def allowed(self) -> float:
        """The seconds that were allowed and are over now, for the error that says so."""
        # A timer can go off a little early.
        over = self.until is not None and monotonic() > self.until - 0.01
        return (self.total if over else self.idle) or 0.0


@dataclass(slots=True)
class Connect:
    """Connect to a host: the relay, or the proxy before it. Gives back a `Connected`.

    The deadline is for all of it, the look-up of the name included.
    """

    host: str
    port: int
    options: ConnectionProperties
    deadline: Deadline


@dataclass(slots=True)
class Connected:
    """What is known once TCP is up."""

    #: The own host's name, as well qualified as the system knows it; empty if `hello` is set.
    own_name: str
    #: Empty on a Unix socket, whose peer is a path.
    own_address: str
    peer_address: str
    #: The sizes of the socket's buffers, in bytes, as the system chose them.
    in_buffer: int = 0
    out_buffer: int = 0


@dataclass(slots=True)
class Read:
    """Wait for bytes. Gives back at least one, or b"" when the server has closed."""

    deadline: Deadline
    #: After so many seconds without any, it gives back None.
    patience: float | None = None


@dataclass(slots=True)
class Poll:
    """Take what has already arrived, without waiting. b"" if the server closed, None if nothing."""


#: What a server may say while it is written to and owes no reply: one, of the most that it can be.
MOST_HEARD = 1 << 18
# RFC 5321 4.5.3.1.5: the most bytes of a line of a reply.
_REPLY_LINE = 512


def most_heard(awaited: int) -> int:
    """Give the bytes that a server may say while it is written to and owes so many replies."""
    return MOST_HEARD + _REPLY_LINE * awaited


@dataclass(slots=True)
class Write:
    """Send all of `data`. Gives back whether bytes of the server have arrived meanwhile."""

    data: bytes | memoryview
    deadline: Deadline
    #: How many bytes the server may say meanwhile; with more it is out of step or attacks our
    #: memory, and the write is broken off as a `ProtocolError`.
    most: int = MOST_HEARD
    #: How many bytes have gone to the system by now, also when it fails.
    sent: int = 0

    def heard(self, size: int) -> None:
        """Note how many bytes of the server are here and not read.

        Raises:
            ProtocolError: it is more than it can have to say.
        """
        if size > self.most:
            raise ProtocolError(f"the server sent {size} bytes while it was written to")


@dataclass(slots=True)
class Respond:
    """Wait for bytes, and write at once what `answer` makes of them, if anything.

    Where every round trip counts, the server is at work again before anything else is looked after,
    and for as long as one turn is like the other the dialogue is not asked between them.
    Gives back b"" when the server has closed, which `answer` does not hear of, and otherwise
    nothing of use.
    """

    answer: Callable[[bytes], Write | None]
    #: Called when that is written.
    written: Callable[[], None]
    #: How long to wait for the bytes.
    deadline: Deadline
    #: Set by `answer`: whether another turn follows once what it gave is written, and what is to
    #: be handed to the caller of `send_many` then.
    goes_on: bool = False
    receipts: list[Receipt] = field(default_factory=list)

    def take(self) -> list[Receipt]:
        """Take the receipts that are to be handed over."""
        receipts, self.receipts = self.receipts, []
        return receipts


@dataclass(slots=True)
class PrepareTLS:
    """Make ready what `StartTLS` needs; nothing is sent. Raises `BadValue` if that cannot work."""

    options: ConnectionProperties
    verify: bool


@dataclass(slots=True)
class StartTLS:
    """Shake hands. Gives back a `TLSInfo`.

    With `verify` the TLS library judges the certificate in the middle of the handshake and breaks
    it off. Without it whatever came is reported, and the dialogue decides.
    """

    options: ConnectionProperties
    verify: bool
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class TLSInfo:
    """What the handshake agreed on."""

    version: str
    cipher: str
    bits: int
    #: The server's certificate, DER; empty if it showed none.
    certificate: bytes
    #: The certificate and what the server sent along, DER. Known where the dialogue decides.
    chain: tuple[bytes, ...] = ()
    #: Whether an earlier session was taken up again, which saves the certificates.
    resumed: bool = False
    #: Channel bindings that only the TLS library knows, by their registered names. RFC 5929, 9266.
    bindings: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Verify:
    """Judge a chain of certificates as the options ask. Gives back a `Verdict`."""

    options: ConnectionProperties
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found."""

    #: "OK", or the first reason against the certificate in the verifier's words.
    status: str
    #: Whether it passes, if need be because `ssl_security_flags` ignores every reason.
    passes: bool


@dataclass(slots=True)
class Close:
    """Close the connection; never fails."""


@dataclass(slots=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(slots=True)
class Call:
    """Call a function of the program; one that gives an awaitable is awaited on asyncio."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(slots=True)
class Await:
    """Wait for what another thread or task finds out. Gives back the result of `future`."""

    future: Future[Any]
    deadline: Deadline


@dataclass(slots=True)
class Give:
    """Hand receipts to the caller of `send_many`, who may take them at leisure."""

    receipts: list[Receipt]


@dataclass(slots=True)
class Finished:
    """The end of a dialogue, and its result; no operation, but what drivers tell each other."""

    value: Any


@dataclass(slots=True)
class Emit:
    """Tell the program what happened."""

    event: object


Op: TypeAlias = (
    Connect
    | Read
    | Poll
    | Respond
    | Write
    | PrepareTLS
    | StartTLS
    | Verify
    | Close
    | Sleep
    | Call
    | Await
    | Emit
    | Give
)

T = TypeVar("T")
Dialogue: TypeAlias = Generator[Op, Any, T]
