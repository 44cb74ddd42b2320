"""Messages as the arguments of tasks: JSON in, what can be sent out; errors name the field.

A message is an object of one of three kinds: the fields of `smtps.Message`; `mime`, a finished
message in base64; or `path`, a finished message in the folder that all workers share. The last two
need `sender` and `recipients`. Each may have `key`, which names it for the record.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...dialogue.transaction import Transaction
from ...domain import domain_to_wire
from ...envelope import Envelope, Recipient
from ...errors import AddressError, BadValue
from ...items import Item, transaction_of
from ...mime.message import Message

__all__ = ["Parcel", "pack", "parcel_of"]

_FINISHED = ("mime", "path")
_PARAMETERS = ("smtputf8", "ret", "envid", "requiretls", "deliver_by", "priority")
_ENVELOPE = ("sender", "recipients", *_PARAMETERS)
_TEXTS = ("subject", "text", "html", "date", "message_id")
_PEOPLE = ("from_", "to", "cc", "bcc", "reply_to")
_PARTS = ("headers", "attachments", "images", "unsubscribe")
_FILE = ("content", "path", "name", "content_type")
_IMAGE = ("content", "path", "cid", "content_type")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message that can be sent, and the name that the record knows it by."""

    key: str
    transaction: Transaction

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everyone it goes to, each once."""
        return tuple(dict.fromkeys(self.transaction.envelope.addresses))

    def portion(self, addresses: Iterable[str]) -> Transaction:
        """Give what is to be sent to some of its recipients."""
        wanted, all_ = set(addresses), self.transaction.envelope.addresses
        places = [all_.index(address) for address in dict.fromkeys(all_) if address in wanted]
        return self.transaction.portion(places) if len(places) < len(all_) else self.transaction


def pack(item: Item, *, key: str | None = None) -> dict[str, Any]:
    """Give a message as the argument of a task: finished, in base64, with its envelope.

    It travels through the broker whole; large files are better put on a shared folder and named by
    `path`.

    Args:
        key: a name of your own. What was sent under one is not sent again, by no task.

    Raises:
        BadValue, AddressError: it cannot be sent as it is.
    """
    transaction = transaction_of(item)
    envelope = transaction.envelope
    packed: dict[str, Any] = {
        "mime": base64.b64encode(b"".join(transaction.content.chunks())).decode("ascii"),
        "sender": envelope.sender,
        "recipients": [_packed(one) for one in envelope.recipients],
    }
    parameters = {name: getattr(envelope, name) for name in _PARAMETERS}
    packed.update((name, value) for name, value in parameters.items() if value not in (None, False))
    if key is not None:
        packed["key"] = key
    return packed


def _packed(recipient: Recipient) -> str | dict[str, Any]:
    if not recipient.notify and recipient.orcpt is None:
        return recipient.address
    packed: dict[str, Any] = {"address": recipient.address, "notify": list(recipient.notify)}
    return packed if recipient.orcpt is None else {**packed, "orcpt": recipient.orcpt}


def parcel_of(argument: object, *, key: str, folder: str | None) -> Parcel:
    """Take one message out of the arguments of a task.

    Args:
        key: its name for the record, unless it brings one.
        folder: where `path` may point to; None: nowhere.

    Raises:
        BadValue, AddressError: a field cannot be used; the error names it.
    """
    if not isinstance(argument, Mapping):
        raise BadValue(
            "message", f"expected an object with the fields of a message, not {_kind(argument)}"
        )
    fields = dict(argument)
    if "key" in fields:
        key = _text(fields, "key", "a name")
        if not key:
            raise BadValue("key", "it is empty; leave it out, or give what names this message")
        key = f"key:{key}"
    if "from" in fields:
        fields["from_"] = fields.pop("from")
    kinds = [name for name in _FINISHED if name in fields]
    allowed = ("key", *_ENVELOPE, *(kinds[:1] or (*_TEXTS, *_PEOPLE, *_PARTS)))
    _refuse_others(fields, allowed, "")
    build = _finished if kinds else _composed
    return Parcel(key, build(fields, key, folder))


# --- a finished message ---------------------------------------------------------------------------


def _finished(fields: Mapping[str, Any], _: str, folder: str | None) -> Transaction:
    for name in ("sender", "recipients"):
        if name not in fields:
            raise BadValue(name, "missing; a finished message needs its sender and recipients")
    envelope = _envelope(fields, "", ())
    if "mime" in fields:
        return transaction_of((envelope, _base64(fields, "mime")))
    path = _path(fields, "path", folder)
    try:
        return transaction_of((envelope, path))
    except OSError as error:
        raise BadValue("path", f"{error.strerror}: {path}") from None


# --- fields ---------------------------------------------------------------------------------------


def _composed(fields: Mapping[str, Any], key: str, folder: str | None) -> Transaction:
    for name in _TEXTS:
        if fields.get(name) is not None:
            _text(fields, name, "text")
    given = {name: fields[name] for name in (*_TEXTS, *_PEOPLE) if fields.get(name) is not None}
    for name in _PEOPLE:
        if name in given and not _are_texts(given[name]):
            raise AddressError(name, f"expected an address or a list, not {_kind(given[name])}")
    headers = _headers(fields.get("headers"))
    if fields.get("recipients") is not None and not given.keys() & {"to", "cc", "bcc"}:
        # Nobody whom the headers would name.
        given["bcc"] = [one.address for one in _recipients(fields["recipients"])]
    try:
        message = Message(headers=headers, **given)
        for file in _objects(fields, "attachments", _FILE):
            message.attach(
                _source(file, folder), name=file.get("name"), content_type=file.get("content_type")
            )
        for image in _objects(fields, "images", _IMAGE):
            message.embed(
                _source(image, folder), cid=image.get("cid"), content_type=image.get("content_type")
            )
        if fields.get("unsubscribe") is not None:
            _unsubscribe(message, fields["unsubscribe"])
        if "message_id" not in given:
            # The same in every attempt, so that whoever gets it twice can tell.
            author = message.from_[0].domain if message.from_ else "invalid"
            name = hashlib.sha256(key.encode()).hexdigest()[:32]
            message.message_id = f"<{name}@{domain_to_wire(author, field='from_')}>"
        own = message.envelope
        transaction = transaction_of(message)
    except TypeError as error:
        raise BadValue("message", str(error)) from None
    transaction.envelope = _envelope(fields, own.sender, own.recipients)
    return transaction


def _unsubscribe(message: Message, given: object) -> None:
    if not isinstance(given, Mapping):
        raise BadValue("unsubscribe", f'expected {{"url": ..., "mailto": ...}}, not {_kind(given)}')
    _refuse_others(given, ("url", "mailto"), "unsubscribe.")
    message.unsubscribe(**given)


def _headers(given: object) -> list[tuple[str, str]]:
    pairs = list(given.items()) if isinstance(given, Mapping) else given or []
    wrong = BadValue("headers", "expected an object or a list of pairs, names and values as text")
    if not isinstance(pairs, Sequence) or isinstance(pairs, str):
        raise wrong
    for pair in pairs:
        if not isinstance(pair, Sequence) or len(pair) != 2 or not _are_texts(list(pair)):
            raise wrong
    return [(name, value) for name, value in pairs]


def _objects(
    fields: Mapping[str, Any], name: str, allowed: Sequence[str]
) -> list[Mapping[str, Any]]:
    given = fields.get(name) or []
    if not isinstance(given, Sequence) or not all(isinstance(one, Mapping) for one in given):
        raise BadValue(name, "expected a list of objects")
    for place, one in enumerate(given):
        _refuse_others(one, allowed, f"{name}[{place}].")
    return list(given)


def _source(file: Mapping[str, Any], folder: str | None) -> bytes | Path:
    if ("content" in file) == ("path" in file):
        raise BadValue("attachments", "expected content in base64, or a path, for each")
    return _base64(file, "content") if "content" in file else _path(file, "path", folder)


# --- the envelope ---------------------------------------------------------------------------------


def _envelope(fields: Mapping[str, Any], sender: str, recipients: Sequence[Recipient]) -> Envelope:
    if fields.get("recipients") is not None:
        recipients = _recipients(fields["recipients"])
    if fields.get("sender") is not None:
        sender = _text(fields, "sender", "an address")
    return Envelope(
        sender,
        recipients,
        **{name: fields[name] for name in _PARAMETERS if fields.get(name) is not None},
    )


def _recipients(given: object) -> list[Recipient]:
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, Sequence):
        raise AddressError("recipients", f"expected addresses, not {_kind(given)}")
    return [_recipient(one) for one in given]


def _recipient(given: object) -> Recipient:
    if isinstance(given, Mapping):
        _refuse_others(given, ("address", "notify", "orcpt"), "recipients.")
        return Recipient(
            _text(given, "address", "an address"),
            notify=given.get("notify") or None,
            orcpt=given.get("orcpt"),
        )
    if not isinstance(given, str):
        raise AddressError("recipients", f"expected addresses, not {_kind(given)}")
    return Recipient(given)


# --- values ---------------------------------------------------------------------------------------


def _path(fields: Mapping[str, Any], name: str, folder: str | None) -> Path:
    """Give a file of the shared folder: whoever can add tasks shall not read any other."""
    given = _text(fields, name, "the path of a file")
    if folder is None:
        raise BadValue(name, "smtps_folder is not set; it names the folder that workers may read")
    shared = Path(folder).resolve()
    path = (shared / given).resolve()
    if not path.is_relative_to(shared):
        raise BadValue(name, "it is not in the folder that smtps_folder names")
    return path


def _base64(fields: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(fields, name, "base64"), validate=True)
    except (binascii.Error, ValueError):
        raise BadValue(name, "it is not base64") from None


def _text(fields: Mapping[str, Any], name: str, what: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadValue(name, f"expected {what}, not {_kind(value)}")
    return value


def _are_texts(given: object) -> bool:
    if isinstance(given, str):
        return True
    return isinstance(given, Sequence) and all(isinstance(one, str) for one in given)


def _refuse_others(fields: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    known = set(allowed)
    for name in fields:
        if name not in known:
            shown = repr(name) if not str(name).isidentifier() else f"{where}{name}"
            raise BadValue(shown, f"unknown here; known are {', '.join(sorted(known))}")


_KINDS: list[tuple[type | tuple[type, ...], str]] = [
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    (Mapping, "an object"),
    ((list, tuple), "a list"),
]


def _kind(value: object) -> str:
    """Name what was given in the words of JSON, without repeating it."""
    if value is None:
        return "null"
    return next((word for kind, word in _KINDS if isinstance(value, kind)), type(value).__name__)
