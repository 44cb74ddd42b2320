"""The configuration settings: what seldom changes, reached by `settings` and by `config`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .charsets import CODE_PAGES, is_usable_charset
from .controls import shown
from .enumerations import InDoubt, IPVersion, RecipientPolicy
from .errors import BadValue
from .firewall import check_header_lines
from .kinds import choice, flag, number, seconds, text
from .tls_settings import TLSSettings

__all__ = ["Settings", "check_charset", "check_code_page", "check_hello"]


def check_hello(field: str, value: str) -> str:
    """Accept a domain name or an address literal, the argument of EHLO. RFC 5321, 4.1.1.1.

    Raises:
        BadValue: it is neither, or longer than 255 characters.
    """
    if not value:
        return value
    if len(value) > 255:
        raise BadValue(field, f"{shown(value)} is longer than 255 characters")
    if value.startswith("[") and value.endswith("]"):
        if not _is_literal(value[1:-1]):
            raise BadValue(
                field,
                f"{shown(value)} is no address literal such as [192.0.2.1] or [IPv6:2001:db8::1]",
            )
        return value
    labels = value.split(".")
    if not value.isascii() or not all(_is_label(label) for label in labels):
        raise BadValue(
            field,
            f"{shown(value)} is not a host name of letters, digits, '-' and '.', nor [address]",
        )
    return value


def check_charset(field: str, value: str) -> str:
    """Accept a charset that mail can use: one that is known, and in which ASCII is ASCII.

    Raises:
        BadValue: it is none.
    """
    if not is_usable_charset(value):
        raise BadValue(field, f"{shown(value)} is not a charset that mail can use; write utf-8")
    return value


def check_code_page(field: str, value: int) -> int:
    """Accept a code page that mail has a name for.

    Raises:
        BadValue: it is none. Error 434.
    """
    if value not in CODE_PAGES:
        raise BadValue(field, f"{value} is no code page that mail has a name for", code=434)
    return value


def _is_literal(literal: str) -> bool:
    is_v6 = literal[:5].lower() == "ipv6:"
    try:
        if is_v6:
            # A zone is known to this host alone.
            return ipaddress.IPv6Address(literal[5:]).scope_id is None
        ipaddress.IPv4Address(literal)
    except ValueError:
        return False
    return True


def _is_label(label: str) -> bool:
    # Windows and Docker name hosts with an underscore; servers take it.
    return 0 < len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum()


def _check_binding(field: str, value: str) -> str:
    kinds = ("tls-exporter", "tls-server-end-point", "tls-unique")
    if value and value not in kinds:
        raise BadValue(field, f"{shown(value)} is none of {', '.join(kinds)}")
    return value


class _Message(Protocol):
    """What is a property of the message and a setting too."""

    other_headers: Any
    return_path: Any


@dataclass
class _NoMessage:
    other_headers: str = ""
    return_path: str = ""


class Settings(TLSSettings):
    """Typed access to the configuration settings of one connection, as `smtp.settings`."""

    def __init__(
        self,
        is_locked: Callable[[], bool] = lambda: False,
        live_value: Callable[[str], Any] = lambda _: None,
        message: _Message | None = None,
    ) -> None:
        """Take what tells whether the connection is up, and what is so on it.

        `live_value` is asked for what can differ there from what was set. `message` has the two
        properties that are settings too.
        """
        self._is_locked = is_locked
        self._live_value = live_value
        self._message = message or _NoMessage()

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            near = self.nearest_name(name)
            hint = f"; did you mean {near}?" if near else ""
            raise AttributeError(f"settings has no {name}{hint}")
        super().__setattr__(name, value)

    def is_locked(self) -> bool:
        """Tell whether the connection is up."""
        return self._is_locked()

    def live_value(self, attribute: str) -> Any:
        """Tell what is so on the connection; None: as it was set."""
        return self._live_value(attribute)

    @property
    def other_headers(self) -> str:
        """The property of this name: one value, reached in two ways."""
        text: str = self._message.other_headers
        return text

    @other_headers.setter
    def other_headers(self, value: str) -> None:
        self._message.other_headers = value

    @property
    def return_path(self) -> str:
        """The property of this name: one value, reached in two ways."""
        address: str = self._message.return_path
        return address

    @return_path.setter
    def return_path(self, value: str) -> None:
        self._message.return_path = value

    hello = text(
        "Hello",
        check=check_hello,
        doc="The argument of EHLO; empty is the own host name, or [address] if it has no dot.",
    )
    max_header_length = number(
        "MaxHeaderLength",
        80,
        low=0,
        high=2**31 - 1,
        doc="Headers longer than this are folded. The hard limit is 998, where 0 and more fold.",
    )
    max_line_length = number(
        "MaxLineLength",
        2048,
        low=256,
        high=65536,
        locked=112,
        doc="The most bytes kept of one line of the server; the rest of a longer line is dropped.",
    )
    stop_on_bcc_errors = flag(
        "StopOnBccErrors",
        False,
        doc="Whether a refused BCc recipient stops the message as any other does.",
    )
    allow_empty_to = flag(
        "AllowEmptyTo",
        False,
        doc="Whether a message without SendTo may go to the recipients of Cc and BCc.",
    )
    close_stream_after_transfer = flag(
        "CloseStreamAfterTransfer",
        True,
        doc="Whether the stream of set_message_stream is closed once it was sent, or failed.",
    )
    charset = text(
        "Charset",
        "utf-8",
        check=check_charset,
        doc="The charset of headers and text that ASCII cannot hold.",
    )
    code_page = number(
        "CodePage",
        0,
        low=0,
        high=65535,
        check=check_code_page,
        doc="The same by the number of a Windows code page, where Charset is not set; 65001, and 0,"
        " are UTF-8.",
    )
    keep_queue = flag(
        "KeepQueue",
        False,
        doc="Whether process_queue keeps the file of a message that was sent, named `.sent`.",
    )
    queue_stop_on_error = flag(
        "QueueStopOnError",
        False,
        doc="Whether process_queue ends at the first message that fails, instead of going on.",
    )
    queue_in_doubt = choice(
        "QueueInDoubt",
        InDoubt.HOLD,
        words=True,
        doc="What process_queue does with messages whose final reply was lost: hold them, resend"
        " them (perhaps twice), or assume-sent.",
    )
    recipient_policy = choice(
        "RecipientPolicy",
        RecipientPolicy.ANY,
        doc="For send(item): whether the message goes to those accepted, or to all or none.",
    )
    tcp_no_delay = flag(
        "TcpNoDelay",
        True,
        doc="Whether small writes leave at once; without it one can wait 40 ms for the last one.",
    )
    keep_alive = flag(
        "KeepAlive",
        False,
        doc="Whether the system probes a silent connection, after 60 s every 15 s, and gives it up"
        " after four probes without an answer. Of use where Timeout is 0.",
    )
    use_ipv6 = choice(
        "UseIPv6",
        IPVersion.BOTH,
        doc="The addresses of a name that are tried: 0 IPv4 only, 1 IPv6 only, 2 both, raced.",
    )
    in_buffer_size = number(
        "InBufferSize",
        -1,
        low=-1,
        high=2**31 - 1,
        live=True,
        doc="Bytes that the system keeps for us to read; -1 leaves it to the system. Reads as what"
        " the system made of it while connected.",
    )
    out_buffer_size = number(
        "OutBufferSize",
        -1,
        low=-1,
        high=2**31 - 1,
        live=True,
        doc="Bytes that the system takes from us ahead of the network; as InBufferSize.",
    )
    firewall_data = text(
        "FirewallData",
        lines=True,
        check=check_header_lines,
        doc="Header lines for the request to a tunnel, with CRLF between them.",
    )
    firewall_listener = flag(
        "FirewallListener",
        False,
        doc="Taken for the sake of programs that set it; a sender of mail listens to nobody.",
    )
    absolute_timeout = flag(
        "AbsoluteTimeout",
        False,
        doc="Whether Timeout bounds the whole method instead of the time without any byte moved.",
    )
    connection_timeout = seconds(
        "ConnectionTimeout",
        0,
        doc="Seconds to find the address, connect, and pass the proxy, in all; 0 is Timeout.",
    )
    final_timeout = seconds(
        "FinalTimeout",
        0,
        doc="Seconds to wait for the reply that takes the message; 0 is Timeout where that was"
        " set, else the 600 of RFC 5321, section 4.5.3.2.6, since giving up early doubles mail.",
    )
    quit_timeout = seconds(
        "QuitTimeout",
        5,
        doc="Seconds to wait for the reply to QUIT; the messages are safe before it.",
    )
    allow_plaintext_auth = flag(
        "AllowPlaintextAuth",
        False,
        doc="Whether a password or token may cross a connection without TLS.",
    )
    channel_binding = text(
        "ChannelBinding",
        check=_check_binding,
        doc="What SCRAM-...-PLUS binds to: tls-unique (TLS 1.2), tls-exporter (TLS 1.3, where"
        " Python has it) or tls-server-end-point. Empty: what servers expect of the version, and"
        " tls-server-end-point where -PLUS is named and Python cannot give that.",
    )
