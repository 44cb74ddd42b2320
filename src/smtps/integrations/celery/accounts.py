"""What became of one message so far: from receipts and the record, to what a task's result says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...envelope import Envelope
from ...errors import BadValue, SenderRefused, SMTPSError, SourceFailed
from ...receipt import Outcome, Receipt, outcome_of
from ...reply import Reply
from ...spool.history import CANNOT_CARRY

__all__ = ["HOPELESS", "Account"]

#: What is wrong with a message itself: it goes nowhere, however often it is tried.
HOPELESS = (*CANNOT_CARRY, BadValue, SourceFailed)
_AGAIN = {Outcome.DEFERRED, Outcome.NOT_SENT}
# How the record begins what it says of a recipient.
_LETTERS = {Outcome.ACCEPTED: "s", Outcome.REFUSED: "r", Outcome.UNKNOWN: "u"}
_OUTCOMES = {letter: outcome for outcome, letter in _LETTERS.items()} | {"c": Outcome.UNKNOWN}
_DIED = {
    "type": "DeliveryUnknown",
    "code": 0,
    "message": "a worker ended while it was sending this message; whether the server took it is"
    " not known",
}


class Account:
    """What is known of each recipient of one message.

    Args:
        index: the place of the message in the batch.
        told: what an earlier attempt told of it.
        resend: whether recipients of whom nobody knows get it again.
    """

    def __init__(
        self, index: int, told: Mapping[str, Any] | None = None, *, resend: bool = False
    ) -> None:
        self.index = index
        self._again = {*_AGAIN, Outcome.UNKNOWN} if resend else _AGAIN
        #: Whether another attempt, which lives, is sending to some of the recipients.
        self.is_busy = False
        self._message_id: str | None = None
        self._sender = ""
        self._results: dict[str, tuple[Outcome, dict[str, Any] | None]] = {}
        self.error: dict[str, Any] | None = None
        if told is not None:
            self._message_id, self._sender = told["message_id"], told["sender"]
            self.error = told["error"]
            self._results = {
                one["address"]: (Outcome(one["outcome"]), one["reply"]) for one in told["results"]
            }

    def open(self, envelope: Envelope, message_id: str | None) -> None:
        """Begin with nobody having it, unless an earlier attempt told more."""
        self._sender, self._message_id = envelope.sender, message_id
        known, self._results = self._results, {}
        for address in envelope.addresses:
            self._results[address] = known.get(address, (Outcome.NOT_SENT, None))

    @property
    def is_known(self) -> bool:
        """Whether an earlier attempt told anything of it."""
        return bool(self._results) or self.error is not None

    @property
    def waiting(self) -> list[str]:
        """The recipients who are to get it still."""
        return [
            address for address, (outcome, _) in self._results.items() if outcome in self._again
        ]

    @property
    def told(self) -> dict[str, Any]:
        """The receipt as JSON."""
        outcomes = [outcome for outcome, _ in self._results.values()]
        return {
            "index": self.index,
            "message_id": self._message_id,
            "sender": self._sender,
            "ok": bool(outcomes) and all(one is Outcome.ACCEPTED for one in outcomes),
            "results": [
                {"address": address, "outcome": outcome.value, "reply": reply}
                for address, (outcome, reply) in self._results.items()
            ],
            "error": self.error,
        }

    # --- what happens to it -----------------------------------------------------------------------

    def fail(self, error: SMTPSError) -> None:
        """Note why it cannot be sent at all, to anybody who does not have it."""
        self.error = _error(error)
        for address in self.waiting:
            self._results[address] = (Outcome.REFUSED, _reply(error.reply))

    def stop(self, error: SMTPSError) -> None:
        """Note why it was not sent this time."""
        self.error = _error(error)

    def doubt(self, addresses: Iterable[str]) -> dict[str, str]:
        """Note that nobody knows, and give the words for the record."""
        self.error = dict(_DIED)
        for address in addresses:
            self._results[address] = (Outcome.UNKNOWN, None)
        return self._words(addresses)

    def recall(self, address: str, words: str) -> None:
        """Take what the record says of a recipient."""
        outcome = _OUTCOMES[words[0]]
        if words[0] == "c":
            self.error = dict(_DIED)
            self._results[address] = (outcome, None)
            return
        reply, error = json.loads(words[1:])
        self._results[address] = (outcome, reply)
        self.error = error or self.error

    def settle(self, receipt: Receipt, addresses: list[str]) -> dict[str, str]:
        """Take a receipt of those who were sent to, and give the words for the record."""
        error = receipt.error
        self.error = None if error is None else _error(error)
        if not receipt.results or isinstance(error, HOPELESS):
            for address in addresses:
                self._results[address] = (Outcome.REFUSED, None)
        elif isinstance(error, SenderRefused):
            # The server said so of all recipients at once.
            for address in addresses:
                self._results[address] = (outcome_of(error.reply), _reply(error.reply))
        else:
            for result in receipt.results:
                self._results[result.address] = (result.outcome, _reply(result.reply))
        return self._words(addresses)

    def _words(self, addresses: Iterable[str]) -> dict[str, str]:
        words = {}
        for address in addresses:
            outcome, reply = self._results[address]
            letter = _LETTERS.get(outcome)
            words[address] = "" if letter is None else letter + json.dumps([reply, self.error])
        return words


def _reply(reply: Reply | None) -> dict[str, Any] | None:
    if reply is None:
        return None
    return {"code": reply.code, "enhanced": reply.enhanced, "text": reply.text}


def _error(error: SMTPSError) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": type(error).__name__,
        "code": error.code,
        "message": str(error),
    }
    if isinstance(error, BadValue):
        told["field"] = error.field
    return told
