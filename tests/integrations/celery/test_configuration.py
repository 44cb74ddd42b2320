"""What Celery's configuration says about sending."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery

from smtps import BadValue
from smtps.integrations.celery.configuration import Configuration, without_password

URL = "smtp://user:secret@relay.example"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMTPS_URL", raising=False)
    monkeypatch.delenv("SMTPS_REDIS", raising=False)


def configuration(**settings: Any) -> Configuration:
    app = Celery("tests", set_as_current=False)
    app.conf.update({"smtps_url": URL, **settings})
    return Configuration.of(app.conf)


def test_the_relay_and_redis_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPS_URL", "smtp://relay.example")
    monkeypatch.setenv("SMTPS_REDIS", "redis://redis.example")
    found = configuration(smtps_url=None)
    assert (found.url, found.redis) == ("smtp://relay.example", "redis://redis.example")


def test_settings_with_a_prefix_are_found_as_django_writes_them() -> None:
    app = Celery("tests", set_as_current=False)
    settings = SimpleNamespace(CELERY_SMTPS_URL=URL, CELERY_SMTPS_CONNECTIONS=2)
    app.config_from_object(settings, namespace="CELERY")
    assert Configuration.of(app.conf).connections == 2


def test_the_password_may_stand_apart_from_the_url() -> None:
    made = configuration(smtps_url="smtp://user@relay.example", smtps_password="secret").make()
    assert (made.user, made.password) == ("user", "secret")


def test_no_secret_is_in_its_repr() -> None:
    found = configuration(
        smtps_password="hush", smtps_redis="redis://:secret@r", smtps_redis_password="hush"
    )
    assert "secret" not in repr(found)
    assert "hush" not in repr(found)


def test_a_url_is_parted_from_its_password() -> None:
    assert without_password("redis://user:p%40ss@host:1/2?x=y") == (
        "redis://user@host:1/2?x=y",
        "p@ss",
    )
    assert without_password("redis://host") == ("redis://host", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smtps_url", None),
        ("smtps_url", 5),
        ("smtps_url", "http://user:secret@relay.example"),
        ("smtps_password", 5),
        ("smtps_redis", 5),
        ("smtps_connections", 0),
        ("smtps_connections", "4"),
        ("smtps_connections", True),
        ("smtps_in_flight", 0),
        ("smtps_max_retries", -1),
        ("smtps_rate", "fast"),
        ("smtps_rate", 14),
        ("smtps_rate", "14/s"),  # without Redis
        ("smtps_lease", 0),
        ("smtps_record_ttl", "week"),
        ("smtps_retry_first", None.__class__),
        ("smtps_retry_most", 0),
        ("smtps_in_doubt", "assume-sent"),
        ("smtps_folder", "/no/such/folder"),
        ("smtps_conections", 4),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: object) -> None:
    with pytest.raises(BadValue) as caught:
        configuration(**{name: value})
    assert caught.value.field == name
    assert "secret" not in str(caught.value)


def test_a_folder_that_is_there_may_be_read_from(tmp_path: Path) -> None:
    assert configuration(smtps_folder=str(tmp_path)).folder == str(tmp_path)
