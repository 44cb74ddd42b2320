"""`SMTP`: the class of smtplib, with this package's engine below its methods."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Sequence
from operator import attrgetter
from smtplib import (
    SMTPDataError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from typing import TYPE_CHECKING, Any

from ..codec import dot_stuff, normalize_newlines
from ..phase import Phase
from .connecting import Path, context_of, secure
from .letter import Letter, content_of
from .login import Login
from .outcome import Answer, Refusals
from .wording import command_line, mail_line, quoted_address, rcpt_line

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["SMTP"]


class SMTP(Login):
    """One connection, as `smtplib.SMTP` has it, and an instance of that.

    The socket is the program's, in `sock`: it may be looked at, given a timeout and be replaced.
    Not thread-safe.

    Args:
        host: connect to it at once.
        port: 0 is the standard port.
        local_hostname: the name to greet by; without it this host's.
        timeout: seconds for each operation; without it that of `socket.setdefaulttimeout`.
        source_address: host and port to connect from.

    Raises:
        SMTPConnectError: the server did not greet with 220.
        OSError: there is no connection. Every exception of smtplib is one.
    """

    #: Over LMTP: those whom the server accepted, and whom it refused all the same in the end.
    _accepted: tuple[str, ...] = ()
    _refused_late: Refusals | None = None

    if sys.version_info >= (3, 12):

        def starttls(self, *, context: ssl.SSLContext | None = None) -> Answer:
            """Make the connection secure; what the server said before is forgotten. RFC 3207.

            Args:
                context: without it the server's certificate is verified against the system's
                    authorities and the name that was connected to.

            Raises:
                SMTPNotSupportedError: the server does not offer it.
                SMTPResponseException: it said no. The connection is as it was.
                OSError: there is no TLS, or the certificate does not pass. The connection is
                    closed.
            """
            return self._secure(context)

    else:

        def starttls(
            self,
            keyfile: Path | None = None,
            certfile: Path | None = None,
            context: ssl.SSLContext | None = None,
        ) -> Answer:
            """Make the connection secure, as on later versions of Python; see there.

            Args:
                keyfile: the key of the client's certificate; deprecated, use `context`.
                certfile: the client's certificate; deprecated, use `context`.
            """
            return self._secure(context_of(keyfile, certfile, context))

    def _secure(self, context: ssl.SSLContext | None) -> Answer:
        self.ehlo_or_helo_if_needed()
        if not self.has_extn("starttls"):
            raise SMTPNotSupportedError("STARTTLS extension not supported by server.")
        code, answer = self.docmd("STARTTLS")
        if code != 220:
            raise SMTPResponseException(code, answer)
        try:
            # RFC 3207 4.2: a byte still here was injected in clear text.
            self._link.refuse_unasked(Phase.STARTTLS)
            self.sock = secure(self._link, self.sock, context, self._host)
        except BaseException:
            self.close()
            raise
        self._forget_greeting()
        return code, answer

    def mail(self, sender: str, options: Sequence[str] = ()) -> Answer:
        """Begin a message (MAIL).

        Raises:
            SMTPNotSupportedError: the options ask for SMTPUTF8, which the server does not offer.
            ValueError: the sender is not one address, or an option has a control character.
        """
        if self.does_esmtp and self._needs_utf8(options):
            self.command_encoding = "utf-8"
        self._accepted = ()
        path = quoted_address(sender, "sender")
        self.putcmd(mail_line(path, options if self.does_esmtp else ()))
        return self.getreply()

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> Answer:
        """Name one recipient (RCPT).

        Raises:
            ValueError: it is not one address, or an option has a control character.
        """
        path = quoted_address(recip, "recipient")
        self.putcmd(rcpt_line(path, options if self.does_esmtp else ()))
        code, text = self.getreply()
        if code in (250, 251):
            self._accepted += (recip,)
        return code, text

    def data(self, msg: Buffer | str) -> Answer:
        """Send the content (DATA), with CRLF at the end of each line and its dots doubled.

        Over LMTP each accepted recipient has a final reply; if one is a refusal, it is given.

        Raises:
            SMTPDataError: the server does not want it.
            ValueError: it has a NUL, or is text with letters outside ASCII; nothing was sent.
        """
        content = content_of(msg)
        code, text = self.docmd("data")
        if self.debuglevel > 0:
            self._print_debug("data:", (code, text))
        if code != 354:
            raise SMTPDataError(code, text)
        assert content.whole is not None
        self.send(dot_stuff(content.whole))
        answer = self._hear_each() if self._link.is_lmtp else self.getreply()
        if self.debuglevel > 0:
            self._print_debug("data:", answer)
        return answer

    def _hear_each(self) -> Answer:
        """Hear a final reply for each accepted recipient. RFC 2033, section 4.2."""
        finals = [(recipient, self.getreply()) for recipient in self._accepted or ("",)]
        refused = {recipient: answer for recipient, answer in finals if answer[0] != 250}
        self._refused_late = refused
        return next((answer for _, answer in finals if answer[0] == 250), finals[0][1])

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: Buffer | str,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> Refusals:
        """Send a message, and give the recipients that were refused, each with its reply.

        Where the server offers PIPELINING, MAIL, RCPT and DATA go in one write. What is wrong with
        the arguments is found before anything is sent.

        Raises:
            SMTPHeloError: the server refused the greeting.
            SMTPSenderRefused, SMTPRecipientsRefused, SMTPDataError: it went to nobody.
            SMTPNotSupportedError: the options ask for SMTPUTF8, which the server does not offer.
            SMTPServerDisconnected: the connection is gone.
            ValueError: an address is not one, an option has a control character, or the message
                cannot be sent as it is.
        """
        recipients = [to_addrs] if isinstance(to_addrs, str) else list(to_addrs)
        content = content_of(msg)
        sender = quoted_address(from_addr, "from_addr")
        paths = [quoted_address(recipient, "to_addrs") for recipient in recipients]
        self.ehlo_or_helo_if_needed()
        if not recipients:
            raise SMTPRecipientsRefused({})
        assert content.whole is not None
        if self._goes_stepwise():
            whole = normalize_newlines(content.whole)
            return self._send_stepwise(from_addr, recipients, whole, mail_options, rcpt_options)
        encoding = self.command_encoding
        options: list[str] = []
        if self.does_esmtp:
            options = [f"size={content.size}"] if self.has_extn("size") else []
            options += mail_options
            encoding = "utf-8" if self._needs_utf8(options) else encoding
        mail = command_line(mail_line(sender, options), encoding)
        options = list(rcpt_options) if self.does_esmtp else []
        rcpts = [command_line(rcpt_line(path, options), encoding) for path in paths]
        return self._deliver(Letter(from_addr, recipients, content, mail, rcpts))

    def _deliver(self, letter: Letter) -> Refusals:
        if self.sock is not None:
            sys.audit("smtplib.send", self, letter.content.whole)
        try:
            return self._link.send(self.sock, letter)
        finally:
            if not self._link.lasts:
                self.close()

    def _send_stepwise(self, *arguments: Any) -> Refusals:
        """Let smtplib call one method for each step."""
        self._refused_late = None
        refused = super().sendmail(*arguments)
        return refused | (self._refused_late or {})

    def _goes_stepwise(self) -> bool:
        """Whether the steps of a message are seen one by one, or are not all this package's.

        A program may have put something of its own in the place of a method, watch the debug
        output, or have taken PIPELINING out of `esmtp_features`.
        """
        return (
            self.debuglevel > 0
            or (self._link.pipelines and "pipelining" not in self.esmtp_features)
            or not _STEPS.isdisjoint(self.__dict__)
            or _steps_of(type(self)) != _OWN_STEPS
        )

    def _needs_utf8(self, options: Sequence[str]) -> bool:
        """Whether a message needs SMTPUTF8, which the server must offer then."""
        needs = any(option.lower() == "smtputf8" for option in options)
        if needs and not self.has_extn("smtputf8"):
            raise SMTPNotSupportedError("SMTPUTF8 not supported by server")
        return needs


# What `sendmail` is made of in smtplib.
_STEPS = frozenset(("mail", "rcpt", "data", "rset", "_rset", "docmd", "putcmd", "send", "getreply"))
_steps_of = attrgetter(*sorted(_STEPS))
_OWN_STEPS = _steps_of(SMTP)
