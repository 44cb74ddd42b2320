"""Fixtures for TLS: an authority of its own, and names that resolve to this machine."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from smtps.dialogue import securing
from tests.support.chains import Chains


@pytest.fixture(scope="session")
def chains(tmp_path_factory: pytest.TempPathFactory) -> Chains:
    """An authority that the tests sign by."""
    return Chains(tmp_path_factory.mktemp("chains"))


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name under "example" be this machine."""
    ask = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **keywords: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        is_ours = isinstance(name, str) and name.lower().rstrip(".").endswith(".example")
        return ask("127.0.0.1" if is_ours else host, *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.fixture
def warned_anew() -> None:
    """Let the warning of `accept_any_server_cert` be given once more."""
    securing._warn_of_any_certificate.cache_clear()
