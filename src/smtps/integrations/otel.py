"""Spans and metrics for OpenTelemetry: `pip install 'smtps[otel]'`, then `instrument()`.

The instruments have the names, units and attributes of MailKit's, so that one dashboard serves
both. Addresses of people, contents, user names and secrets are in none of them.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from opentelemetry import context, metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

from ..errors import (
    ConnectionFailed,
    ConnectionLost,
    DeliveryUnknown,
    Interrupted,
    ProtocolError,
    ServiceClosing,
    SMTPSError,
    TimedOut,
    TLSError,
)
from ..receipt import Receipt
from ..session import Session
from ..watching import Operation, scheme_of, unwatch, watch

__all__ = ["error_type", "instrument", "uninstrument"]

_NAME = "smtps"
_lock = threading.Lock()
_present: _Telemetry | None = None

# The numbers that the errors of a connection have.
_BY_CODE = {
    10024: "too_many_open_sockets",
    10051: "network_unreachable",
    10053: "connection_aborted",
    10054: "connection_reset",
    10060: "timed_out",
    10061: "connection_refused",
    10065: "host_unreachable",
    11001: "host_not_found",
    11002: "host_not_found",
}


def instrument(
    *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> None:
    """Let all connections of this process make spans and metrics; without effect the second time.

    Args:
        tracer_provider: where spans go; by default the global one.
        meter_provider: the same for metrics.
    """
    global _present
    with _lock:
        if _present is None:
            _present = _Telemetry(tracer_provider, meter_provider)
            watch(_present)


def uninstrument() -> None:
    """Make none any more; what is under way ends without."""
    global _present
    with _lock:
        if _present is not None:
            unwatch(_present)
            _present = None


def error_type(error: BaseException) -> str:
    """Name what failed: the words of MailKit, or the code of the server's reply."""
    if isinstance(error, DeliveryUnknown):
        return "response_ended"
    if isinstance(error, TimedOut):
        return "timed_out"
    if isinstance(error, TLSError):
        return "secure_connection_error"
    if isinstance(error, ServiceClosing):
        return "server_disconnected"
    if isinstance(error, (ConnectionFailed, ConnectionLost)) and error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, ConnectionLost):
        return "response_ended"
    if isinstance(error, ProtocolError):
        return "invalid_response"
    if isinstance(error, SMTPSError) and error.reply is not None:
        return str(error.reply.code)
    if isinstance(error, Interrupted) or not isinstance(error, Exception):
        return "cancelled"
    return type(error).__name__


class _Telemetry:
    """The watcher that makes spans and metrics."""

    def __init__(
        self, tracer_provider: TracerProvider | None, meter_provider: MeterProvider | None
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_NAME, meter_provider=meter_provider)
        self._socket_count = meter.create_counter(
            "mailkit.net.socket.connect.count",
            "{attempt}",
            "The number of times a connection to a relay was attempted.",
        )
        self._socket_duration = meter.create_histogram(
            "mailkit.net.socket.connect.duration",
            "ms",
            "How long it took to look up a relay and connect to it.",
        )
        self._connection_duration = meter.create_histogram(
            "mailkit.net.smtp.client.connection.duration",
            "s",
            "How long connections that came up have lasted.",
        )
        self._count = meter.create_counter(
            "mailkit.net.smtp.client.operation.count",
            "{operation}",
            "The number of operations; of messages, for the operation send.",
        )
        self._duration = meter.create_histogram(
            "mailkit.net.smtp.client.operation.duration",
            "ms",
            "How long operations took.",
        )

    def began(self, operation: Operation) -> None:
        """Begin a span, under that of the operation that this one is a part of."""
        parent = operation.parent.kept.get(self) if operation.parent is not None else None
        within = context.get_current() if parent is None else trace.set_span_in_context(parent)
        operation.kept[self] = self._tracer.start_span(
            f"smtp {operation.name}",
            within,
            SpanKind.CLIENT,
            {**_place(operation.session), "network.operation": operation.name},
        )

    def ended(self, operation: Operation) -> None:
        """End the span, and count."""
        attributes = _place(operation.session)
        failed = {} if operation.error is None else {"error.type": error_type(operation.error)}
        span = operation.kept.get(self)
        if span is not None:
            if operation.peer:
                span.set_attribute("network.peer.address", operation.peer)
            if operation.receipts:
                span.set_attribute("smtps.messages", operation.receipts)
            if failed:
                span.set_attributes(failed)
                span.set_status(Status(StatusCode.ERROR, failed["error.type"]))
            span.end()
        milliseconds = operation.seconds * 1000
        if operation.name == "socket":
            attributes.pop("url.scheme")
            attributes |= {"network.peer.address": operation.peer, **failed}
            self._socket_count.add(1, attributes)
            self._socket_duration.record(milliseconds, attributes)
            return
        attributes["network.operation"] = operation.name
        self._duration.record(milliseconds, attributes | failed)
        if operation.name not in ("send", "send_many"):
            self._count.add(1, attributes | failed)
        elif failed and not operation.receipts:
            # Messages are counted by their receipts; here there was none.
            self._count.add(1, attributes | failed | {"network.operation": "send"})

    def gave(self, operation: Operation, receipts: list[Receipt]) -> None:
        """Count messages, those with the same outcome at once."""
        counts = Counter("" if one.ok else _receipt_type(one) for one in receipts)
        attributes: dict[str, Any] = _place(operation.session) | {"network.operation": "send"}
        for why, count in counts.items():
            self._count.add(count, attributes | ({"error.type": why} if why else {}))

    def closed(self, session: Session, seconds: float) -> None:
        """Record how long a connection lasted."""
        operation = session.operation.name if session.operation is not None else "disconnect"
        attributes: dict[str, Any] = _place(session) | {"network.operation": operation}
        if session.ended_by is not None:
            attributes["error.type"] = error_type(session.ended_by)
        self._connection_duration.record(seconds, attributes)


def _place(session: Session) -> dict[str, Any]:
    options = session.options
    return {
        "server.address": options.mail_server,
        "server.port": options.mail_port,
        "url.scheme": scheme_of(session),
    }


def _receipt_type(receipt: Receipt) -> str:
    if receipt.error is not None:
        return error_type(receipt.error)
    replies = [one.reply for one in receipt.results if one.reply and not one.reply.positive]
    return str(replies[0].code) if replies else "unknown"
