"""Options: typed, named values that say how to connect, authenticate and send.

An option is declared once, as an attribute of a class. From that one line come the attribute with
its checks, the keyword of the constructor, the query parameter of a URL, and the text form that
`config` reads and writes.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from .errors import BadValue, Locked

__all__ = [
    "AuthMechanism",
    "CertStoreType",
    "Configurable",
    "FirewallType",
    "Forwarded",
    "IPVersion",
    "Importance",
    "InDoubt",
    "Option",
    "Priority",
    "Protocol",
    "RecipientPolicy",
    "RecipientType",
    "SSLStartMode",
    "Sensitivity",
    "assign",
    "callback",
    "choice",
    "decimal",
    "flag",
    "moment",
    "number",
    "octets",
    "refuse_controls",
    "show",
    "text",
]

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class SSLStartMode(IntEnum):
    """When TLS starts. There is no way to "TLS if possible": it can be stripped by anyone."""

    #: STARTTLS on ports 25, 587 and 2525, TLS from the first byte on any other.
    AUTOMATIC = 0
    IMPLICIT = 1
    EXPLICIT = 2
    NONE = 3


class Protocol(IntEnum):
    """What is spoken with the server."""

    SMTP = 0
    #: To the mailboxes of a server: one final reply for each recipient. RFC 2033.
    LMTP = 1


class AuthMechanism(IntEnum):
    """How to prove who the user is. Without a choice, the strongest that both sides know."""

    #: LOGIN, or PLAIN where LOGIN is not offered; only where it was assigned.
    USER_PASSWORD = 0
    CRAM_MD5 = 1
    #: Needs `pip install smtps[ntlm]`.
    NTLM = 2
    #: POP's own; SMTP has none.
    APOP = 3
    SASL_PLAIN = 4
    SASL_DIGEST_MD5 = 5
    #: GSSAPI; needs `pip install smtps[kerberos]`.
    KERBEROS = 6
    XOAUTH2 = 7
    SCRAM_SHA_1 = 100
    SCRAM_SHA_256 = 101
    SCRAM_SHA_1_PLUS = 102
    SCRAM_SHA_256_PLUS = 103
    OAUTHBEARER = 104
    #: By the client certificate.
    EXTERNAL = 105


class CertStoreType(IntEnum):
    """What a store of certificates is. Only PFX, PEM and AUTO can be read here."""

    USER = 0
    MACHINE = 1
    PFX_FILE = 2
    PFX_BLOB = 3
    JKS_FILE = 4
    JKS_BLOB = 5
    #: A file with certificates and private keys in PEM, in any order.
    PEM_KEY_FILE = 6
    PEM_KEY_BLOB = 7
    PUBLIC_KEY_FILE = 8
    PUBLIC_KEY_BLOB = 9
    SSH_PUBLIC_KEY_BLOB = 10
    P7B_FILE = 11
    P7B_BLOB = 12
    SSH_PUBLIC_KEY_FILE = 13
    PPK_FILE = 14
    PPK_BLOB = 15
    XML_FILE = 16
    XML_BLOB = 17
    JWK_FILE = 18
    JWK_BLOB = 19
    SECURITY_KEY = 20
    #: A path or content, PFX or PEM: what it is, it says itself.
    AUTO = 99


class RecipientType(IntEnum):
    """The header that names a recipient; BCC is named in none."""

    TO = 0
    CC = 1
    BCC = 2


class FirewallType(IntEnum):
    """The kind of a proxy."""

    NONE = 0
    #: HTTP CONNECT. RFC 9110, section 9.3.6.
    TUNNEL = 1
    #: SOCKS 4, and 4a where a name has to be resolved.
    SOCKS4 = 2
    #: RFC 1928.
    SOCKS5 = 3


class Importance(IntEnum):
    """The value of the Importance header. RFC 2156."""

    UNSPECIFIED = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class Priority(IntEnum):
    """The value of the Priority header. RFC 2156."""

    UNSPECIFIED = 0
    NORMAL = 1
    URGENT = 2
    NON_URGENT = 3


class Sensitivity(IntEnum):
    """The value of the Sensitivity header. RFC 2156."""

    UNSPECIFIED = 0
    PERSONAL = 1
    PRIVATE = 2
    COMPANY_CONFIDENTIAL = 3


class IPVersion(IntEnum):
    """The addresses of a name that are tried."""

    IPV4 = 0
    IPV6 = 1
    #: Both, raced: the one that answers first is used. RFC 8305.
    BOTH = 2


class RecipientPolicy(IntEnum):
    """What a refused recipient means for the others of the same message."""

    #: The message goes to those that were accepted.
    ANY = 0
    #: The message goes to all or to none.
    ALL = 1


class InDoubt(IntEnum):
    """What happens to a queued message that was handed over and whose answer was lost."""

    #: It stays, named `.sending`, until somebody decides.
    HOLD = 0
    #: It is sent again, and may arrive twice.
    RESEND = 1
    #: It counts as sent, and may be lost.
    ASSUME_SENT = 2


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
    raise BadValue(name, "unknown option" + (f"; did you mean {near}?" if near else ""))


def text(
    name: str,
    default: str = "",
    *,
    check: Callable[[str, str], str] | None = None,
    lines: bool = False,
    locked: int = 0,
    secret: bool = False,
    live: bool = False,
    doc: str = "",
) -> Option[str]:
    """Declare an option that is text: one line, or with `lines` any number, checked later."""

    def checked(field: str, value: Any) -> str:
        if not isinstance(value, str):
            raise BadValue(field, f"expected text, not {type(value).__name__}")
        if not lines:
            refuse_controls(field, value)
        return check(field, value) if check else value

    return Option(
        name,
        default,
        check=checked,
        parse=lambda _, value: value,
        locked=locked,
        secret=secret,
        live=live,
        doc=doc,
    )


def moment(name: str, default: str, *, doc: str = "") -> Option[str | datetime]:
    """Declare an option that is a moment: a `datetime`, or text that is used as it is."""

    def checked(field: str, value: Any) -> str | datetime:
        if isinstance(value, datetime):
            return value
        if not isinstance(value, str):
            raise BadValue(field, f"expected text or a datetime, not {type(value).__name__}")
        refuse_controls(field, value)
        return value

    return Option(name, default, check=checked, parse=lambda _, value: value, doc=doc)


def octets(name: str, *, doc: str = "") -> Option[bytes]:
    """Declare an option that is bytes; from text it is taken as UTF-8."""

    def checked(field: str, value: Any) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise BadValue(field, f"expected bytes, not {type(value).__name__}; encode it")
        return bytes(value)

    return Option(
        name,
        b"",
        check=checked,
        parse=lambda _, value: value.encode(),
        show=lambda value: value.decode(errors="backslashreplace"),
        doc=doc,
    )


def refuse_controls(field: str, value: str) -> None:
    """Refuse control characters, which could end a line and begin another.

    Raises:
        BadValue: it holds a character below U+0020, or U+007F, or half of a surrogate pair.
    """
    for position, character in enumerate(value):
        if character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff":
            reason = f"control character U+{ord(character):04X} at position {position}; remove it"
            raise BadValue(field, reason)


def number(
    name: str,
    default: int,
    *,
    low: int,
    high: int,
    check: Callable[[str, int], int] | None = None,
    locked: int = 0,
    live: bool = False,
    doc: str = "",
) -> Option[int]:
    """Declare an option that is a whole number from `low` to `high`."""

    def checked(field: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadValue(field, f"expected a whole number, not {type(value).__name__}")
        if not low <= value <= high:
            raise BadValue(field, f"{value} is not between {low} and {high}")
        return check(field, int(value)) if check else int(value)

    def parsed(field: str, value: str) -> int:
        try:
            return int(value, 0)
        except ValueError:
            raise BadValue(field, f"{value!r} is not a whole number") from None

    return Option(name, default, check=checked, parse=parsed, locked=locked, live=live, doc=doc)


def decimal(name: str, default: float, *, low: float = 0, doc: str = "") -> Option[float]:
    """Declare an option that is a number of at least `low`, fractions allowed."""

    def checked(field: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadValue(field, f"expected a number, not {type(value).__name__}")
        if not value >= low or value == float("inf"):
            raise BadValue(field, f"{value!r} is not a number of at least {low:g}")
        return value

    def parsed(field: str, value: str) -> float:
        try:
            return float(value)
        except ValueError:
            raise BadValue(field, f"{value!r} is not a number") from None

    return Option(name, default, check=checked, parse=parsed, show=lambda v: f"{v:g}", doc=doc)


def callback(name: str, *, doc: str = "") -> Option[Callable[..., Any] | None]:
    """Declare an option that is a function of the program, or None."""

    def checked(field: str, value: Any) -> Callable[..., Any] | None:
        if value is not None and not callable(value):
            raise BadValue(field, f"expected a function, not {type(value).__name__}")
        function: Callable[..., Any] | None = value
        return function

    def parsed(field: str, _: str) -> Any:
        raise BadValue(field, "a function cannot be named in text; assign it")

    def shown(value: Callable[..., Any] | None) -> str:
        return "" if value is None else getattr(value, "__qualname__", type(value).__name__)

    return Option(name, None, check=checked, parse=parsed, show=shown, doc=doc)


_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def flag(name: str, default: bool, *, doc: str = "") -> Option[bool]:
    """Declare an option that is on or off."""

    def checked(field: str, value: Any) -> bool:
        if not isinstance(value, (bool, int)) or value not in (0, 1):
            raise BadValue(field, f"expected True or False, not {value!r}")
        return bool(value)

    def parsed(field: str, value: str) -> bool:
        try:
            return _TRUTH[value.strip().lower()]
        except KeyError:
            raise BadValue(field, f"{value!r} is neither true nor false") from None

    return Option(
        name, default, check=checked, parse=parsed, show=lambda v: str(v).lower(), doc=doc
    )


def choice(
    name: str, default: E, *, locked: int = 0, words: bool = False, doc: str = ""
) -> Option[E]:
    """Declare an option that is a member of the enumeration of its default.

    Args:
        words: whether its text form is the member's name, such as "assume-sent", not its number.
    """
    kind = type(default)
    names = ", ".join(f"{member.value} {member.name}" for member in kind)

    def checked(field: str, value: Any) -> E:
        try:
            return kind(parsed(field, value) if words and isinstance(value, str) else value)
        except ValueError:
            raise BadValue(field, f"{value!r} is none of {names}") from None

    def parsed(_: str, value: str) -> Any:
        spelled = value.strip().upper().replace("-", "_")
        if spelled in kind.__members__:
            return kind[spelled]
        return int(spelled) if spelled.isdecimal() else value

    return Option(
        name,
        default,
        check=checked,
        parse=parsed,
        show=lambda v: v.name.lower().replace("_", "-") if words else str(v.value),
        locked=locked,
        doc=doc,
    )
