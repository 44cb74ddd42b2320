"""What a server offers, as its reply to EHLO says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

__all__ = ["Capabilities", "Limits"]

# An EHLO reply of more keywords is an attack on memory, not a server.
_MOST_KEYWORDS = 128


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The extensions that a server announced. RFC 5321, section 4.1.1.1.

    `raw` maps each keyword in upper case to its parameters as they were written.
    """

    raw: Mapping[str, str] = field(default_factory=dict)
    #: The mechanisms of AUTH in upper case, in the server's order. RFC 4954.
    auth: tuple[str, ...] = ()
    #: The most bytes of a message; 0 if announced without a limit, None if not announced. RFC 1870.
    size: int | None = None
    #: Whether it was said over TLS by a server whose certificate was verified.
    verified: bool = False

    @classmethod
    def parse(cls, lines: Iterable[str], *, verified: bool = False) -> Capabilities:
        """Read the lines of an EHLO reply, the first of which is the server's greeting.

        What is not understood is kept in `raw` and otherwise ignored; a repeated keyword counts
        once, as it came first.

        Args:
            verified: whether it came over TLS, and the certificate was verified.
        """
        raw: dict[str, str] = {}
        mechanisms: list[str] = []
        for number, line in enumerate(lines):
            keyword, _, parameters = line.replace("\t", " ").strip().partition(" ")
            keyword, parameters = keyword.upper(), parameters.strip()
            # "AUTH=PLAIN LOGIN" was written before RFC 2554; some servers still add it.
            if keyword.startswith("AUTH="):
                keyword, parameters = "AUTH", f"{keyword[5:]} {parameters}"
            if number == 0 or not keyword or len(raw) >= _MOST_KEYWORDS:
                continue
            if keyword == "AUTH":
                mechanisms += parameters.upper().split()
            raw.setdefault(keyword, parameters)
        return cls(
            raw,
            tuple(dict.fromkeys(mechanisms)),
            _size(raw.get("SIZE")),
            verified,
        )

    @property
    def limits(self) -> Limits:
        """How much the server takes. RFC 9422."""
        return _parse_limits(self.raw.get("LIMITS", ""))

    def __contains__(self, keyword: str) -> bool:
        """Tell whether a keyword was announced, in any case."""
        return keyword.upper() in self.raw

    def without(self, keyword: str) -> Capabilities:
        """Give the same as if the server had not announced this."""
        if keyword not in self.raw:
            return self
        raw = {name: value for name, value in self.raw.items() if name != keyword}
        return replace(self, raw=raw)

    @property
    def pipelining(self) -> bool:
        """Whether commands may be sent before earlier ones are answered. RFC 2920."""
        return "PIPELINING" in self.raw

    @property
    def chunking(self) -> bool:
        """Whether content may be sent as BDAT chunks. RFC 3030."""
        return "CHUNKING" in self.raw

    @property
    def binarymime(self) -> bool:
        """Whether content may hold any bytes, over BDAT only. RFC 3030."""
        return "BINARYMIME" in self.raw

    @property
    def eight_bit_mime(self) -> bool:
        """Whether content may hold bytes above 127. RFC 6152."""
        return "8BITMIME" in self.raw

    @property
    def smtputf8(self) -> bool:
        """Whether addresses and headers may be UTF-8. RFC 6531."""
        return "SMTPUTF8" in self.raw

    @property
    def starttls(self) -> bool:
        """Whether TLS may be started. RFC 3207."""
        return "STARTTLS" in self.raw

    @property
    def dsn(self) -> bool:
        """Whether delivery reports can be asked for. RFC 3461."""
        return "DSN" in self.raw

    @property
    def enhanced_status_codes(self) -> bool:
        """Whether replies carry codes such as 5.1.1. RFC 2034."""
        return "ENHANCEDSTATUSCODES" in self.raw

    @property
    def requiretls(self) -> bool:
        """Whether TLS can be demanded of every later hop. RFC 8689.

        What is offered without TLS, or by who knows whom, does not count: section 4.2.1.
        """
        return "REQUIRETLS" in self.raw and self.verified

    @property
    def deliver_by(self) -> bool:
        """Whether a message can have a time by which it must arrive. RFC 2852."""
        return "DELIVERBY" in self.raw

    @property
    def deliver_by_minimum(self) -> int:
        """The least seconds in which the server promises to deliver or return; 0 if any."""
        return _digits(self.raw.get("DELIVERBY", ""), most=9) or 0

    @property
    def mt_priority(self) -> bool:
        """Whether a message can have a priority. RFC 6710."""
        return "MT-PRIORITY" in self.raw


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server says that it takes, where it does. RFC 9422."""

    #: The most transactions of one connection.
    mail: int | None = None
    #: The most recipients of one message.
    rcpt: int | None = None
    #: The most domains among the recipients of all messages of one connection.
    rcpt_domains: int | None = None

    @classmethod
    def parse(cls, parameters: str) -> Limits:
        """Read the parameters of LIMITS; what is not understood is ignored. RFC 9422, 2.1."""
        found: dict[str, int] = {}
        for word in parameters.split():
            name, _, value = word.partition("=")
            if value.isascii() and value.isdecimal() and 0 < len(value) <= 6 and int(value) > 0:
                found.setdefault(name.upper(), int(value))
        return cls(found.get("MAILMAX"), found.get("RCPTMAX"), found.get("RCPTDOMAINMAX"))


# It is asked for with every message.
_parse_limits = lru_cache(maxsize=64)(Limits.parse)


def _size(parameter: str | None) -> int | None:
    if parameter is None:
        return None
    # RFC 1870 3: at most twenty digits; anything else is as if there were no limit.
    return _digits(parameter, most=20) or 0


def _digits(text: str, *, most: int) -> int | None:
    # int() alone takes signs, underscores and the digits of every script.
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= most else None
