"""The guide to Django runs as it stands."""

from __future__ import annotations

import pytest

from smtps.testing import Sink

from ...recipes.blocks import run
from .conftest import mail


def test_the_example_of_the_guide_tells_what_became_of_a_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink() as relay, mail(host=relay.host, port=relay.port):
        run("What became of a message", page="guides/django")
    assert "bob@b.example" in capsys.readouterr().out
    assert [message.recipients for message in relay.messages] == [("bob@b.example",)]
