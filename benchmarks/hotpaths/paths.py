"""The paths, with what the standard library and other packages do for the same result."""

from __future__ import annotations

import base64
import binascii
import io
import smtplib
from collections.abc import Callable
from dataclasses import dataclass, field
from email import quoprimime
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from . import inputs

__all__ = ["IMPLEMENTATIONS", "Path", "paths"]

Function = Callable[[], object]
# What smtplib itself calls; types are known of what is public only.
_fix_line_ends: Callable[[str], str] = vars(smtplib)["_fix_eols"]
_quote_periods: Callable[[bytes], bytes] = vars(smtplib)["_quote_periods"]

_MODULES = ("base64", "dots", "quoted_printable", "replies", "survey")


@dataclass
class Path:
    """One way from bytes to bytes.

    Attributes:
        make: gives the function to be timed, for an implementation.
        goals: at least so much of memcpy, or so many times the standard library, by CPU level.
    """

    title: str
    data: bytes
    make: Callable[[Any], Function]
    stdlib: Function
    others: dict[str, Function] = field(default_factory=dict)
    goals: dict[str, tuple[str, float]] = field(default_factory=dict)


def _goals(of: str, avx512: float, avx2: float | None = None) -> dict[str, tuple[str, float]]:
    found = {"avx512vbmi": (of, avx512)}
    return found if avx2 is None else found | {"avx2": (of, avx2)}


def paths() -> list[Path]:
    """Give all paths; the newest packages beside them where they are installed."""
    return [*_encodings(), *_bodies(), *_surveys(), *_replies()]


def _encodings() -> list[Path]:
    data, text = inputs.some_bytes(), inputs.plain_text(b"\n", others=0.1)
    line = data[:57]
    return [
        Path(
            "base64",
            data,
            lambda codec: _into(codec.encode_base64_into, data, 2 * len(data)),
            lambda: base64.encodebytes(data),
            _pybase64(data),
            _goals("memcpy", 0.65, 0.33),
        ),
        Path(
            "base64, 57 bytes",
            line,
            lambda codec: lambda: codec.encode_base64(line),
            lambda: base64.encodebytes(line),
            _pybase64(line),
        ),
        Path(
            "quoted-printable, 10% not ASCII",
            text,
            lambda codec: lambda: codec.encode_quoted_printable(text),
            lambda: binascii.b2a_qp(text),
            # What the email package writes a body with.
            {"email.quoprimime": lambda: quoprimime.body_encode(text.decode("latin-1"))},
            _goals("stdlib", 25, 10),
        ),
    ]


def _bodies() -> list[Path]:
    texts = {
        "dot-stuff, CRLF text": (inputs.plain_text(b"\r\n"), _goals("memcpy", 0.70, 0.60)),
        "dot-stuff, LF text": (inputs.plain_text(b"\n"), _goals("memcpy", 0.32, 0.30)),
        "dot-stuff, all lines dotted": (inputs.dotted_text(), _goals("memcpy", 0.30, 0.28)),
        "dot-stuff, newlines only": (b"\n" * inputs.SIZE, _goals("memcpy", 0.10)),
        r"dot-stuff, \r.\r.\r.": (b"\r." * (inputs.SIZE // 2), {}),
    }
    found = [_body(title, data, goals) for title, (data, goals) in texts.items()]
    data = inputs.plain_text(b"\n")
    text = data.decode()
    found.append(
        Path(
            "newlines only to CRLF, LF text",
            data,
            lambda codec: _into(codec.normalize_newlines_into, data, 2 * len(data)),
            lambda: _fix_line_ends(text),
        )
    )
    return found


def _body(title: str, data: bytes, goals: dict[str, tuple[str, float]]) -> Path:
    text = data.decode()
    return Path(
        title,
        data,
        lambda codec: _into(codec.dot_stuff_into, data, 2 * len(data) + 5),
        # What SMTP.data() does with a text.
        lambda: _quote_periods(_fix_line_ends(text).encode("ascii")) + b".\r\n",
        _aiosmtplib(data),
        goals,
    )


def _surveys() -> list[Path]:
    data = inputs.plain_text(b"\r\n")
    high = bytes(range(128, 256))
    return [
        Path(
            "survey",
            data,
            lambda codec: lambda: codec.survey(data),
            lambda: (
                max(map(len, data.splitlines())),
                len(data) - len(data.translate(None, high)),
                *(data.count(one) for one in (b"\0", b"\r", b"\n", b"\r\n", b"\n.", b"\r.")),
            ),
            goals=_goals("memcpy", 0.55, 0.55),
        )
    ]


def _replies() -> list[Path]:
    texts = {
        "replies that all differ": inputs.unique_replies(),
        "replies of a relay": inputs.relay_replies(),
        "one reply again and again": inputs.same_replies(),
    }
    return [_reading(title, data) for title, data in texts.items()]


def _reading(title: str, data: bytes) -> Path:
    return Path(
        title,
        data,
        lambda codec: lambda: codec.ReplyParser().feed(data),
        lambda: _getreply(data),
        {"split by hand": lambda: _split(data)},
        _goals("stdlib", 25, 25),
    )


def _into(function: Callable[[bytes, bytearray], int], data: bytes, room: int) -> Function:
    """Give a call that writes to the same buffer each time."""
    buffer = bytearray(room)
    return lambda: function(data, buffer)


def _getreply(data: bytes) -> list[tuple[int, bytes]]:
    client = smtplib.SMTP()
    client.file = io.BufferedReader(io.BytesIO(data))
    return [client.getreply() for _ in range(data.count(b"\n"))]


def _split(data: bytes) -> list[tuple[int, bytes]]:
    """Take replies of one line apart in the least that Python can do."""
    return [(int(line[:3]), line[4:]) for line in data.split(b"\r\n")[:-1]]


def _pybase64(data: bytes) -> dict[str, Function]:
    try:
        import pybase64
    except ImportError:
        return {}
    return {"pybase64": lambda: pybase64.encodebytes(data)}


def _aiosmtplib(data: bytes) -> dict[str, Function]:
    try:
        from aiosmtplib import protocol
    except ImportError:
        return {}
    # What SMTPProtocol.execute_data_command does.
    return {
        "aiosmtplib": lambda: (
            protocol.PERIOD_REGEX.sub(b"..", protocol.normalize_message_line_endings(data))
            + b".\r\n"
        )
    }


def _load(package: str) -> SimpleNamespace:
    found = SimpleNamespace()
    for name in _MODULES:
        module = import_module(f"smtps.{package}.{name}")
        vars(found).update({public: getattr(module, public) for public in module.__all__})
    return found


def _implementations() -> dict[str, tuple[SimpleNamespace, Callable[[], object]]]:
    found: dict[str, tuple[SimpleNamespace, Callable[[], object]]] = {
        "pure": (_load("_pure"), lambda: None)
    }
    try:
        kernels = import_module("smtps._fast.kernels")
    except ImportError:
        return found
    for level in kernels.supported_levels():
        found[level] = (_load("_fast"), partial(kernels.use_cpu_level, level))
    return found


#: The functions of each implementation, and what must be called before they run.
IMPLEMENTATIONS = _implementations()
