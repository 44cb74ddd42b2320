"""The properties: to whom a connection goes, as whom, how secure; and the classic message."""

from __future__ import annotations

import ipaddress

from .errors import BadValue
from .options import (
    AuthMechanism,
    Configurable,
    Importance,
    Priority,
    Sensitivity,
    SSLStartMode,
    choice,
    decimal,
    flag,
    number,
    text,
)
from .settings import Settings

__all__ = ["ConnectionProperties", "MessageProperties", "check_host"]

_PLAINTEXT_PORTS = frozenset({25, 587, 2525})


def check_host(field: str, value: str) -> str:
    """Accept a host name (in any script) or an address, and nothing that ends a line or a field.

    Raises:
        BadValue: it is empty inside, too long, or holds white space or a delimiter.
    """
    if not value:
        return value
    # A leading "*" once asked a proxy to resolve the name; a proxy always does here.
    value = value.removeprefix("*").strip()
    bare = value[1:-1] if value.startswith("[") and value.endswith("]") else value
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    if len(bare) > 255 or any(not 0 < len(label) <= 63 for label in bare.rstrip(".").split(".")):
        raise BadValue(field, "not a host name: its parts have 1 to 63 characters, 255 in all")
    if any(character.isspace() or character in "@/\\<>[]:,;\"'()#?%" for character in bare):
        raise BadValue(field, "not a host name or address; the port has its own option, mail_port")
    return bare


class ConnectionProperties(Configurable):
    """What the dialogues and drivers need to know about a connection."""

    settings: Settings

    mail_server = text(
        "MailServer", check=check_host, locked=101, doc="The name or address of the relay."
    )
    mail_port = number("MailPort", 25, low=1, high=65535, locked=100, doc="The port of the relay.")
    user = text("User", doc="Empty: no authentication.")
    password = text("Password", secret=True, doc="Used with User; never shown.")
    auth_mechanism = choice(
        "AuthMechanism", AuthMechanism.USER_PASSWORD, doc="How User is authenticated."
    )
    ssl_start_mode = choice(
        "SSLStartMode", SSLStartMode.AUTOMATIC, locked=101, doc="When TLS starts."
    )
    allow_extensions = flag(
        "AllowExtensions", True, doc="Whether to greet with EHLO; HELO knows no TLS and no AUTH."
    )
    timeout = decimal(
        "Timeout", 60, doc="Seconds without any byte moved until the method fails; 0 is no limit."
    )

    @property
    def start_mode(self) -> SSLStartMode:
        """When TLS really starts: `AUTOMATIC` resolved by the port."""
        if self.ssl_start_mode is not SSLStartMode.AUTOMATIC:
            return self.ssl_start_mode
        plaintext = self.mail_port in _PLAINTEXT_PORTS
        return SSLStartMode.EXPLICIT if plaintext else SSLStartMode.IMPLICIT


class MessageProperties(Configurable):
    """The message that `send()` without an item sends."""

    from_ = text("From", doc="Who the message is from: `a@b` or `Name <a@b>`.")
    send_to = text("SendTo", doc="The recipients, separated by commas.")
    cc = text("Cc", doc="Recipients of a copy.")
    bcc = text("BCc", doc="Recipients that no header names.")
    reply_to = text("ReplyTo", doc="Where answers are to go.")
    return_path = text("ReturnPath", doc="The sender of the envelope, in place of From's.")
    subject = text("Subject", doc="The subject; empty: no header.")
    message_date = text("MessageDate", "*", doc='"*": now; empty: no header.')
    message_id = text("MessageId", "*", doc='"*": a new one; empty: no header.')
    importance = choice("Importance", Importance.UNSPECIFIED, doc="The Importance header.")
    priority = choice("Priority", Priority.UNSPECIFIED, doc="The Priority header.")
    sensitivity = choice("Sensitivity", Sensitivity.UNSPECIFIED, doc="The Sensitivity header.")
    read_receipt_to = text("ReadReceiptTo", doc="Who is told when it was read.")
    delivery_notification_to = text("DeliveryNotificationTo", doc="Who is told when it arrived.")
    other_headers = text("OtherHeaders", lines=True, doc="More header lines; see the guide.")
    message_text = text("MessageText", lines=True, doc="The text.")
