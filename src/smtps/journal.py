"""Log records of what connections do, under the names `smtps.connection`, `.tls`, `.auth`, `.send`.

What goes as it should is DEBUG, a connection that comes up INFO, a failure or a message that did
not reach everyone WARNING, and one whose fate is not known ERROR. Without a handler of the program
nothing is made. Passwords, tokens and the content of messages are in none of them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from .hosts import with_port
from .receipt import Receipt

if TYPE_CHECKING:
    from .session import Session
    from .watching import Operation

__all__ = ["Journal", "journal"]

_root = logging.getLogger("smtps")
# What nobody reads does not go to standard error either.
_root.addHandler(logging.NullHandler())
_own = len(_root.handlers)
_connection = logging.getLogger("smtps.connection")
_tls = logging.getLogger("smtps.tls")
_auth = logging.getLogger("smtps.auth")
_send = logging.getLogger("smtps.send")


class Journal:
    """The watcher that writes log records."""

    def is_read(self) -> bool:
        """Whether the program has a handler for them."""
        if logging.root.handlers or len(_root.handlers) > _own:
            return _root.isEnabledFor(logging.WARNING)
        return any(one.handlers for one in (_connection, _tls, _auth, _send))

    def began(self, operation: Operation) -> None:
        """Say nothing yet."""

    def ended(self, operation: Operation) -> None:
        """Tell of a connection, and of how it became secure."""
        place = with_port(operation.host, operation.port)
        if operation.name == "connect":
            if operation.error is None:
                _connection.info("connected to %s (%s)", place, operation.peer)
            elif isinstance(operation.error, Exception):
                _connection.warning("no connection to %s: %s", place, operation.error)
        elif operation.error is not None:
            return
        elif operation.name == "secure" and (info := operation.session.tls) is not None:
            _tls.debug("%s: %s, %s, certificate %s", place, info.version, info.cipher,
                operation.session.certificate_status)  # fmt: skip
        elif operation.name == "authenticate":
            _auth.debug("%s: logged in", place)

    def gave(self, operation: Operation, receipts: list[Receipt]) -> None:  # noqa: ARG002
        """Tell of what became of messages."""
        tells_all = _send.isEnabledFor(logging.DEBUG)
        for receipt in receipts:
            if not receipt.ok:
                self._complain(receipt)
            elif tells_all:
                _send.debug("message %s accepted for %d: %s", receipt.message_id,
                    len(receipt.results), receipt.reply)  # fmt: skip

    @staticmethod
    def _complain(receipt: Receipt) -> None:
        level = logging.ERROR if receipt.unknown else logging.WARNING
        if not _send.isEnabledFor(level):
            return
        counts = [
            f"{len(found)} {name.replace('_', ' ')}"
            for name in ("accepted", "refused", "deferred", "not_sent", "unknown")
            if (found := getattr(receipt, name))
        ]
        why = receipt.error or next(
            (one.reply for one in receipt.results if one.reply and not one.reply.positive), None
        )
        shown = ", ".join(counts) or "not sent"
        _send.log(level, "message %s: %s: %s", receipt.message_id, shown, why)

    def closed(self, session: Session, seconds: float) -> None:
        """Tell that a connection is no more."""
        place = with_port(session.options.mail_server, session.options.mail_port)
        if session.ended_by is not None:
            _connection.warning("%s after %.1f s: %s", place, seconds, session.ended_by)
        else:
            _connection.debug("disconnected from %s after %.1f s", place, seconds)


journal = Journal()
