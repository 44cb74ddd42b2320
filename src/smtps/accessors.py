"""`get_x()` and `set_x(value)` for every property, as flat editions of the component have them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from .amounts import check_count
from .options import Option
from .recipients import MessageRecipient

__all__ = ["with_accessors"]

C = TypeVar("C", bound=type)

#: The lists that flat editions reach by index, and the fields of what is in them.
_LISTS = {
    "message_recipient": ("address", "name", "type", "options"),
    "message_header": ("field", "value"),
}
_WRITABLE = frozenset({"message_recipient"})


def with_accessors(cls: C) -> C:
    """Give a class a method to read and a method to write each of its properties and options.

    The name of a property that ends in an underscore loses it: `get_from`, `set_from`. Lists are
    reached by index: `message_recipient_count`, `get_message_recipient_address(0)`. Where the count
    can be assigned, that makes the list longer or shorter.
    """
    for name, member in inspect.getmembers_static(cls):
        if name.startswith("_") or not isinstance(member, (property, Option)):
            continue
        plain = name.rstrip("_")
        if isinstance(member, Option) or member.fget is not None:
            _add(cls, f"get_{plain}", _getter(name))
        if isinstance(member, Option) or member.fset is not None:
            _add(cls, f"set_{plain}", _setter(name))
    for one, fields in _LISTS.items():
        count, set_count = _counter(f"{one}s"), None
        _add(cls, f"get_{one}_count", count)
        if one in _WRITABLE:
            set_count = _resizer(one)
            _add(cls, f"set_{one}_count", set_count)
        setattr(cls, f"{one}_count", property(count, set_count))
        for field in fields:
            _add(cls, f"get_{one}_{field}", _item_getter(f"{one}s", field))
            if one in _WRITABLE:
                _add(cls, f"set_{one}_{field}", _item_setter(f"{one}s", field))
    return cls


def _add(cls: type, name: str, method: Callable[..., Any]) -> None:
    if hasattr(cls, name):  # A method of its own, or one of a base class.
        return
    method.__name__ = name
    method.__qualname__ = f"{cls.__name__}.{name}"
    setattr(cls, name, method)


def _getter(attribute: str) -> Callable[..., Any]:
    def get(self: Any) -> Any:
        return getattr(self, attribute)

    get.__doc__ = f"Read `{attribute}`."
    return get


def _setter(attribute: str) -> Callable[..., Any]:
    def set_(self: Any, value: Any) -> None:
        setattr(self, attribute, value)

    set_.__doc__ = f"Assign `{attribute}`."
    return set_


def _counter(attribute: str) -> Callable[..., int]:
    def count(self: Any) -> int:
        return len(getattr(self, attribute))

    count.__doc__ = f"How many `{attribute}` there are."
    return count


def _resizer(one: str) -> Callable[..., None]:
    def resize(self: Any, count: int) -> None:
        check_count(f"{one}_count", count, least=0)
        found = getattr(self, f"{one}s")
        del found[count:]
        found.extend(MessageRecipient() for _ in range(count - len(found)))

    resize.__doc__ = f"Cut `{one}s` to so many, or add empty ones to fill in."
    return resize


def _item_getter(attribute: str, field: str) -> Callable[..., Any]:
    def get(self: Any, index: int) -> Any:
        return getattr(getattr(self, attribute)[index], field)

    get.__doc__ = f"Read `{field}` of one of `{attribute}`, by its place from 0."
    return get


def _item_setter(attribute: str, field: str) -> Callable[..., Any]:
    def set_(self: Any, index: int, value: Any) -> None:
        setattr(getattr(self, attribute)[index], field, value)

    set_.__doc__ = f"Assign `{field}` of one of `{attribute}`, by its place from 0."
    return set_
