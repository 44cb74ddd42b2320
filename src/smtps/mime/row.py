"""The messages of a mailing: each is the row alone until somebody looks at it."""

from __future__ import annotations

from typing import Any, Protocol

from ..envelope import Envelope
from ..errors import BadValue, SMTPSError
from .form import Filled
from .message import Message

__all__ = ["Row", "Source", "Unfilled"]


class Source(Protocol):
    """What makes messages of values."""

    def fill(self, values: tuple[str, ...]) -> Message:
        """Make one, of which anything can be asked."""

    def fill_form(self, values: tuple[str, ...], eight_bit: bool) -> Filled | None:
        """Make one that can only go as it is; None if that does not do for these values."""


class Row(Message):
    """A message that becomes one when it is used as one.

    Rows wait by the thousand, and nearly all are only sent: what goes is then made at once. All
    else makes a `Message` of it first.
    """

    __slots__ = ()

    @staticmethod
    def of(mailing: Source, number: int, values: tuple[str, ...]) -> Row:
        """Make one of the values of a row, which has this number."""
        row = _new(Row)
        _set_source(row, (mailing, number, values, None))
        return row

    def filled(self, eight_bit: bool) -> Filled | None:
        """Give it as it goes; None if it has to become a message for that.

        Args:
            eight_bit: whether the server takes bytes above 127.
        """
        mailing, number, values, filled = self._source
        if filled is None:
            filled = mailing.fill_form(values, eight_bit)
            _set_source(self, (mailing, number, values, filled))
        # The same message goes to another server, which takes less.
        return None if filled is not None and filled.eight_bit > eight_bit else filled

    @property
    def envelope(self) -> Envelope:
        """The envelope of the message, if the row makes one."""
        self._become()
        # Of the class that it has now.
        return self.envelope

    def copy(self) -> Message:  # type: ignore[override]
        """Give a message like this one, that changes apart from it."""
        self._become()
        return self.copy()

    # What was never set is looked for here.
    def __getattr__(self, name: str) -> Any:
        self._become()
        return getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._become()
        setattr(self, name, value)

    def __reduce_ex__(self, protocol: Any) -> Any:
        self._become()
        return self.__reduce_ex__(protocol)

    def _become(self) -> None:
        """Become the message, or one that says why there is none."""
        mailing, number, values, filled = self._source
        made: Message
        try:
            made = mailing.fill(values)
        except SMTPSError as error:
            made = Unfilled(number, error)
        object.__setattr__(self, "__class__", type(made))
        for name in _SLOTS:
            setattr(self, name, getattr(made, name))
        if filled is not None:
            # It has gone out with these.
            self._boundary, self._date = filled.boundary, filled.date
            self._message_id = filled.message_id


class Unfilled(Message):
    """The message of a row that could not be filled; to send it says why."""

    __slots__ = ()

    def __init__(self, number: int, error: SMTPSError) -> None:
        super().__init__()
        self._source = BadValue(f"row {number}", str(error))
        self._source.__cause__ = error

    def _check_filled(self) -> None:
        """Say what is wrong with the row."""
        raise self._source


_SLOTS = [name for kind in Message.__mro__ for name in getattr(kind, "__slots__", ())]
_new = object.__new__
_set_source = Message.__dict__["_source"].__set__
