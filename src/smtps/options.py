"""Options: typed, named values that say how to connect, authenticate and send.

An option is declared once, as an attribute of a class, by a function of `kinds`. From that one line
come the attribute with its checks, the keyword of the constructor, the query parameter of a URL,
and the text form that `config` reads and writes.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from .errors import BadValue, Locked

__all__ = ["Configurable", "Forwarded", "Option", "assign", "show"]

T = TypeVar("T")


class Option(Generic[T]):
    """One option of a `Configurable` class, as a descriptor.

    Args:
        name: the name in the classic component, such as "MailServer".
        check: turns what the program assigned into the value, or raises `BadValue`.
        parse: turns text (a URL's or `config`'s) into something that `check` takes.
        show: the text that `config` gives back.
        locked: the error number of an assignment while connected; 0 allows it.
        secret: whether the value must never be shown.
        live: whether reading asks the object first what is so now (`Configurable.live_value`).
    """

    attribute: str
    _slot: str

    def __init__(
        self,
        name: str,
        default: T,
        *,
        check: Callable[[str, Any], T],
        parse: Callable[[str, str], Any],
        show: Callable[[T], str] = str,
        locked: int = 0,
        secret: bool = False,
        live: bool = False,
        doc: str = "",
    ) -> None:
        self.name = name
        self.default = default
        self.check = check
        self.parse = parse
        self.show = show
        self.locked = locked
        self.secret = secret
        self.live = live
        self.__doc__ = doc

    def __set_name__(self, owner: type[Configurable], attribute: str) -> None:
        self.attribute = attribute
        self._slot = "_" + attribute

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Configurable, owner: type) -> T: ...
    def __get__(self, instance: Configurable | None, owner: type) -> T | Self:
        if instance is None:
            return self
        if self.live and (now := instance.live_value(self.attribute)) is not None:
            real: T = now
            return real
        return self.assigned(instance)

    def __set__(self, instance: Configurable, value: T) -> None:
        if self.locked and instance.is_locked():
            raise Locked(self.attribute, self.locked)
        instance.__dict__[self._slot] = self.check(self.attribute, value)

    def assigned(self, instance: Configurable) -> T:
        """Give what was assigned, or the default; for `live` options that is what was asked for."""
        value: T = instance.__dict__.get(self._slot, self.default)
        return value

    def is_set(self, instance: Configurable) -> bool:
        """Tell whether the option was assigned, even to its default."""
        return self._slot in instance.__dict__

    def reset(self, instance: Configurable) -> None:
        """Go back to the default."""
        instance.__dict__.pop(self._slot, None)


class Forwarded(Option[T]):
    """An option of a part, such as `firewall.host`, under a name of the whole's own.

    Args:
        part: the attribute of the whole that holds the part.
        inner: the part's option.
    """

    def __init__(self, name: str, part: str, inner: Option[T]) -> None:
        super().__init__(
            name,
            inner.default,
            check=inner.check,
            parse=inner.parse,
            show=inner.show,
            secret=inner.secret,
            doc=inner.__doc__ or "",
        )
        self._part = part
        self._inner = inner

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Configurable, owner: type) -> T: ...
    def __get__(self, instance: Configurable | None, owner: type) -> T | Self:
        if instance is None:
            return self
        part = getattr(instance, self._part)
        value: T = self._inner.__get__(part, type(part))
        return value

    def __set__(self, instance: Configurable, value: T) -> None:
        # Checked here too, so that an error has the name that the program used.
        setattr(
            getattr(instance, self._part), self._inner.attribute, self.check(self.attribute, value)
        )

    def assigned(self, instance: Configurable) -> T:
        """Give what was assigned to the part's option, or the default."""
        return self._inner.assigned(getattr(instance, self._part))

    def is_set(self, instance: Configurable) -> bool:
        """Tell whether the part's option was assigned."""
        return self._inner.is_set(getattr(instance, self._part))

    def reset(self, instance: Configurable) -> None:
        """Set the part's option back to its default."""
        self._inner.reset(getattr(instance, self._part))


class Configurable:
    """A class whose attributes are options."""

    #: Every option of the class by its attribute name, those of the bases first.
    options: ClassVar[dict[str, Option[Any]]] = {}
    _by_name: ClassVar[dict[str, Option[Any]]] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        found: dict[str, Option[Any]] = {}
        for parent in reversed(cls.__mro__):
            found.update(
                (key, value) for key, value in vars(parent).items() if isinstance(value, Option)
            )
        cls.options = found
        cls._by_name = {
            spelling: option
            for option in found.values()
            for spelling in (option.name.lower(), option.attribute)
        }

    def is_locked(self) -> bool:
        """Tell whether options that a connection depends on are frozen now."""
        return False

    def live_value(self, attribute: str) -> Any:  # noqa: ARG002
        """Tell what is so now where that can differ from what was assigned; None: nothing does."""
        return None

    @classmethod
    def find_option(cls, name: str) -> Option[Any] | None:
        """Find an option by its classic name in any case, or by its attribute name."""
        return cls._by_name.get(name.strip().lower())

    @classmethod
    def nearest_name(cls, name: str) -> str | None:
        """Suggest the option that was probably meant."""
        close = difflib.get_close_matches(name.strip().lower(), cls._by_name, n=1)
        return cls._by_name[close[0]].attribute if close else None


def assign(
    targets: tuple[Configurable, ...], name: str, value: Any, *, parse: bool = False
) -> None:
    """Assign an option by name, on the first of `targets` that has it.

    Args:
        parse: whether `value` is text to be read, from a URL or `config`.

    Raises:
        BadValue: none has it (the nearest name is suggested), or the value does not fit.
        Locked: it cannot be changed now.
    """
    target, option = _find(targets, name)
    wanted = option.parse(option.attribute, value) if parse else value
    option.__set__(target, wanted)


def show(targets: tuple[Configurable, ...], name: str) -> str:
    """Give an option by name as text, of the first of `targets` that has it; secrets as asterisks.

    Raises:
        BadValue: none has it; the nearest name is suggested.
    """
    target, option = _find(targets, name)
    value = option.__get__(target, type(target))
    return "********" if option.secret and value else option.show(value)


def _find(targets: tuple[Configurable, ...], name: str) -> tuple[Configurable, Option[Any]]:
    for target in targets:
        option = target.find_option(name)
        if option is not None:
            return target, option
    near = next(filter(None, (target.nearest_name(name) for target in targets)), None)
    hint = f"did you mean {near}?" if near else "the table of members has them all"
    raise BadValue(name, f"unknown option; {hint}")
