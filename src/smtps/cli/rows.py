"""The rows of a mailing: a CSV whose first line names the columns."""

from __future__ import annotations

import csv
import difflib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, TextIO

from ..errors import BadValue
from ..mime.mailing import Mailing
from ..mime.message import Message
from .composing import argument_of
from .exits import DATAERR, NOINPUT, Failure
from .finished import read_bytes, standard_input

__all__ = ["Rows"]

_DELIMITERS = ",;\t"


class Rows:
    """A CSV in UTF-8, with commas, semicolons or tabs, whose rows can be gone through again.

    Args:
        name: a path, or "-" for standard input; what is no file, as a pipe, is held in memory.
        first: the first row that counts, from 1.

    Raises:
        Failure: it cannot be read, is no such CSV, or has no rows.
    """

    def __init__(self, name: str, first: int = 1) -> None:
        self.name = name
        self.first = first
        self._held = _held(name)
        self.columns: list[str] = []
        #: How many rows count.
        self.count = max(0, sum(1 for _ in self._all()) - first + 1)
        if not self.count:
            raise Failure(f"{name}: no rows{' left' if first > 1 else ''}", DATAERR)

    def __iter__(self) -> Iterator[dict[str, str]]:
        return islice(self._all(), self.first - 1, None)

    def check(self, message: Message) -> Mailing:
        """Make the mailing, and make sure that the columns are those that it needs.

        Raises:
            Failure: a field of the message is no column, or stands where none is filled; or it has
                no field, so that everyone would get the same.
        """
        try:
            mailing = Mailing(message)
        except BadValue as error:
            raise Failure(f"{argument_of(error.field)}: {error.reason}", DATAERR) from error
        if not mailing.fields:
            first = f"{{{{ {self.columns[0]} }}}}"
            raise Failure(
                f"--mailing {self.name}: nothing of the message comes from it; write {first} in"
                " --to, the subject or the text",
                DATAERR,
            )
        try:
            next(mailing.for_each(self)).envelope  # noqa: B018
        except BadValue as error:
            cause = error.__cause__
            if isinstance(cause, BadValue) and cause.field not in self.columns:
                known = self._nearest(cause.field)
                if cause.reason.startswith("missing"):
                    raise Failure(
                        f"{{{{ {cause.field} }}}}: {self.name} has no such column; {known}", DATAERR
                    ) from error
        return mailing

    def _nearest(self, field: str) -> str:
        close = difflib.get_close_matches(field, self.columns, n=1)
        return f"did you mean {close[0]}?" if close else f"it has {', '.join(self.columns)}"

    def _all(self) -> Iterator[dict[str, str]]:
        with self._opened() as file:
            header = file.readline()
            delimiter = max(_DELIMITERS, key=header.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            self.columns = [column.strip() for column in next(reader, [])]
            if not any(self.columns):
                raise Failure(f"{self.name}: empty; the first line names the columns", DATAERR)
            double = next((one for one in self.columns if self.columns.count(one) > 1), None)
            if double is not None:
                raise Failure(f"{self.name}: two columns are called {double!r}", DATAERR)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) > len(self.columns):
                    raise Failure(
                        f"{self.name}: line {reader.line_num} has {len(cells)} cells, and there"
                        f" are {len(self.columns)} columns; quote what has a {delimiter!r} in it",
                        DATAERR,
                    )
                # A cell that is not there is told from an empty one.
                yield dict(zip(self.columns, cells, strict=False))

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        options: dict[str, Any] = {"encoding": "utf-8-sig", "newline": ""}
        try:
            with (
                io.TextIOWrapper(io.BytesIO(self._held), **options)
                if self._held is not None
                else open(self.name, **options)
            ) as file:
                yield file
        except OSError as error:
            raise Failure(f"{self.name}: cannot be read: {error.strerror}", NOINPUT) from error
        except UnicodeDecodeError as error:
            raise Failure(f"{self.name}: not in UTF-8; convert it", DATAERR) from error
        except csv.Error as error:
            raise Failure(f"{self.name}: no CSV: {error}", DATAERR) from error


def _held(name: str) -> bytes | None:
    """Read whole what can be read once only."""
    if name == "-":
        return standard_input("the rows")
    return None if os.path.isfile(name) else read_bytes(name, "the rows")
