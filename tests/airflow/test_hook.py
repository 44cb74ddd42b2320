"""The hook of Airflow's SMTP provider, with the recipe in force."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtps.testing import Fault, Sink
from tests.recipes.blocks import run


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sink]:
    """A relay with STARTTLS and a login, which Airflow knows as smtp_default."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    with Sink(tls="starttls", users={"joe": "secret"}, require_auth=True) as sink:
        monkeypatch.setenv("SSL_CERT_FILE", sink.ca_file)
        about = {
            "conn_type": "smtp",
            "host": "localhost",
            "port": sink.port,
            "login": "joe",
            "password": "secret",
            "extra": {"disable_ssl": True, "from_email": "dags@a.example", "retry_limit": 0},
        }
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(about))
        run("Airflow")
        yield sink


def test_the_hook_sends_by_the_drop_in(relay: Sink, tmp_path: Path) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    report = tmp_path / "report.csv"
    report.write_text("a,b\n")
    with SmtpHook() as hook:
        assert type(hook._smtp_client).__module__.startswith("smtps.compat")
        hook.send_email_smtp(
            to="bob@b.example", subject="Grüße", html_content="<p>Done</p>", files=[str(report)]
        )
    assert relay.messages[0].recipients == ("bob@b.example",)
    assert relay.connections[0].tls


def test_what_the_relay_refuses_is_raised_as_airflow_knows_it(relay: Sink) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    relay.add_fault(Fault(on="RCPT", reply="550 5.1.1 no such user"))
    with SmtpHook() as hook, pytest.raises(smtplib.SMTPRecipientsRefused):
        hook.send_email_smtp(to="bob@b.example", subject="x", html_content="x")
