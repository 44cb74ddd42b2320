"""One reply of a server: its code, its enhanced status and its words."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Reply"]


class Reply(NamedTuple):
    """Hold a complete reply as the server gave it. RFC 5321, section 4.2.

    `lines` are the texts behind the code of each line, without line ends; an enhanced status code
    stays where the server wrote it. Bytes that are not UTF-8 are shown as backslash escapes.
    """

    code: int
    #: The enhanced status code of the first line, such as "5.1.1", if there is one. RFC 2034.
    enhanced: str | None
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The texts of all lines, joined by newlines."""
        return "\n".join(self.lines)

    @property
    def raw(self) -> str:
        """The reply with the code on each line and CRLF between them, as it was received."""
        last = len(self.lines) - 1
        return "\r\n".join(
            f"{self.code}{'-' if number < last else ' '}{line}"
            for number, line in enumerate(self.lines)
        )

    @property
    def positive(self) -> bool:
        """Whether the command succeeded, or may be continued (2xx and 3xx)."""
        return self.code < 400

    @property
    def temporary(self) -> bool:
        """Whether the same command may succeed later (4xx)."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """Whether the same command will fail again (5xx)."""
        return self.code >= 500

    def __str__(self) -> str:
        return " ".join((str(self.code), *self.lines)).rstrip()
