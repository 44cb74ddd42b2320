"""One message of `sendmail`: checked and worded before the first byte is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..dialogue.progress import Progress
from ..wire.capabilities import Capabilities
from ..wire.content import Content

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Letter", "content_of"]


def content_of(message: Buffer | str) -> Content:
    """Give the content of a message.

    Raises:
        UnicodeEncodeError: it is text with letters outside ASCII; encode it.
        BadValue: it has a NUL.
        TypeError: it is neither text nor bytes.
    """
    if isinstance(message, str):
        message = message.encode("ascii")
    return Content(message if isinstance(message, bytes) else memoryview(message))


class Letter(Progress):
    """A message whose commands were worded before.

    Args:
        sender: the sender as the program gave it.
        recipients: the recipients as the program gave them.
    """

    def __init__(
        self,
        sender: str,
        recipients: Sequence[str],
        content: Content,
        mail: bytes,
        rcpts: list[bytes],
    ) -> None:
        super().__init__(sender, recipients)
        self._content = content
        self._mail = mail
        self._rcpts = rcpts

    @property
    def content(self) -> Content:
        """The message."""
        return self._content

    def mail(self, _: Capabilities) -> bytes:
        """Give MAIL as it was worded; what the server lacks, it refuses itself."""
        return self._mail

    def rcpts(self, _: Capabilities) -> list[bytes]:
        """Give each RCPT as it was worded."""
        return self._rcpts
