"""The properties: to whom a connection goes, as whom, how secure; and the classic message."""

from __future__ import annotations

from collections.abc import Iterable

from .enumerations import (
    AuthMechanism,
    Importance,
    Priority,
    Protocol,
    RecipientType,
    Sensitivity,
    SSLStartMode,
)
from .firewall import Firewall, FirewallOption
from .hosts import check_host, check_server, is_socket_path
from .kinds import callback, choice, flag, moment, number, octets, seconds, text
from .options import Configurable, Forwarded
from .recipients import MessageRecipient, RecipientView, check_recipients, recipients_of
from .settings import Settings
from .tls_properties import TLSProperties

__all__ = ["ConnectionProperties", "MessageProperties"]

_PLAINTEXT_PORTS = frozenset({25, 587, 2525})


class ConnectionProperties(TLSProperties):
    """What the dialogues and drivers need to know about a connection."""

    settings: Settings

    mail_server = text(
        "MailServer",
        check=check_server,
        locked=101,
        doc="The name or address of the relay, or the path of its Unix socket.",
    )
    mail_port = number("MailPort", 25, low=1, high=65535, locked=100, doc="The port of the relay.")
    protocol = choice(
        "Protocol", Protocol.SMTP, locked=101, doc="What is spoken: SMTP, or LMTP of RFC 2033."
    )
    local_host = text(
        "LocalHost",
        check=check_host,
        locked=107,
        live=True,
        doc="The own address that connections are made from; empty leaves it to the system. Reads"
        " as the address in use while connected, and as the host's name before if it is empty.",
    )
    firewall = FirewallOption(
        "Firewall", doc="The proxy on the way to the relay: a `Firewall`, or as text its URL."
    )
    firewall_type = Forwarded("FirewallType", "firewall", Firewall.firewall_type)
    firewall_host = Forwarded("FirewallHost", "firewall", Firewall.host)
    firewall_port = Forwarded("FirewallPort", "firewall", Firewall.port)
    firewall_user = Forwarded("FirewallUser", "firewall", Firewall.user)
    firewall_password = Forwarded("FirewallPassword", "firewall", Firewall.password)
    firewall_auto_detect = Forwarded("FirewallAutoDetect", "firewall", Firewall.auto_detect)
    user = text("User", doc="Empty: no authentication.")
    password = text("Password", secret=True, doc="Used with User; never shown.")
    auth_mechanism = choice(
        "AuthMechanism",
        AuthMechanism.USER_PASSWORD,
        doc="How User is authenticated; the strongest that both sides know until it is assigned.",
    )
    authorization_identity = text(
        "AuthorizationIdentity",
        secret=True,
        doc="For OAuth the token, with 'Bearer' in front or without; else as whom to act.",
    )
    token_provider = callback(
        "TokenProvider",
        doc="Called for an OAuth token: it gives text or a `Token`; in AsyncSMTPS it may be a"
        " coroutine function. Connections with the same provider share its token.",
    )
    ssl_start_mode = choice(
        "SSLStartMode", SSLStartMode.AUTOMATIC, locked=101, doc="When TLS starts."
    )
    allow_extensions = flag(
        "AllowExtensions", True, doc="Whether to greet with EHLO; HELO knows no TLS and no AUTH."
    )
    timeout = seconds(
        "Timeout", 60, doc="Seconds without any byte moved until the method fails; 0 is no limit."
    )

    @property
    def local_address(self) -> str:
        """The own address or name that was asked for; empty leaves it to the system."""
        return type(self).local_host.assigned(self)

    @property
    def start_mode(self) -> SSLStartMode:
        """When TLS really starts: `AUTOMATIC` resolved, and never without provider.

        A Unix socket needs none, LMTP has no port for TLS from the first byte, and for SMTP the
        port decides.
        """
        if not self.settings.ssl_provider:
            return SSLStartMode.NONE
        if self.ssl_start_mode is not SSLStartMode.AUTOMATIC:
            return self.ssl_start_mode
        if is_socket_path(self.mail_server):
            return SSLStartMode.NONE
        plaintext = self.protocol is Protocol.LMTP or self.mail_port in _PLAINTEXT_PORTS
        return SSLStartMode.EXPLICIT if plaintext else SSLStartMode.IMPLICIT


class MessageProperties(Configurable):
    """The message that `send()` without an item sends."""

    from_ = text("From", doc="Who the message is from: `a@b` or `Name <a@b>`.")
    send_to = RecipientView("SendTo", RecipientType.TO, doc="The recipients, with commas between.")
    cc = RecipientView("Cc", RecipientType.CC, doc="Recipients of a copy.")
    bcc = RecipientView("BCc", RecipientType.BCC, doc="Recipients that no header names.")
    reply_to = text("ReplyTo", doc="Where answers are to go.")
    return_path = text("ReturnPath", doc="The sender of the envelope, in place of From's.")
    subject = text("Subject", doc="The subject; empty: no header.")
    message_date = moment("MessageDate", "*", doc='"*": now; empty: no header; or a `datetime`.')
    message_id = text("MessageId", "*", doc='"*": a new one; empty: no header.')
    importance = choice(
        "Importance",
        Importance.UNSPECIFIED,
        doc="The Importance header, RFC 2156: 1 high, 2 normal, 3 low; 0 writes none.",
    )
    priority = choice(
        "Priority",
        Priority.UNSPECIFIED,
        doc="The Priority header, RFC 2156: 1 normal, 2 urgent, 3 non-urgent; 0 writes none.",
    )
    sensitivity = choice(
        "Sensitivity",
        Sensitivity.UNSPECIFIED,
        doc="The Sensitivity header, RFC 2156: 1 personal, 2 private, 3 company-confidential;"
        " 0 writes none.",
    )
    read_receipt_to = text("ReadReceiptTo", doc="Who is told when it was read.")
    delivery_notification_to = text("DeliveryNotificationTo", doc="Who is told when it arrived.")
    other_headers = text(
        "OtherHeaders",
        lines=True,
        doc="More header lines. One replaces a computed header of its name; a blank first all.",
    )
    message_text = text("MessageText", lines=True, doc="The text.")
    attached_file = text("AttachedFile", doc="The path of a file that is sent behind the text.")
    message = octets(
        "Message", doc="A finished message, sent in place of the one that the properties make."
    )

    @property
    def message_recipients(self) -> list[MessageRecipient]:
        """Every recipient with its type and RCPT options; SendTo, Cc and BCc are views of it."""
        return recipients_of(self)

    @message_recipients.setter
    def message_recipients(self, value: Iterable[MessageRecipient]) -> None:
        self.message_recipients[:] = check_recipients(value)

    @property
    def b_cc(self) -> str:
        """`bcc`, as another edition of the component spells it."""
        joined: str = self.bcc
        return joined

    @b_cc.setter
    def b_cc(self, value: str) -> None:
        self.bcc = value
