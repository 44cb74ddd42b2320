"""The dashboard asks for what the Prometheus exporter prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, generate_latest

import smtps
from smtps import Envelope
from smtps.errors import SMTPSError
from smtps.integrations import otel
from smtps.testing import Fault, Sink

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
_series = re.compile(r"(mailkit_\w+)\{([^}]*)\}").findall
_label = re.compile(r"(\w+)(?:=|!=|=~)\"").findall


@pytest.fixture(scope="module")
def printed() -> Iterator[dict[str, set[str]]]:
    """Give the series that are printed after mail that went and failed, each with its labels."""
    reader = PrometheusMetricReader()
    provider = MeterProvider([reader])
    otel.instrument(meter_provider=provider)
    item = (Envelope("ann@a.example", ["bob@b.example"]), b"Subject: Hi\r\n\r\nHi\r\n")
    with Sink(faults=[Fault(on="MAIL", nth=2, reset=True)]) as sink:
        smtps.send(item, sink.url)
        with smtps.SMTPS.from_url(sink.url) as smtp:
            smtp.connect()
            with pytest.raises(SMTPSError):
                smtp.send(item)
    with pytest.raises(SMTPSError):
        smtps.send(item, sink.url)
    found: dict[str, set[str]] = {}
    for name, labels in _series(generate_latest(REGISTRY).decode()):
        found.setdefault(name, set()).update(_label(labels))
    otel.uninstrument()
    yield found
    provider.shutdown()


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_series_and_labels_that_are_printed(
    printed: dict[str, set[str]], query: str
) -> None:
    asked = _series(query)
    assert asked
    for name, labels in asked:
        assert name in printed
        assert set(_label(labels)) <= printed[name]


def test_every_instrument_is_on_the_dashboard(printed: dict[str, set[str]]) -> None:
    shown = {
        re.sub(r"_(bucket|count|sum|total)$", "", name) for q in QUERIES for name, _ in _series(q)
    }
    made = {
        re.sub(r"_(bucket|count|sum|total|created)$", "", name)
        for name in printed
        if not name.endswith("_created")
    }
    assert made == shown
