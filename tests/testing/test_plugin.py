"""The pytest plugin gives a recording sink."""

from __future__ import annotations

from smtps.testing import Sink
from tests.support.raw import greet, submit


def test_the_fixture_is_a_recording_sink_in_clear_text(smtps_sink: Sink) -> None:
    assert smtps_sink.url.endswith("?tls=none")
    with greet(smtps_sink) as client:
        submit(client, b"x\r\n")
    assert smtps_sink.messages[0].content == b"x\r\n"
