"""A component that queues messages and works through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smtps import (
    QueueError,
)
from smtps.testing import Sink
from tests.support.fronts import Front

__all__ = ["failing", "fill", "process", "queue"]


def fill(smtp: Any, **properties: Any) -> Any:
    smtp.from_, smtp.send_to, smtp.message_text = "a@b.example", "x@y.example", "Hello\n.\nBob\n"
    for name, value in properties.items():
        setattr(smtp, name, value)
    return smtp


def queue(front: Front, path: Path, **properties: Any) -> str:
    name: str = front.run(fill(front.make(), **properties).queue(path))
    return name


def process(front: Front, path: Path, sink: Sink, **settings: Any) -> Any:
    smtp = front.at(sink.url)
    for name, value in settings.items():
        setattr(smtp.settings, name, value)
    front.run(smtp.process_queue(str(path)))
    return smtp


def failing(front: Front, path: Path, sink: Sink, **settings: Any) -> QueueError:
    with pytest.raises(QueueError) as caught:
        process(front, path, sink, **settings)
    return caught.value
