"""The classic message with what it needs, and what arrives of it."""

from __future__ import annotations

from typing import Any

from smtps.testing import Sink
from tests.support.fronts import Front

__all__ = ["fill", "sent"]


def fill(smtp: Any, **properties: Any) -> Any:
    smtp.from_, smtp.send_to = "Ann <a@b.example>", "x@y.example"
    for name, value in properties.items():
        setattr(smtp, name, value)
    return smtp


def sent(front: Front, **properties: Any) -> bytes:
    with Sink() as sink:
        front.send(fill(front.at(sink.url), **properties))
    return sink.messages[0].content
