"""Taking over messages of the standard library: their people, texts and files, or all as it is."""

from __future__ import annotations

import copy
from email.message import Message as EmailMessage
from typing import TYPE_CHECKING, NamedTuple

from ..address import Address
from ..mailboxes import parse_address_list
from .blob import Blob
from .bridge import decode_words, flatten, header_texts, header_values, raw_values, unfold
from .headers import header, text_header
from .parameters import file_name, format_parameters
from .parts import FilePart, Finished, Part

if TYPE_CHECKING:
    from .message import Message

__all__ = ["take_over"]

_PEOPLE = {"from": "from_", "to": "to", "cc": "cc", "bcc": "bcc", "reply-to": "reply_to"}


class _Shape(NamedTuple):
    """A message in the terms of `Message`."""

    text: str | None
    html: str | None
    images: list[Part]
    files: list[Part]


def take_over(source: EmailMessage, target: Message) -> None:
    """Fill a new message from one of the standard library.

    Raises:
        AddressError, BadValue: an address or header of it could not be sent.
    """
    for name, attribute in _PEOPLE.items():
        people = _people(source, name, attribute)
        if people:
            setattr(target, attribute, people)
    for name in dict.fromkeys(key.lower() for key in source):
        for value in header_texts(source, name):
            _take_header(target, _spelling(source, name), value)
    shape = _shape_of(source)
    if shape is None:
        target.take_part(_as_it_is(source))
        return
    target.text, target.html = shape.text, shape.html
    for image in shape.images:
        target.take_image(image)
    for file in shape.files:
        target.take_file(file)


def _people(source: EmailMessage, name: str, field: str) -> list[Address]:
    """Give the mailboxes of a header. Names are decoded, addresses are what they are."""
    found: list[Address] = []
    for value, is_decoded in raw_values(source, name):
        for one in parse_address_list(value, field=field):
            shown = one.name if is_decoded else decode_words(one.name)
            found.append(Address(one.local, one.domain, shown))
    return found


def _take_header(target: Message, name: str, value: str) -> None:
    folded = name.lower()
    if folded in _PEOPLE or folded == "mime-version" or folded.startswith("content-"):
        return
    if folded == "subject":
        # Where a line was folded, the tab behind it may be left.
        target.subject = value.replace("\t", " ")
    elif folded == "date":
        target.date = value
    elif folded == "message-id":
        target.message_id = value.strip()
    elif folded == "sender":
        target.sender = value
    else:
        target.add_header(name, value)


def _spelling(source: EmailMessage, folded: str) -> str:
    return next(key for key in source if key.lower() == folded)


def _as_it_is(source: EmailMessage) -> Finished:
    """Keep the whole body with the headers that describe it."""
    head, _, body = _flat(source).partition(b"\r\n\r\n")
    lines = b"".join(line + b"\r\n" for line in _unfolded(head) if line[:8].lower() == b"content-")
    return Finished(lines, body)


def _flat(source: EmailMessage) -> bytes:
    """Write it in 7 bits where that can be, since it is not encoded anew for a server."""
    if source.get_content_maintype() != "multipart" or not _is_signed(source):
        shown = copy.copy(source)
        shown.policy = source.policy.clone(cte_type="7bit")
        try:
            return flatten(shown)
        except (LookupError, ValueError):
            # The library does not encode a text anew whose charset is none, or not what it says.
            pass
    return flatten(source)


def _is_signed(source: EmailMessage) -> bool:
    return source.get_content_subtype() in ("signed", "encrypted")


def _unfolded(head: bytes) -> list[bytes]:
    """Part the lines of a header block; folded ones stay together."""
    fields: list[bytes] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] += b"\r\n" + line
        else:
            fields.append(line)
    return fields


# --- shapes that Message has too ------------------------------------------------------------------


def _shape_of(source: EmailMessage) -> _Shape | None:
    """Tell the texts, images and files of a message; None if it has another shape."""
    body = source
    files: list[Part] = []
    if source.get_content_type() == "multipart/mixed":
        children = _children(source)
        if not children:
            return None
        body = children[0]
        for child in children[1:]:
            file = _file(child, "attachment")
            if file is None:
                return None
            files.append(file)
    images: list[Part] = []
    if body.get_content_type() == "multipart/alternative":
        children = _children(body)
        if len(children) != 2:
            return None
        text = _text(children[0], "plain")
        body = children[1]
        if text is None:
            return None
    else:
        text = _text(body, "plain")
        if text is not None:
            return _Shape(text, None, [], files)
    if body.get_content_type() == "multipart/related":
        children = _children(body)
        body = children[0] if children else body
        for child in children[1:]:
            image = _file(child, "inline")
            if image is None:
                return None
            images.append(image)
    html = _text(body, "html")
    return None if html is None else _Shape(text, html, images, files)


def _children(part: EmailMessage) -> list[EmailMessage]:
    payload = part.get_payload()
    return (
        [child for child in payload if isinstance(child, EmailMessage)]
        if isinstance(payload, list)
        else []
    )


def _text(part: EmailMessage, subtype: str) -> str | None:
    """Give the text of a part that is nothing but text."""
    if part.get_content_type() != f"text/{subtype}" or part.get_filename() is not None:
        return None
    if part.get_content_disposition() == "attachment" or _has_more_parameters(part):
        return None
    data = part.get_payload(decode=True)
    charset = part.get_content_charset() or "us-ascii"
    try:
        return data.decode(charset) if isinstance(data, bytes) else None
    except (LookupError, ValueError):
        return None


def _has_more_parameters(part: EmailMessage) -> bool:
    """Tell whether the text is more than its charset says, such as format=flowed."""
    parameters = part.get_params([])
    assert isinstance(parameters, list)
    return any(name.lower() != "charset" for name, _ in parameters[1:])


def _file(part: EmailMessage, disposition: str) -> FilePart | None:
    """Give a part that is a file, with the headers that describe it.

    Args:
        disposition: what a named file is for where it does not say.
    """
    if part.get_content_maintype() in ("multipart", "message"):
        return None
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return None
    return FilePart(Blob(data, field="attach"), _described(part, disposition))


def _described(part: EmailMessage, usual: str) -> bytes:
    """Write what describes a file anew, since parsed headers are no longer in their wire form."""
    parameters = {
        name: value
        for name, value in (part.get_params([]) or [])[1:]
        if isinstance(value, str) and name.lower() != "name"
    }
    lines = header("Content-Type", format_parameters(part.get_content_type(), parameters))
    for identifier in header_values(part, "Content-ID"):
        lines += header("Content-ID", identifier)
    name = _name(part)
    disposition = part.get_content_disposition()
    if disposition or name:
        named = {"filename": file_name(name, field="filename")} if name else {}
        value = format_parameters(disposition or usual, named)
        lines += header("Content-Disposition", value, structured=True)
    for text in header_texts(part, "Content-Description"):
        lines += text_header("Content-Description", text)
    return lines


def _name(part: EmailMessage) -> str | None:
    """Give the name of a file, folded or in encoded words as the older policy leaves it."""
    name = part.get_filename()
    return None if name is None else decode_words(unfold(name))
