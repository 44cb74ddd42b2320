"""Django, set up once, and mail settings that fit its version."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.integrations.django.project.settings")

import django
import pytest
from django.test import override_settings

from smtps.integrations.django import backend
from smtps.testing import Sink

django.setup()

BACKEND = "smtps.integrations.django.EmailBackend"
STOCK = "django.core.mail.backends.smtp.EmailBackend"
_SETTINGS = {
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "use_ssl": "EMAIL_USE_SSL",
    "timeout": "EMAIL_TIMEOUT",
    "ssl_keyfile": "EMAIL_SSL_KEYFILE",
    "ssl_certfile": "EMAIL_SSL_CERTFILE",
}


def mail(*, path: str = BACKEND, **options: Any) -> AbstractContextManager[None]:
    """Have mail go by these options, in MAILERS or in the older settings."""
    if django.VERSION >= (6, 1):
        mailers = {"default": {"BACKEND": path, "OPTIONS": options}}
        return override_settings(MAILERS=mailers)  # type: ignore[no-any-return]
    older = {_SETTINGS[name]: options.pop(name) for name in tuple(options) if name in _SETTINGS}
    return override_settings(  # type: ignore[no-any-return]
        EMAIL_BACKEND=path, EMAIL_OPTIONS=options, **older
    )


def mailer(**arguments: Any) -> Any:
    """Give a new object of the backend that mail goes by."""
    if django.VERSION >= (6, 1) and not arguments:
        from django.core.mail import mailers

        return mailers.default
    from django.core.mail import get_connection

    return get_connection(**arguments)


def silent() -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the options and the arguments that keep failures silent."""
    if django.VERSION >= (6, 1):
        return {"fail_silently": True}, {}
    return {}, {"fail_silently": True}


@pytest.fixture(autouse=True)
def _own_pools() -> Iterator[None]:
    yield
    backend._pools.close()


@pytest.fixture
def relay() -> Iterator[Sink]:
    """A relay, where mail goes to."""
    with Sink() as sink, mail(host=sink.host, port=sink.port):
        yield sink
