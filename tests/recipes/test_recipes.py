"""The recipes run as they stand, and deliver."""

from __future__ import annotations

import importlib
import logging
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

import smtps
from smtps import Envelope, Outbox
from smtps.integrations import otel
from smtps.testing import Fault, Sink

from .asgi import post_all
from .blocks import run, source

BOB = "mail=bob@b.example"


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """The relay that SMTPS_URL names."""
    with Sink(tls="starttls") as sink:
        monkeypatch.setenv("SMTPS_URL", sink.url)
        yield sink


def test_fastapi_answers_and_then_delivers(relay: Sink) -> None:
    answers = post_all(run("FastAPI")["app"], "/orders", [BOB] * 3)
    assert answers == [(200, {"status": "taken"})] * 3
    assert relay.count == 3
    assert len(relay.connections) == 1
    assert relay.connections[0].commands[-1] == "QUIT"


def test_fastapi_answers_though_the_mail_is_refused(
    relay: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    relay.add_fault(Fault(on="RCPT", reply="550 5.1.1 no such user"))
    assert post_all(run("FastAPI")["app"], "/orders", [BOB]) == [(200, {"status": "taken"})]
    assert [one.name for one in caplog.records if one.levelname == "ERROR"] == ["shop.mail"]


def test_fastapi_queues_what_must_not_be_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("MAIL_FOLDER", str(tmp_path))
    answers = post_all(run("FastAPI", 1)["app"], "/orders", [BOB])
    (queued,) = Outbox(tmp_path).list()
    assert answers == [(200, {"queued": queued.id})]


def test_flask_mail_sends_by_the_drop_in(relay: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    import flask_mail

    monkeypatch.setattr(flask_mail, "smtplib", smtplib)
    names = run("Flask-Mail")
    app, mail = names["app"], names["mail"]
    app.config |= {"MAIL_SERVER": relay.host, "MAIL_PORT": relay.port, "TESTING": False}
    app.config["MAIL_DEFAULT_SENDER"] = "shop@a.example"
    mail.init_app(app)
    with app.app_context(), mail.connect() as connection:
        assert type(connection.host).__module__.startswith("smtps.compat")
        for number in range(2):
            connection.send_message("Grüße", [f"bob{number}@b.example"], "Hello")
    assert [message.recipients for message in relay.messages] == [
        ("bob0@b.example",),
        ("bob1@b.example",),
    ]


def test_log_records_go_by_mail(relay: Sink) -> None:
    root = logging.getLogger()
    handler = run("Log records")["handler"]
    try:
        logging.getLogger("shop").error("the disk is full")
        logging.getLogger("shop").info("of no interest")
    finally:
        root.removeHandler(handler)
        handler.close()
    assert b"the disk is full" in relay.messages[0].content
    assert b"of no interest" not in relay.messages[0].content


def test_the_examples_of_telemetry_run(relay: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    import prometheus_client

    monkeypatch.setattr(prometheus_client, "start_http_server", lambda port: None)
    try:
        assert run("OpenTelemetry", page="observability")["otel"] is otel
        otel.uninstrument()
        run("A dashboard", page="observability")
        smtps.send((Envelope("a@a.example", ["b@b.example"]), b"Subject: Hi\r\n"), relay.url)
        printed = prometheus_client.generate_latest().decode()
        assert "mailkit_net_smtp_client_operation_count_total{" in printed
    finally:
        otel.uninstrument()


def test_the_example_of_logging_runs() -> None:
    before = logging.getLogger("smtps").level
    try:
        run("Log records", page="observability")
        assert logging.getLogger("smtps").level == logging.INFO
    finally:
        logging.getLogger("smtps").setLevel(before)


@pytest.mark.parametrize(
    ("heading", "page"), [("The switch", "guides/django"), ("Log records", "recipes")]
)
def test_a_switch_is_one_line_that_names_what_is_there(heading: str, page: str) -> None:
    lines = source(heading, 0, "diff", page).splitlines()
    (removed,) = [line for line in lines if line.startswith("-")]
    (added,) = [line for line in lines if line.startswith("+")]
    assert removed.partition(" = ")[0][1:] == added.partition(" = ")[0][1:] or "import" in added
    path = added.split('"')[1] if '"' in added else "smtps.integrations.logs.SMTPSHandler"
    module, _, name = path.rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), name), type)
