"""The settings; RELAY_PORT in the environment says where the relay is."""

from __future__ import annotations

import os
from typing import Any

import django

SECRET_KEY = "of a project for tests"
ALLOWED_HOSTS = ["testserver"]
ROOT_URLCONF = "tests.integrations.django.project.urls"
INSTALLED_APPS: list[str] = []
DATABASES: dict[str, Any] = {}
USE_TZ = True
DEFAULT_FROM_EMAIL = SERVER_EMAIL = "shop@a.example"
ADMINS: list[Any] = ["admin@b.example"] if django.VERSION >= (6,) else [("", "admin@b.example")]

BACKEND = "smtps.integrations.django.EmailBackend"
_PORT = int(os.environ.get("RELAY_PORT", "25"))
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {"BACKEND": BACKEND, "OPTIONS": {"host": "127.0.0.1", "port": _PORT}},
    }
else:
    EMAIL_BACKEND = BACKEND
    EMAIL_HOST = "127.0.0.1"
    EMAIL_PORT = _PORT
