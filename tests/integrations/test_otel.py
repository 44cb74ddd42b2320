"""Spans and metrics of OpenTelemetry, from connections to the sink."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import smtps
from smtps import SMTPS, AsyncSMTPS, Envelope, Pool
from smtps.errors import SMTPSError
from smtps.integrations import otel
from smtps.testing import Fault, Sink
from tests.support.concealed import shown

ITEM = (Envelope("ann@a.example", ["bob@b.example"]), b"Subject: Hi\r\n\r\nHi\r\n")
PREFIX = "mailkit.net.smtp.client."


class Telemetry:
    """What was exported."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self.tracing = TracerProvider()
        self.tracing.add_span_processor(SimpleSpanProcessor(self._spans))
        self._reader = InMemoryMetricReader()
        self.metering = MeterProvider([self._reader])

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._spans.get_finished_spans()

    def points(self, name: str) -> list[Any]:
        data = self._reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def counts(self, operation: str) -> dict[str, int]:
        """Give how often an operation ended how."""
        return {
            str(point.attributes.get("error.type", "")): point.value
            for point in self.points(f"{PREFIX}operation.count")
            if point.attributes["network.operation"] == operation
        }

    @property
    def everything(self) -> str:
        spans = [span.to_json() for span in self.spans]
        return str(self._reader.get_metrics_data()) + "".join(spans)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Have all connections watched."""
    found = Telemetry()
    otel.instrument(tracer_provider=found.tracing, meter_provider=found.metering)
    yield found
    otel.uninstrument()
    found.metering.shutdown()


def tree(telemetry: Telemetry) -> set[tuple[str, str | None]]:
    """Give the name of each span, and of the one that it is a part of."""
    names = {span.context.span_id: span.name for span in telemetry.spans if span.context}
    return {
        (span.name, names[span.parent.span_id] if span.parent else None) for span in telemetry.spans
    }


def test_a_message_is_a_span_with_all_that_it_took_inside(telemetry: Telemetry) -> None:
    with Sink(tls="starttls", users={"joe": "secret"}) as sink:
        smtps.send(ITEM, sink.url)
    assert tree(telemetry) == {
        ("smtp send", None),
        ("smtp connect", "smtp send"),
        ("smtp socket", "smtp connect"),
        ("smtp secure", "smtp connect"),
        ("smtp authenticate", "smtp connect"),
    }


def test_a_span_is_part_of_what_the_program_does(telemetry: Telemetry) -> None:
    with Sink() as sink, telemetry.tracing.get_tracer("app").start_as_current_span("checkout"):
        smtps.send(ITEM, sink.url)
    assert ("smtp send", "checkout") in tree(telemetry)
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_attributes_say_where_to_and_how(telemetry: Telemetry) -> None:
    with Sink(tls="implicit") as sink:
        smtps.send(ITEM, sink.url)
        attributes = {
            "server.address": sink.host,
            "server.port": sink.port,
            "url.scheme": "smtps",
            "network.operation": "send",
        }
    (span,) = [span for span in telemetry.spans if span.name == "smtp send"]
    assert dict(span.attributes or {}) == attributes | {"smtps.messages": 1}
    (point,) = [
        point
        for point in telemetry.points(f"{PREFIX}operation.duration")
        if point.attributes["network.operation"] == "send"
    ]
    assert dict(point.attributes) == attributes
    assert point.count == 1


def test_the_socket_has_instruments_of_its_own(telemetry: Telemetry) -> None:
    with Sink() as sink:
        smtps.send(ITEM, sink.url)
        expected = {
            "server.address": sink.host,
            "server.port": sink.port,
            "network.peer.address": sink.host,
        }
    (count,) = telemetry.points("mailkit.net.socket.connect.count")
    (duration,) = telemetry.points("mailkit.net.socket.connect.duration")
    assert (count.value, dict(count.attributes)) == (1, expected)
    assert (duration.count, dict(duration.attributes)) == (1, expected)


def test_a_connection_that_ends_tells_how_long_it_was_up(telemetry: Telemetry) -> None:
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        smtp.connect()
        assert not telemetry.points(f"{PREFIX}connection.duration")
    (point,) = telemetry.points(f"{PREFIX}connection.duration")
    assert point.count == 1
    assert "error.type" not in point.attributes


def test_a_connection_that_breaks_says_why(telemetry: Telemetry) -> None:
    with Sink(faults=[Fault(on="MAIL", reset=True)]) as sink, SMTPS.from_url(sink.url) as smtp:
        smtp.connect()
        with pytest.raises(SMTPSError):
            smtp.send(ITEM)
    (point,) = telemetry.points(f"{PREFIX}connection.duration")
    assert point.attributes["error.type"] in ("connection_reset", "response_ended")


def test_messages_of_send_many_are_counted_by_their_outcome(telemetry: Telemetry) -> None:
    faults = [Fault(on="RCPT", when="no@", reply="550 5.1.1 no such user")]
    items = [(Envelope("ann@a.example", [who]), ITEM[1]) for who in ["a@b.example"] * 9]
    items.append((Envelope("ann@a.example", ["no@b.example"]), ITEM[1]))
    with Sink(faults=faults) as sink, Pool(sink.url, connections=2) as pool:
        assert sum(receipt.ok for receipt in pool.send_many(items)) == 9
    assert telemetry.counts("send") == {"": 9, "550": 1}
    assert telemetry.counts("connect") == {"": 2}


def test_the_same_is_so_on_asyncio(telemetry: Telemetry) -> None:
    async def run(url: str) -> None:
        async with AsyncSMTPS.from_url(url) as smtp:
            await smtp.send(ITEM)
            assert [receipt.ok async for receipt in smtp.send_many([ITEM, ITEM])] == [True, True]

    with Sink() as sink:
        asyncio.run(run(sink.url))
    assert telemetry.counts("send") == {"": 3}
    assert ("smtp connect", "smtp send") in tree(telemetry)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(on="greeting", reply="554 5.3.2 no"), "554"),
        (Fault(on="MAIL", reply="550 5.7.1 no"), "550"),
        (Fault(on=".", reply="451 4.3.0 later"), "451"),
        (Fault(on="MAIL", drop=True), "response_ended"),
        (Fault(on="EHLO", reply="nonsense"), "invalid_response"),
    ],
)
def test_a_message_that_fails_is_counted_by_what_failed(
    telemetry: Telemetry, fault: Fault, expected: str
) -> None:
    with Sink(faults=[fault]) as sink, pytest.raises(SMTPSError):
        smtps.send(ITEM, sink.url)
    assert telemetry.counts("send") == {expected: 1}
    (span,) = [span for span in telemetry.spans if span.name == "smtp send"]
    assert not span.status.is_ok
    assert span.status.description == expected


def test_a_relay_that_is_not_there_is_refused(telemetry: Telemetry) -> None:
    with Sink() as sink:
        url = sink.url
    with pytest.raises(SMTPSError):
        smtps.send(ITEM, url)
    (point,) = telemetry.points("mailkit.net.socket.connect.count")
    assert point.attributes["error.type"] == "connection_refused"


def test_nothing_is_made_after_it_was_taken_off(telemetry: Telemetry) -> None:
    otel.uninstrument()
    with Sink() as sink:
        smtps.send(ITEM, sink.url)
    assert not telemetry.spans


def test_twice_is_once(telemetry: Telemetry) -> None:
    otel.instrument(tracer_provider=telemetry.tracing)
    with Sink() as sink:
        smtps.send(ITEM, sink.url)
    assert telemetry.counts("send") == {"": 1}


def test_neither_people_nor_contents_are_exported(telemetry: Telemetry) -> None:
    with Sink(tls="starttls", users={"joe": "hunter2-hunter2"}) as sink:
        smtps.send(ITEM, sink.url)
    said = telemetry.everything
    for private in ("joe", "bob@", "ann@", "Subject"):
        assert private not in said
    assert shown(said, "hunter2-hunter2") == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_a_login_that_fails_exports_no_secret(telemetry: Telemetry, mechanism: str) -> None:
    with Sink(tls="starttls", users={"joe": "other"}, mechanisms=[mechanism]) as sink:
        url = sink.url.replace(":other@", ":hunter2-hunter2@")
        with pytest.raises(SMTPSError):
            smtps.send(ITEM, url)
    assert telemetry.counts("authenticate") == {"535": 1}
    assert shown(telemetry.everything, "hunter2-hunter2") == []
