"""The server's side of one connection: commands in order, and faults where the script has them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import partial
from typing import Literal

from .auth import AuthExchange
from .extensions import Extensions
from .faults import END, GREETING, HANDSHAKE, Fault
from .intake import SEQUENCE, SYNTAX, Chunk, Intake
from .misbehaviour import misbehave
from .records import SinkConnection
from .replies import render
from .service import Service
from .stream import Gone, LineTooLong, Stream, Trap

__all__ = ["Conversation"]

#: RFC 2920 3.1: these may only end a group of commands; RFC 3207 and 4954 say it of their own.
_LAST_IN_GROUP = frozenset(
    ("EHLO", "HELO", "LHLO", "DATA", "VRFY", "EXPN", "QUIT", "NOOP", "STARTTLS", "AUTH")
)


class _Cancelled(Exception):
    """The client gave up during AUTH, or its answer was not base64."""


class Conversation:
    """Talk with one client until it leaves or a fault ends it."""

    def __init__(self, stream: Stream, record: SinkConnection, service: Service) -> None:
        self._stream = stream
        self._record = record
        self._service = service
        self._intake = Intake(stream, record, service)
        #: What follows once the reply is written.
        self._then: Callable[[], None] | None = None
        self._commands: dict[str, Callable[[str], str]] = {
            **self._hellos(),
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            # RFC 821 3.4: to the terminal of a user, to the mailbox, or to both.
            **dict.fromkeys(("MAIL", "SEND", "SOML", "SAML"), self._intake.mail),
            "RCPT": self._intake.rcpt,
            "DATA": self._data,
            "RSET": self._rset,
            "NOOP": lambda _: "250 2.0.0 OK",
            "VRFY": lambda _: "252 2.5.0 Cannot verify, but will take mail",
            "EXPN": lambda _: "252 2.5.0 Cannot expand, but will take mail",
            "HELP": lambda _: "214 2.0.0 See RFC 5321",
            "QUIT": self._quit,
        }

    def run(self) -> None:
        """Greet, and answer whatever comes.

        Raises:
            Gone: the conversation is over.
            OSError: the connection broke, or the handshake failed.
        """
        arriving, leaving = self._service.script.by_bytes(self._record.number)
        self._stream.on_received = self._trap(arriving, "received")
        self._stream.on_sent = self._trap(leaving, "sent")
        if self._service.implicit_tls:
            self._shake_hands()
        if self._stream.poll():
            self._violates("spoke before the greeting")
        self._answer(GREETING, str, lambda: f"220 {self._service.name} ESMTP")
        try:
            while True:
                self._take_command()
        except LineTooLong:
            self._stream.write(self._render("500 5.5.2 Line too long"))
            self._stream.flush()

    # --- one command ------------------------------------------------------------------------------

    def _take_command(self) -> None:
        line = self._stream.read_line()
        text = line[:-2].decode("utf-8", "surrogateescape")
        if not line.endswith(b"\r\n") or "\r" in text:
            self._refuse_bare_newline(line)
            return
        self._remember(text)
        verb, _, argument = text.partition(" ")
        verb = verb.upper()
        if verb == "BDAT":
            self._bdat(text, argument)
            return
        self._check_group(verb)
        command = self._commands.get(verb, self._unknown)
        self._answer(verb, lambda: text, partial(command, argument))

    def _answer(self, place: str, text: Callable[[], str], act: Callable[[], str]) -> bool:
        """Reply, by the book or by the script.

        Args:
            text: gives what the script's conditions look at.
            act: carries the command out and gives the reply.

        Returns:
            Whether the command was carried out.
        """
        return self._reply(self._fault(place, text), place, act)

    def _fault(self, place: str, text: Callable[[], str]) -> Fault | None:
        return self._service.script.at(place, self._record.number, text)

    def _reply(self, fault: Fault | None, place: str, act: Callable[[], str]) -> bool:
        acts = fault is None or fault.lets_pass(place)
        if fault is None:
            self._stream.write(self._render(act()))
        else:
            if place == "DATA" and fault.says("354"):
                # The client believes it, so content follows whatever the transaction is like.
                self._then = self._take_data
            obey = (lambda: self._render(act())) if acts else None
            misbehave(fault, self._stream, self._service.stopping, obey)
        then, self._then = self._then, None
        if then is not None:
            then()
        return acts

    def _trap(self, fault: Fault | None, counted: Literal["received", "sent"]) -> Trap | None:
        if fault is None:
            return None
        spring = partial(misbehave, fault, self._stream, self._service.stopping)
        return Trap(getattr(fault, counted), spring)

    def _render(self, reply: str) -> bytes:
        return render(reply, "ENHANCEDSTATUSCODES" in self._intake.extensions) if reply else b""

    # --- what the client may not do ---------------------------------------------------------------

    def _violates(self, sentence: str) -> None:
        self._record.violations.append(sentence)

    def _check_group(self, verb: str) -> None:
        if not self._stream.ahead:
            return
        if "PIPELINING" not in self._intake.extensions:
            self._violates(f"did not wait for the reply to {verb}, and PIPELINING is not in force")
        elif verb in _LAST_IN_GROUP:
            self._violates(f"did not wait for the reply to {verb}")

    def _refuse_bare_newline(self, line: bytes) -> None:
        self._record.bare_newlines += line.count(b"\r") + line.count(b"\n")
        self._record.bare_newlines -= 2 * line.count(b"\r\n")
        self._remember(line.decode("utf-8", "surrogateescape"))
        self._stream.write(self._render("500 5.5.2 Bare CR or LF"))

    def _remember(self, line: str) -> None:
        if self._service.keep:
            self._record.commands.append(line)
            self._service.notice()

    # --- the session ------------------------------------------------------------------------------

    def _hellos(self) -> dict[str, Callable[[str], str]]:
        # RFC 2033 4.1: LMTP has no HELO and no EHLO.
        return (
            {"LHLO": self._ehlo} if self._service.lmtp else {"EHLO": self._ehlo, "HELO": self._helo}
        )

    def _ehlo(self, argument: str) -> str:
        if not argument.strip():
            return SYNTAX
        self._greet(argument, self._offered())
        lines = (self._service.name, *self._intake.extensions.lines)
        return "\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    def _helo(self, argument: str) -> str:
        if not argument.strip():
            return SYNTAX
        self._greet(argument, Extensions(()))
        return f"250 {self._service.name}"

    def _greet(self, hello: str, extensions: Extensions) -> None:
        self._record.hello = hello
        self._intake.reset()
        self._intake.extensions = extensions

    def _offered(self) -> Extensions:
        offered = self._service.extensions
        if self._record.tls is None and self._service.context is not None:
            offered = offered.with_line("STARTTLS")
        if self._record.tls is None and not self._service.auth_in_clear:
            offered = offered.without("AUTH")
        return offered

    def _starttls(self, argument: str) -> str:
        if argument:
            return SYNTAX
        if self._service.context is None:
            return "502 5.5.1 Command not offered"
        if self._record.tls is not None:
            return SEQUENCE
        self._then = self._shake_hands
        return "220 2.0.0 Go ahead"

    def _shake_hands(self) -> None:
        def act() -> str:
            self._stream.flush()
            assert self._service.context is not None
            self._record.tls = self._stream.start_tls(self._service.context)
            # RFC 3207 4.2: what was said before is forgotten.
            self._greet("", Extensions(()))
            return ""

        self._answer(HANDSHAKE, str, act)

    def _rset(self, argument: str) -> str:
        if argument:
            return SYNTAX
        self._intake.reset()
        return "250 2.0.0 OK"

    def _quit(self, _argument: str) -> str:
        self._then = self._leave
        return "221 2.0.0 Bye"

    def _leave(self) -> None:
        self._stream.flush()
        self._stream.close_notify()
        raise Gone

    def _unknown(self, _argument: str) -> str:
        return "500 5.5.2 Command not recognised"

    # --- authentication ---------------------------------------------------------------------------

    def _auth(self, argument: str) -> str:
        if self._record.user is not None or self._intake.open or not self._record.hello:
            return SEQUENCE
        name, _, initial = argument.partition(" ")
        if "AUTH" not in self._intake.extensions:
            return "538 5.7.11 Not offered here"
        mechanism = self._service.mechanisms.get(name.upper())
        if mechanism is None or name.upper() not in self._intake.extensions.mechanisms:
            return "504 5.5.4 Mechanism not offered"
        try:
            # RFC 4954 4: a lone equals sign is an empty initial response.
            first = _decoded(initial.removeprefix("=")) if initial else None
            user = mechanism(
                AuthExchange(first, self._challenge, self._service.users, self._bindings)
            )
        except _Cancelled:
            return "501 5.7.0 Authentication cancelled"
        except (ValueError, LookupError):
            return "501 5.5.2 A response that makes no sense"
        self._record.mechanism = name.upper()
        if user is None:
            return "535 5.7.8 Credentials refused"
        self._record.user = user
        return "235 2.7.0 Authenticated"

    def _challenge(self, challenge: bytes) -> bytes:
        self._stream.write(b"334 " + base64.b64encode(challenge) + b"\r\n")
        answer = self._stream.read_line().rstrip(b"\r\n").decode("ascii", "surrogateescape")
        self._remember(answer)
        return _decoded(answer)

    def _bindings(self) -> dict[str, bytes]:
        """Give what a -PLUS mechanism can bind to. RFC 5929."""
        return self._stream.bindings | {"tls-server-end-point": self._service.end_point}

    # --- content ----------------------------------------------------------------------------------

    def _data(self, argument: str) -> str:
        if argument:
            return SYNTAX
        reply = self._intake.data()
        if reply.startswith("354"):
            self._then = self._take_data
        return reply

    def _take_data(self) -> None:
        raw = self._intake.read_data()
        if self._service.lmtp:
            self._answer_each(partial(self._intake.finish_data, raw))
            return
        finish = partial(self._intake.finish_data, raw)
        if not self._answer(END, lambda: raw.decode("latin-1"), finish):
            self._intake.reset()

    def _bdat(self, text: str, argument: str) -> None:
        chunk = self._intake.read_chunk(argument)
        self._check_group("BDAT")
        act = partial(self._intake.bdat, chunk)
        fault = self._fault("BDAT", lambda: text)
        if self._service.lmtp and fault is None and self._intake.ends_with(chunk):
            self._answer_each(act, chunk)
            return
        if chunk is None:
            self._reply(fault, "BDAT", act)
            return
        if fault is None and chunk.last:
            fault = self._fault(END, lambda: self._intake.gathered(chunk).decode("latin-1"))
        if not self._reply(fault, "BDAT", act):
            self._intake.refuse_chunk(chunk)

    def _answer_each(self, finish: Callable[[], str], chunk: Chunk | None = None) -> None:
        """Answer the end of a message once for each recipient that was taken. RFC 2033, 4.2.

        A fault is one recipient's own, and the message goes to the others.
        """
        verdict = self._intake.verdict(chunk)
        try:
            for recipient in self._intake.recipients:
                if not self._answer(END, partial(str, recipient), partial(str, verdict)):
                    self._intake.drop(recipient)
        finally:
            # The replies are written and not yet sent.
            finish()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _Cancelled from None
