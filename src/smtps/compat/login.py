"""Logging in, with the mechanisms of this package where the program brings none of its own."""

from __future__ import annotations

from collections.abc import Callable
from smtplib import SMTPAuthenticationError, SMTPException
from typing import TYPE_CHECKING, overload

from ..errors import ProtocolError
from ..hidden import Hidden
from ..sasl import Credentials, auth_line, decode_challenge, response_line
from ..sasl.cram_md5 import cram_md5
from ..sasl.encoding import LONGEST_COMMAND
from ..sasl.plain import plain
from ..wire.commands import build_command
from .conversation import Conversation
from .outcome import Answer

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Login"]

#: How many challenges a server may send.
_MOST_CHALLENGES = 5
_HIDDEN = "********"


class Login(Conversation):
    """What `SMTP` does to log in. `login` itself chooses as in smtplib."""

    user: str
    password: str

    def auth(
        self,
        mechanism: str,
        authobject: Callable[..., str | None],
        *,
        initial_response_ok: bool = True,
    ) -> Answer:
        """Log in by a mechanism.

        Args:
            authobject: called with each challenge, as bytes, for the response to it; and without
                one for the initial response, which may be None. What it gives is sent as UTF-8.
            initial_response_ok: whether it is asked for an initial response.

        Raises:
            SMTPAuthenticationError: the server said no.
            SMTPException: its challenges are no base64, or do not end.
        """
        mechanism = mechanism.upper()
        shown = build_command("AUTH", mechanism).decode().rstrip()
        first = authobject() if initial_response_ok else None
        self._auth_challenge_count = 0 if first is None else 1
        line = auth_line(mechanism, None if first is None else _secret(first))
        if first is None:
            answer = self.docmd("AUTH", mechanism)
        elif len(line) <= LONGEST_COMMAND:
            answer = self._ask_hidden(line, f"{shown} {_HIDDEN}")
        else:
            answer = self.docmd("AUTH", mechanism)
            if answer[0] == 334:
                answer = self._ask_hidden(response_line(_secret(first)), _HIDDEN)
        while answer[0] == 334:
            self._auth_challenge_count += 1
            response = authobject(_challenge(answer[1])) or ""
            answer = self._ask_hidden(response_line(_secret(response)), _HIDDEN)
            if self._auth_challenge_count > _MOST_CHALLENGES:
                raise SMTPException(
                    f"Server AUTH mechanism infinite loop. Last response: {answer!r}"
                )
        if answer[0] in (235, 503):
            return answer
        raise SMTPAuthenticationError(*answer)

    def auth_plain(self, challenge: Buffer | None = None) -> str:  # noqa: ARG002
        """Respond for PLAIN, by `self.user` and `self.password`."""
        return (next(plain(Credentials(self.user, self.password))) or b"").decode()

    @overload
    def auth_cram_md5(self, challenge: None = None) -> None: ...
    @overload
    def auth_cram_md5(self, challenge: Buffer) -> str: ...
    def auth_cram_md5(self, challenge: Buffer | None = None) -> str | None:
        """Respond for CRAM-MD5, by `self.user` and `self.password`."""
        if challenge is None:
            return None
        responses = cram_md5(Credentials(self.user, self.password))
        next(responses)
        return (responses.send(bytes(challenge)) or b"").decode()

    def auth_login(self, challenge: Buffer | None = None) -> str:
        """Respond for LOGIN: the user first, then the password."""
        first = challenge is None or self._auth_challenge_count < 2
        return self.user if first else self.password

    def _ask_hidden(self, line: Hidden, shown: str) -> Answer:
        """Send a line with a secret, of which the debug output shows nothing."""
        if self.debuglevel > 0:
            self._print_debug("send:", repr(f"{shown}\r\n"))
        self._write(line)
        return self.getreply()


def _secret(response: str) -> Hidden:
    return Hidden(response.encode())


def _challenge(text: bytes) -> bytes:
    try:
        return decode_challenge(text.decode())
    except ProtocolError as error:
        raise SMTPException(str(error)) from error
