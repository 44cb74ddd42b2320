"""Servers that let somebody in, and connections to them."""

from __future__ import annotations

from typing import Any

from smtps.testing import Sink
from tests.support.concealed import SECRET

__all__ = ["connection", "sink_with"]


def sink_with(*mechanisms: str, password: str = SECRET, **options: Any) -> Sink:
    return Sink(tls="starttls", mechanisms=mechanisms, users={"joe": password}, **options)


def connection(sink: Sink) -> dict[str, Any]:
    return {
        "mail_server": sink.host,
        "mail_port": sink.port,
        "ssl_start_mode": 2,
        "openssl_ca_file": sink.ca_file,
        "user": "joe",
    }
