"""Django's messages as items: composed here where they are plain, else by Django itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from email import policy
from functools import lru_cache
from time import time
from typing import Any

from django import VERSION
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.utils import timezone

from ...envelope import Envelope
from ...errors import AddressError, BadValue
from ...items import Item
from ...mailboxes import parse_address
from ...mime.message import Message
from ...mime.msgid import format_date
from ...mime.template import has_fields

__all__ = ["item_of"]

#: The methods that say what a message looks like. Who overrides one gets what it gives.
_COMPOSING = (
    *("message", "recipients", "_add_bodies", "_add_attachments", "_add_attachment"),
    *("_create_message", "_create_attachments", "_create_alternatives", "_create_mime_attachment"),
    *("_create_attachment", "_set_list_header_if_not_empty"),
)
#: Whether the messages of a class look as Django's own do.
_plain: dict[type, bool] = dict.fromkeys((EmailMessage, EmailMultiAlternatives), True)


def item_of(message: EmailMessage) -> Item:
    """Give what is to be sent for one of Django's messages.

    A plain one (texts, files, headers) is composed by this package, which is many times faster than
    `message()`, in the encodings that the server takes. All others, and those with a value that is
    refused here, are composed by Django, which then decides about the value.

    Raises:
        ValueError: an address or header cannot be sent; the words are Django's or ours.
    """
    if _is_plain(message):
        try:
            return _composed(message)
        except BadValue:
            pass
    return _by_django(message)


def _is_plain(message: EmailMessage) -> bool:
    kind = type(message)
    plain = _plain.get(kind)
    if plain is None:
        plain = _plain[kind] = _composes_as_django(kind)
    if not plain or (message.encoding or settings.DEFAULT_CHARSET) != "utf-8":
        return False
    # A method may have been put on the one message too, or the subtypes that older ones have.
    return "message" not in message.__dict__ and "recipients" not in message.__dict__


def _composes_as_django(kind: type) -> bool:
    """Tell whether a class changes nothing of what Django's own two do."""
    base = EmailMultiAlternatives if issubclass(kind, EmailMultiAlternatives) else EmailMessage
    names = (*_COMPOSING, "mixed_subtype", "alternative_subtype")
    return all(getattr(kind, name, None) is getattr(base, name, None) for name in names)


def _composed(message: EmailMessage) -> Message:
    """Compose a plain message.

    Raises:
        BadValue: it is not so plain, or has a value that this package refuses.
    """
    text, html = _texts(message)
    headers, own = _parted(message.extra_headers)
    composed = Message(
        from_=message.from_email,
        to=message.to,
        cc=message.cc,
        bcc=message.bcc,
        reply_to=message.reply_to,
        subject=str(message.subject),
        text=text,
        html=html,
        headers=headers,
        date=own.get("date"),
        message_id=own.get("message-id"),
    )
    if "date" not in own:
        # As Django does; messages of one second have one date.
        zone = timezone.get_current_timezone() if settings.EMAIL_USE_LOCALTIME else UTC
        composed.date = _date(int(time()), zone)
    if len(composed.from_) != 1:
        raise BadValue("from_email", "expected one mailbox")
    for attachment in message.attachments:
        name, content, kind = _file(attachment)
        composed.attach(content, name=name, content_type=kind)
    return composed


@lru_cache(maxsize=8)
def _date(second: int, zone: tzinfo) -> str:
    return format_date(datetime.fromtimestamp(second, zone))


def _texts(message: EmailMessage) -> tuple[str | None, str | None]:
    """Give the plain text and the HTML.

    Raises:
        BadValue: there are others, or a text is none.
    """
    body = message.body
    if isinstance(body, (bytes, bytearray)):
        raise BadValue("body", "bytes")
    body = str(body)
    alternatives: Sequence[tuple[Any, str]] = getattr(message, "alternatives", ())
    if not body and message.attachments:
        raise BadValue("body", "none beside the files")
    subtype = message.content_subtype
    if not alternatives and subtype in ("plain", "html"):
        return (body, None) if subtype == "plain" else (None, body)
    if len(alternatives) != 1 or subtype != "plain":
        raise BadValue("alternatives", "several")
    content, kind = alternatives[0]
    if kind != "text/html" or isinstance(content, (bytes, bytearray)):
        raise BadValue("alternatives", "not HTML")
    return body or None, str(content)


def _parted(headers: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Part the headers into those that are added, and those with an argument of their own.

    Raises:
        BadValue: one has what looks like a field of a mail merge.
    """
    if not headers:
        return {}, {}
    others: dict[str, str] = {}
    own: dict[str, str] = {}
    for name, value in headers.items():
        value = str(value)
        if has_fields(value):
            raise BadValue(name, "has {{ fields }}")
        folded = name.lower()
        if folded in ("date", "message-id"):
            own[folded] = value
        else:
            others[name] = value
    return others, own


def _file(attachment: Any) -> tuple[str | None, bytes, str]:
    """Give an attachment's name, content and type.

    Raises:
        BadValue: it is a text, which has a charset, or a part or message of its own.
    """
    if not isinstance(attachment, tuple) or len(attachment) != 3:
        raise BadValue("attachments", "a finished part")
    name, content, kind = attachment
    if not isinstance(content, bytes) or not kind or kind.startswith("text/"):
        raise BadValue("attachments", "a text")
    return name, content, kind


def _by_django(message: EmailMessage) -> tuple[Envelope, bytes]:
    """Have Django compose a message.

    Raises:
        ValueError: an address or header cannot be sent.
    """
    sender = _address(message.from_email)
    envelope = Envelope(sender, [_address(one) for one in message.recipients()])
    if VERSION >= (6,):
        wire = policy.SMTPUTF8 if envelope.smtputf8 else policy.SMTP
        return envelope, message.message(policy=wire).as_bytes()
    return envelope, message.message().as_bytes(linesep="\r\n")


def _address(value: Any) -> str:
    text = str(value)
    try:
        return parse_address(text, field="address").spec
    except AddressError as error:
        # In the words that programs for Django know.
        raise AddressError(f"Invalid address {text!r}", error.reason) from None
