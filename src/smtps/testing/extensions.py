"""What the sink announces to EHLO, and what follows from it for MAIL and RCPT."""

from __future__ import annotations

from collections.abc import Iterable

from ..controls import require_text, shown
from ..errors import BadValue

__all__ = ["ALL_EXTENSIONS", "Extensions"]

#: What a sink announces unless told otherwise; STARTTLS is added where it is meant.
ALL_EXTENSIONS = (
    "PIPELINING",
    "SIZE 104857600",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "AUTH PLAIN LOGIN",
)

#: Which extension brings a parameter of MAIL.
_OF_MAIL = {
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "SMTPUTF8": "SMTPUTF8",
    "RET": "DSN",
    "ENVID": "DSN",
    "AUTH": "AUTH",
    "REQUIRETLS": "REQUIRETLS",
    "BY": "DELIVERBY",
    "MT-PRIORITY": "MT-PRIORITY",
}
#: Which extension brings a parameter of RCPT.
_OF_RCPT = {"NOTIFY": "DSN", "ORCPT": "DSN"}


class Extensions:
    """The lines of an EHLO reply, taken apart.

    Args:
        lines: keywords with their parameters, such as "SIZE 1000"; what the sink does not know is
            announced all the same.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        if isinstance(lines, str) or not isinstance(lines, Iterable):
            raise BadValue("extensions", f"expected a list of lines, not {shown(lines)}")
        self.lines = tuple(require_text("extensions", line) for line in lines)
        self._parameters = {
            keyword.upper(): tuple(parameters.upper().split())
            for keyword, _, parameters in (line.partition(" ") for line in self.lines)
        }

    def __contains__(self, keyword: str) -> bool:
        return keyword in self._parameters

    def without(self, keyword: str) -> Extensions:
        """Give the same without one keyword."""
        return Extensions(line for line in self.lines if line.split(" ")[0].upper() != keyword)

    def with_line(self, line: str) -> Extensions:
        """Give the same with one more line."""
        return Extensions((*self.lines, line))

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The SASL mechanisms."""
        return self._parameters.get("AUTH", ())

    @property
    def size_limit(self) -> int | None:
        """The largest message that is taken, if there is a limit. RFC 1870."""
        limit = next(iter(self._parameters.get("SIZE", ())), "0")
        return int(limit) or None

    def brings_to_mail(self, parameter: str) -> bool:
        """Whether MAIL may have this parameter."""
        return _OF_MAIL.get(parameter) in self._parameters

    def brings_to_rcpt(self, parameter: str) -> bool:
        """Whether RCPT may have this parameter."""
        return _OF_RCPT.get(parameter) in self._parameters
