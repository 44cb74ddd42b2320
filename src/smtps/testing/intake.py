"""Taking mail in: MAIL, RCPT, DATA and BDAT, one transaction after another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .extensions import Extensions
from .paths import parse_path
from .records import Parameters, SinkConnection, SinkMessage
from .service import Service
from .stream import Stream
from .transaction import Transaction

__all__ = ["SEQUENCE", "SYNTAX", "Chunk", "Intake"]

SYNTAX = "501 5.5.4 Syntax error in the argument"
SEQUENCE = "503 5.5.1 Bad sequence of commands"
_PARAMETER = "555 5.5.4 A parameter is not recognised or not offered"
_UTF8 = "553 5.6.7 A non-ASCII address needs SMTPUTF8"
_TOO_LARGE = "552 5.3.4 The message is too large"
_OK = "250 2.0.0 OK"


@dataclass(frozen=True, slots=True)
class Chunk:
    """What came with one BDAT."""

    size: int
    last: bool
    #: The bytes, if they are kept.
    data: bytes


class Intake:
    """The mail transactions of one connection; each method gives the reply.

    `extensions` are those in force, none of them before EHLO.
    """

    def __init__(self, stream: Stream, record: SinkConnection, service: Service) -> None:
        self._stream = stream
        self._record = record
        self._service = service
        self.extensions = Extensions(())
        self._transaction: Transaction | None = None

    @property
    def open(self) -> bool:
        """Whether a transaction is under way."""
        return self._transaction is not None

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients that were taken so far."""
        return tuple(self._transaction.recipients) if self._transaction else ()

    def drop(self, recipient: str) -> None:
        """Take a recipient back, for whom the content was refused."""
        transaction = self._transaction
        if transaction is not None:
            place = transaction.recipients.index(recipient)
            del transaction.recipients[place], transaction.recipient_parameters[place]

    def reset(self) -> None:
        """Forget the transaction, if there is one."""
        self._transaction = None

    # --- the envelope -----------------------------------------------------------------------------

    def mail(self, argument: str) -> str:
        """Begin a transaction."""
        if self._transaction is not None or not self._record.hello:
            return SEQUENCE
        if self._service.require_auth and self._record.user is None:
            return "530 5.7.0 Authentication required"
        parsed = parse_path(argument[5:]) if argument[:5].upper() == "FROM:" else None
        if parsed is None:
            return SYNTAX
        sender, parameters = parsed
        if not all(map(self.extensions.brings_to_mail, parameters)):
            return _PARAMETER
        if _is_binary(parameters) and "BINARYMIME" not in self.extensions:
            return _PARAMETER
        if not sender.isascii() and "SMTPUTF8" not in parameters:
            return _UTF8
        size = parameters.get("SIZE")
        if size is not None and not (size.isascii() and size.isdigit()):
            return SYNTAX
        if self._is_too_large(int(size or 0)):
            return _TOO_LARGE
        self._transaction = Transaction(sender, parameters)
        return "250 2.1.0 Sender OK"

    def rcpt(self, argument: str) -> str:
        """Add a recipient to the transaction."""
        transaction = self._transaction
        if transaction is None or transaction.chunked:
            return SEQUENCE
        parsed = parse_path(argument[3:]) if argument[:3].upper() == "TO:" else None
        if parsed is None or not parsed[0]:
            return SYNTAX
        recipient, parameters = parsed
        if not all(map(self.extensions.brings_to_rcpt, parameters)):
            return _PARAMETER
        if not recipient.isascii() and "SMTPUTF8" not in transaction.parameters:
            return _UTF8
        transaction.recipients.append(recipient)
        transaction.recipient_parameters.append(parameters)
        return "250 2.1.5 Recipient OK"

    # --- DATA -------------------------------------------------------------------------------------

    def data(self) -> str:
        """Say whether content may come now."""
        transaction = self._transaction
        if transaction is None or not transaction.recipients or transaction.chunked:
            return SEQUENCE
        # RFC 3030 3: binary content cannot go through DATA.
        if _is_binary(transaction.parameters):
            return SEQUENCE
        return "354 End with a dot on a line of its own"

    def read_data(self) -> bytes:
        """Read the content behind a 354, and give it as it came if it is kept."""
        if self._service.keep:
            raw = self._stream.read_data()
            size = len(raw)
        else:
            raw = b""
            size = self._stream.skip_data()
        if self._transaction is not None:
            self._transaction.size = size - 3
        return raw

    def finish_data(self, raw: bytes) -> str:
        """End the transaction with the content that came."""
        return self._finish("DATA", _unstuffed(raw), raw)

    # --- BDAT -------------------------------------------------------------------------------------

    def read_chunk(self, argument: str) -> Chunk | None:
        """Read what follows a BDAT; give None if it does not say how much that is."""
        size, _, tail = argument.partition(" ")
        if not (size.isascii() and size.isdigit()) or tail.upper() not in ("", "LAST"):
            return None
        data = b""
        if self._service.keep:
            data = self._stream.read(int(size))
        else:
            self._stream.skip(int(size))
        return Chunk(int(size), bool(tail), data)

    def gathered(self, chunk: Chunk) -> bytes:
        """Give the content that came with this chunk and those before it."""
        before = self._transaction.chunks if self._transaction else []
        return b"".join((*before, chunk.data))

    def bdat(self, chunk: Chunk | None) -> str:
        """Add a chunk to the content, and end the transaction with the last. RFC 3030."""
        if chunk is None:
            return SYNTAX
        transaction = self._transaction
        if "CHUNKING" not in self.extensions:
            return "502 5.5.1 Command not offered"
        if transaction is None or not transaction.recipients or transaction.broken:
            return SEQUENCE
        transaction.chunked = True
        transaction.chunks.append(chunk.data)
        transaction.size += chunk.size
        if chunk.last:
            content = b"".join(transaction.chunks)
            return self._finish("BDAT", content, content)
        if self._is_too_large(transaction.size):
            transaction.broken = True
            return _TOO_LARGE
        return _OK

    def ends_with(self, chunk: Chunk | None) -> bool:
        """Whether this chunk ends a message that is to be judged."""
        transaction = self._transaction
        taken = transaction is not None and transaction.recipients and not transaction.broken
        return bool(chunk and chunk.last and taken and "CHUNKING" in self.extensions)

    def refuse_chunk(self, chunk: Chunk) -> None:
        """Note that a BDAT was refused by a script."""
        if chunk.last:
            self.reset()
        elif self._transaction is not None:
            self._transaction.chunked = self._transaction.broken = True

    # --- both -------------------------------------------------------------------------------------

    def verdict(self, chunk: Chunk | None = None) -> str:
        """Say what LMTP answers for each recipient, with the chunk that is still to be added."""
        size = (self._transaction.size if self._transaction else 0) + (chunk.size if chunk else 0)
        return _TOO_LARGE if self._is_too_large(size) else _OK

    def _finish(self, how: Literal["DATA", "BDAT"], content: bytes, raw: bytes) -> str:
        transaction, self._transaction = self._transaction, None
        if transaction is None or not transaction.recipients:
            return "554 5.5.1 No valid recipients"
        if self._is_too_large(transaction.size):
            return _TOO_LARGE
        message = None
        if self._service.keep:
            message = self._message(transaction, how, content, raw)
            self._inspect(message, transaction)
        self._service.deliver(message)
        return _OK

    def _message(
        self, transaction: Transaction, how: Literal["DATA", "BDAT"], content: bytes, raw: bytes
    ) -> SinkMessage:
        return SinkMessage(
            transaction.sender,
            tuple(transaction.recipients),
            transaction.parameters,
            tuple(transaction.recipient_parameters),
            content,
            raw,
            how,
            self._record.tls is not None,
            self._record.user,
            self._record.hello,
            self._record.number,
        )

    def _inspect(self, message: SinkMessage, transaction: Transaction) -> None:
        if not _is_binary(transaction.parameters):
            self._record.bare_newlines += message.bare_newlines
        if not transaction.eight_bit and not message.content.isascii():
            self._record.violations.append("bytes above 127 without BODY=8BITMIME")

    def _is_too_large(self, size: int) -> bool:
        limit = self.extensions.size_limit
        return limit is not None and size > limit


def _is_binary(parameters: Parameters) -> bool:
    return (parameters.get("BODY") or "").upper() == "BINARYMIME"


def _unstuffed(raw: bytes) -> bytes:
    """Take the last line and the first dot of each other line away. RFC 5321, section 4.5.2."""
    content = raw[:-3]
    if content.startswith(b"."):
        content = content[1:]
    return content.replace(b"\r\n.", b"\r\n")
