"""Addresses that go on the wire as they are, told apart from those that need a closer look."""

from __future__ import annotations

from ..address import is_plain

__all__ = ["plain_addresses"]


def plain_addresses(sender: object, recipients: object, /) -> tuple[str, ...] | None:
    """Give the recipients if they and the sender are plain; None sends the caller to the parser.

    A plain address is one that `smtps.address` allows, and short, and of letters, digits and the
    other ASCII characters that need no quoting. An empty sender, which is nobody, is plain.

    Args:
        recipients: a list or tuple; anything else, and one that is empty, is not plain.
    """
    if type(recipients) not in (list, tuple) or not recipients:
        return None
    if sender != "" and not is_plain(sender):
        return None
    assert isinstance(recipients, (list, tuple))
    return tuple(recipients) if all(map(is_plain, recipients)) else None
