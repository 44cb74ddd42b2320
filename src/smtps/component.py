"""What the blocking and the asyncio component share: options, messages, and who is running."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from .amounts import check_count
from .certificate import Certificate
from .classic import ClassicMessage
from .controls import shown
from .dialogue.transaction import Transaction
from .dialogue.work import Supply, Work
from .drivers.names import own_name
from .enumerations import RecipientPolicy, SSLStartMode
from .envelope import Recipient
from .errors import BadValue, Busy, NotConnected
from .events import (
    HANDLERS,
    ConnectionStatus,
    EndTransfer,
    Error,
    Expand,
    PITrail,
    SSLServerAuthentication,
    SSLStatus,
    StartTransfer,
    Transfer,
)
from .hosts import with_port
from .items import Item, letter_of, transaction_of
from .ops import TLSInfo
from .options import assign, show
from .properties import ConnectionProperties
from .queueing import ClassicQueue
from .receipt import Receipt
from .session import Session
from .settings import Settings
from .url import RelayURL
from .wire.capabilities import Capabilities

__all__ = ["Component", "settle"]


_HANDLERS = frozenset(HANDLERS.values())


class _Interruptible(Protocol):
    def begin(self) -> None: ...
    def interrupt(self) -> None: ...


class Component(ConnectionProperties, ClassicMessage, ClassicQueue):
    """One connection to a relay, without the calls that wait.

    A handler (`on_...`) is called with one event while a method runs, on its thread. It decides
    nothing but `SSLServerAuthentication.accept`, may call `interrupt`, and what it raises ends the
    method.
    """

    #: Called with a `ConnectionStatus` when a layer of the connection comes up or goes down.
    on_connection_status: Callable[[ConnectionStatus], Any] | None = None
    #: Called with an `EndTransfer` when a body is written.
    on_end_transfer: Callable[[EndTransfer], Any] | None = None
    #: Called with an `Error` for every problem that did not stop a message.
    on_error: Callable[[Error], Any] | None = None
    #: Called with an `Expand` for every address that EXPN gives.
    on_expand: Callable[[Expand], Any] | None = None
    #: Called with a `PITrail` for every line of the session.
    on_pi_trail: Callable[[PITrail], Any] | None = None
    #: Called with an `SSLServerAuthentication` once the server's certificate is here; its `accept`
    #: decides before anything is sent.
    on_ssl_server_authentication: Callable[[SSLServerAuthentication], Any] | None = None
    #: Called with an `SSLStatus` for every step of the TLS handshake.
    on_ssl_status: Callable[[SSLStatus], Any] | None = None
    #: Called with a `StartTransfer` before the first byte of a body.
    on_start_transfer: Callable[[StartTransfer], Any] | None = None
    #: Called with a `Transfer` for every piece of a body.
    on_transfer: Callable[[Transfer], Any] | None = None

    settings: Settings
    _driver: _Interruptible

    def __init__(self, **options: Any) -> None:
        """Take any property or setting by its name.

        Raises:
            BadValue: a name is unknown, or a value cannot be used.
        """
        self._session: Session | None = None
        self.settings = Settings(self.is_locked, self.live_value, self)
        self._session = Session(self)
        self._running: str | None = None
        self._posted: SimpleQueue[Callable[[], Any]] = SimpleQueue()
        for name, value in options.items():
            assign((self, self.settings), name, value)

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Make a component from a relay URL; it connects when it is used.

        `smtps://user:password@host` is TLS from the first byte (port 465), `smtp://...` requires
        STARTTLS (port 587 with a user, 25 without), and `?tls=none` is the one way to clear text.
        Every other query parameter is a property or setting: `?timeout=10&max_line_length=4096`.
        `lmtp://host` and `lmtp:///path/to/socket` speak LMTP.

        Raises:
            BadValue: it is not such a URL, or an option is unknown or cannot be used.
        """
        parts = RelayURL.parse(url)
        component = cls(
            mail_server=parts.host,
            mail_port=parts.port,
            protocol=parts.protocol,
            ssl_start_mode=parts.start_mode,
            user=parts.user,
            password=parts.password,
        )
        for name, value in parts.query:
            assign((component, component.settings), name, value, parse=True)
        if component.start_mode is SSLStartMode.NONE is not parts.start_mode:
            raise BadValue("url", "an option of it turns TLS off; write ?tls=none for that")
        return component

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HANDLERS and value is not None and not callable(value):
            raise BadValue(name, f"expected a function of one argument, not {shown(value)}")
        if name.startswith("_") or hasattr(type(self), name) or name == "settings":
            super().__setattr__(name, value)
        elif name in Settings.options:
            setattr(self.settings, name, value)
        else:
            raise self._no_property(name)

    if not TYPE_CHECKING:  # A checker of types knows a setting where it is: `smtp.settings.x`.

        def __getattr__(self, name: str) -> Any:
            """Read a setting by its name, as it is assigned and named to the constructor."""
            if name in Settings.options:
                return getattr(self.settings, name)
            if hasattr(type(self), name):
                # It is there and cannot be read: let it say why.
                return object.__getattribute__(self, name)
            raise self._no_property(name)

    def _no_property(self, name: str) -> AttributeError:
        near = self.nearest_name(name) or Settings.nearest_name(name)
        hint = f"; did you mean {near}?" if near else ""
        return AttributeError(
            f"{type(self).__name__} has no property {name}{hint}", name=name, obj=self
        )

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise TypeError(f"{name} is not pickled: it holds a connection; make one where it is used")

    def __repr__(self) -> str:
        state = "connected" if self.connected else "not connected"
        place = with_port(self.mail_server, self.mail_port) if self.mail_server else "no server"
        return f"<{type(self).__name__} {place}, {state}>"

    # --- state ------------------------------------------------------------------------------------

    def is_locked(self) -> bool:
        """Tell whether options that a connection depends on are frozen now."""
        return self._session is not None and self._session.connected

    def live_value(self, attribute: str) -> Any:
        """Tell what is so on the connection; the own name stands for an empty `local_host`."""
        local = self._session.local if self._session is not None else None
        if local is not None:
            return {
                "local_host": local.own_address,
                "in_buffer_size": local.in_buffer,
                "out_buffer_size": local.out_buffer,
            }.get(attribute)
        if attribute == "local_host" and not self.local_address:
            return own_name() or "localhost"
        return None

    @property
    def connected(self) -> bool:
        """Whether a session is up."""
        return self._live.connected

    @property
    def idle(self) -> bool:
        """Whether no method is running."""
        return self._running is None

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers, as its last EHLO said; nothing while not connected."""
        return self._live.capabilities

    @property
    def tls(self) -> TLSInfo | None:
        """What the TLS handshake agreed on; kept after the disconnect until the next connect."""
        return self._live.tls

    @property
    def ssl_server_cert(self) -> Certificate | None:
        """The server's certificate; kept after the disconnect until the next connect."""
        info = self._live.tls
        return Certificate.from_der(info.certificate) if info and info.certificate else None

    @property
    def ssl_server_cert_status(self) -> str:
        """What verification said of the server's certificate: "OK", or the reason; "" before it."""
        return self._live.certificate_status

    @property
    def last_reply(self) -> str:
        """The last complete reply of the server: all its lines with their codes.

        After a message that was refused it is the refusal, and behind a method that made a session
        of its own it is not the reply to its QUIT.
        """
        return self._live.last_reply.raw if self._live.last_reply else ""

    @property
    def last_reply_code(self) -> int:
        """The code of the last complete reply, 0 before the first."""
        return self._live.last_reply.code if self._live.last_reply else 0

    @property
    def last_enhanced_code(self) -> str:
        """The enhanced status of the last complete reply, such as "5.1.1", or "". RFC 2034."""
        return (self._live.last_reply.enhanced or "") if self._live.last_reply else ""

    def config(self, text: str) -> str:
        """Set a configuration setting by `"Name=value"`, or read it by `"Name"`.

        Names are those of the classic component in any case; properties can be set and read too.
        Booleans are `true` and `false`, numbers may be hexadecimal (`0x10`).

        Returns:
            The value as text; "" where one was set. A secret is shown as asterisks.

        Raises:
            BadValue: there is no such name (the nearest is suggested), or the value does not fit.
            Locked: it cannot be changed while connected.
        """
        if not isinstance(text, str):
            raise BadValue("config", f"expected text such as 'Hello=a.example', not {text!r}")
        name, assigns, value = text.partition("=")
        if not name.strip():
            raise BadValue("config", f"{text!r} names no setting; write Name, or Name=value")
        targets = (self.settings, self)
        if assigns:
            assign(targets, name, value, parse=True)
            return ""
        return show(targets, name)

    def interrupt(self) -> None:
        """Stop the method that is running, from another thread or from a handler.

        That method raises `Interrupted` (301) and the connection is dropped, since nobody knows
        what the server has understood. With nothing running it does nothing.
        """
        if self._running is not None:
            self._driver.interrupt()

    def post(self, callback: Callable[[], Any]) -> None:
        """Have a function called by `do_events`, on the thread that calls that; from any thread."""
        self._posted.put(callback)

    def _run_posted(self) -> None:
        # What these post in their turn is for the next time, or one that posts itself never ends.
        for _ in range(self._posted.qsize()):
            self._posted.get()()

    @property
    def _live(self) -> Session:
        assert self._session is not None
        return self._session

    def _check_connected(self) -> None:
        if not self._live.connected:
            raise NotConnected

    def _forget(self) -> None:
        """Set every option back to its default."""
        for target in (self, self.settings):
            for option in target.options.values():
                option.reset(target)
        self.reset_headers()
        self.set_message_stream(None)

    def _terminal_transaction(self, verb: str) -> Transaction:
        if not self.allow_extensions:
            raise BadValue("allow_extensions", "sending to terminals needs it; set it to True")
        return self._classic_transaction(verb)

    def _enter(self, method: str) -> Session:
        """Begin a method that talks to the server."""
        if self._running is not None:
            raise Busy(self._running)
        session = self._live
        # From here on `interrupt` reaches it.
        self._driver.begin()
        self._running = method
        session.heard = frozenset(
            [event for event, name in HANDLERS.items() if getattr(self, name) is not None]
        )
        session.begin()
        return session

    def _observe(self, event: object) -> Any:
        """Hand an event to the program's handler, if it has one."""
        handler: Callable[[Any], Any] | None = getattr(self, HANDLERS[type(event)])
        return handler(event) if handler is not None else None

    # --- messages ---------------------------------------------------------------------------------

    def _transaction(
        self,
        item: Item | None,
        sender: str | None,
        recipients: Iterable[str | Recipient] | None,
    ) -> Transaction:
        """Make the transaction for an item, or for the classic properties.

        Raises:
            BadValue, AddressError: it cannot be sent as it is; nothing was.
        """
        if item is None:
            if sender is not None:
                raise BadValue("sender", "goes with an item; here it is return_path")
            if recipients is not None:
                raise BadValue("recipients", "goes with an item; here it is send_to, cc and bcc")
            return self._classic_transaction()
        everyone = self.settings.recipient_policy is RecipientPolicy.ALL
        return transaction_of(item, sender, recipients, everyone=everyone)

    def _work(self, supply: Supply, window: int | None) -> Work:
        """Make what `send_many` works on.

        Raises:
            BadValue: the window is not a number of messages.
        """
        if window is not None:
            check_count("window", window)
        everyone = self.settings.recipient_policy is RecipientPolicy.ALL
        return Work(supply, self._item_transaction, letter_of, together=everyone)

    def _item_transaction(self, item: Item) -> Transaction:
        """Make the transaction of one item of many.

        Raises:
            BadValue, AddressError: it cannot be sent as it is.
        """
        if item is None:
            raise BadValue("item", "None is no message")
        return self._transaction(item, None, None)


def settle(receipt: Receipt) -> Receipt:
    """Give the receipt back, or raise its error if the message went to nobody."""
    if not receipt.ok and not receipt.accepted:
        receipt.raise_for_status()
    return receipt
