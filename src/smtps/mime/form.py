"""The form of a mailing, compiled or pure; see `smtps._pure.forms`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._choice import implementation
from .message import Message
from .template import Template

if TYPE_CHECKING or implementation == "pure":
    from .._pure.forms import Filled, Form, take_values
else:
    from .._fast.forms import Filled, Form, take_values

__all__ = ["Filled", "Form", "form_of", "take_values"]


def form_of(
    message: Message, name: Template | None, address: Template, names: tuple[str, ...]
) -> Form | None:
    """Give the form of which most rows can be made at once, if the message has one.

    Args:
        name: the recipient's name, and `address` the address, where they have fields.
        names: the fields, in the order in which values will come.
    """
    is_more = message.is_signed or not message.is_only_texts
    if is_more or not message.from_ or message.cc or message.bcc or message.needs_utf8(()):
        return None
    author = message.sender or message.from_[0]
    before, _, behind = message.people_headers(False)
    texts = [("plain", message.text), ("html", message.html)]
    cuts = [(subtype, Template(text).cut(names)) for subtype, text in texts if text is not None]
    return Form(
        f"{author.local}@{author.domain}",
        None if name is None else name.cut(names),
        address.cut(names),
        Template(message.subject).cut(names),
        before,
        behind,
        cuts,
    )
