"""What the messages of a scenario are: finished ones, or ones that each client has to compose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import orders
from .job import make_content

__all__ = ["FINISHED", "WORKS", "Work"]


@dataclass(frozen=True)
class Work:
    """A kind of message.

    Args:
        prepare: puts into a folder what the clients need, for finished messages of so many octets.
        octets: how many octets of a message are its text and files, which the server must have
            taken at least; 0 where the message is given as it is.
        unit: what the rate of a table counts, and `scale` how much of it a message is.
        first: how many messages are tried first, before it is known how long they take.
        varies: whether the way to the server is another scenario each; not where it counts for
            little, or nothing is sent.
    """

    name: str
    title: str
    prepare: Callable[[Path, int], Path]
    octets: int = 0
    unit: str = "messages/s"
    scale: float = 1.0
    first: int = 100
    varies: bool = True

    @property
    def composes(self) -> bool:
        """Whether clients make the messages themselves."""
        return self.octets > 0


def _finished(folder: Path, size: int) -> Path:
    path = folder / f"message-{size}"
    path.write_bytes(make_content(size))
    return path


def _letters(folder: Path, size: int) -> Path:  # noqa: ARG001
    return orders.make(folder / "letters.json")


def _attachment(folder: Path, size: int) -> Path:  # noqa: ARG001
    return orders.make(folder / "attachment.json", file=True)


def _signed(algorithm: str) -> Callable[[Path, int], Path]:
    return lambda folder, _: orders.make(folder / f"{algorithm}.json", algorithm=algorithm)


FINISHED = "finished"

_LETTER = orders.LETTER_OCTETS

WORKS = {
    one.name: one
    for one in (
        Work(FINISHED, "", _finished),
        Work("letters", "text and HTML of 20 KB, composed one by one", _letters, _LETTER),
        Work(
            "composing", "text and HTML of 20 KB, composed and not sent", _letters, _LETTER,
            varies=False,
        ),
        Work("mailing", "a mailing of 20 KB to each reader", _letters, _LETTER),
        Work(
            "attachment", "a file of 25 MiB", _attachment, orders.FILE_OCTETS,
            unit="MB/s of the file", scale=orders.FILE_OCTETS / 1e6, first=1,
        ),
        Work(
            "rsa", "text and HTML of 20 KB, signed with RSA-2048", _signed("rsa"), _LETTER,
            varies=False,
        ),
        Work(
            "ed25519", "text and HTML of 20 KB, signed with Ed25519", _signed("ed25519"), _LETTER,
            varies=False,
        ),
    )
}  # fmt: skip
