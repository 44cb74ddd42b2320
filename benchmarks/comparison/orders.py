"""What clients are to compose: one letter for many readers, perhaps with a file or a signature.

A name in its texts, a subject and a recipient of its own make each message one that cannot be
composed beforehand.
"""

from __future__ import annotations

import json
import random
from base64 import b64encode
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from .job import Job

__all__ = [
    "AUTHOR",
    "DOMAIN",
    "FILE_OCTETS",
    "LETTER_OCTETS",
    "Order",
    "SELECTOR",
    "encoded_word",
    "make",
    "reader",
    "subject",
]

AUTHOR = ("Die Neuigkeiten", "sender@sender.example")
DOMAIN, SELECTOR = "sender.example", "mail"

FILE_OCTETS = 25 << 20

_PARAGRAPH = (
    "Die Tage werden kürzer, und wer draußen arbeitet, braucht früh schon Licht.\n"
    "Was heute neu ist, steht wie immer hier: kurz, der Reihe nach, ohne Umschweife.\n"
    "Über alles andere gibt der beigefügte Überblick Auskunft, soweit es sie gibt.\n\n"
)
_TEXT = "Guten Tag, {{ name }}!\n\n" + _PARAGRAPH * 28
_HTML = "<p>Guten Tag, {{ name }}!</p>\n" + "".join(
    f'<p style="margin: 0 0 1em; line-height: 1.4">{line}</p>\n' if line else "<hr>\n"
    for line in (_PARAGRAPH * 34).split("\n")
)
LETTER_OCTETS = len((_TEXT + _HTML).encode())


@dataclass(frozen=True)
class Order:
    """A letter, as JSON for programs in any language.

    Args:
        html: "" for none.
        file: the path of a file to attach, or "".
        algorithm: what DKIM signs with, "rsa" or "ed25519", and `key` the path of its key in PEM;
            or both "".
    """

    text: str
    html: str
    file: str
    algorithm: str
    key: str

    @staticmethod
    def load(job: Job) -> Order:
        """Read it in a client's program."""
        return Order(**json.loads(job.read_content()))

    def filled(self, name: str) -> tuple[str, str]:
        """Give text and HTML for a reader."""
        return name.join(self._text), name.join(self._html)

    @cached_property
    def _text(self) -> list[str]:
        return self.text.split("{{ name }}")

    @cached_property
    def _html(self) -> list[str]:
        return self.html.split("{{ name }}")


def subject(number: int) -> str:
    """Give the subject of the message of this number."""
    return f"Grüße, und was es Neues gibt: Ausgabe {number}"


def reader(number: int) -> tuple[str, str]:
    """Give the name and the address that it goes to."""
    return f"Jörg Müller {number}", f"reader{number}@reader.example"


def make(path: Path, *, file: bool = False, algorithm: str = "") -> Path:
    """Write an order, with the file or the key that it names beside it."""
    attached = path.with_suffix(".bin")
    key = path.with_suffix(".pem")
    if file and not attached.exists():
        attached.write_bytes(random.Random(6).randbytes(FILE_OCTETS))
    if algorithm and not key.exists():
        key.write_bytes(_new_key(algorithm))
    order = Order(
        text="Der Bericht liegt bei.\n" if file else _TEXT,
        html="" if file else _HTML,
        file=str(attached) if file else "",
        algorithm=algorithm,
        key=str(key) if algorithm else "",
    )
    path.write_text(json.dumps(asdict(order)))
    return path


def encoded_word(text: str) -> str:
    """Write a short text as a header may hold it, for clients that leave this to their callers."""
    return f"=?utf-8?B?{b64encode(text.encode()).decode('ascii')}?="


def _new_key(algorithm: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = (
        rsa.generate_private_key(65537, 2048)
        if algorithm == "rsa"
        else ed25519.Ed25519PrivateKey.generate()
    )
    # In the older form that every client reads, where there is one.
    form = PrivateFormat.TraditionalOpenSSL if algorithm == "rsa" else PrivateFormat.PKCS8
    return key.private_bytes(Encoding.PEM, form, NoEncryption())
