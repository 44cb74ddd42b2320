"""The log records of what connections do."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

import smtps
from smtps import SMTPS, AsyncSMTPS, Envelope, Pool
from smtps.errors import SMTPSError
from smtps.testing import Fault, Sink
from smtps.watching import Operation
from tests.support.concealed import SECRET, shown

ITEM = (Envelope("ann@a.example", ["bob@b.example"]), b"Subject: Hi\r\n\r\nHi\r\n")


@pytest.fixture(autouse=True)
def usual_level(caplog: pytest.LogCaptureFixture) -> None:
    """What programs see that set nothing, whatever other tests have left behind."""
    caplog.set_level(logging.NOTSET, "smtps")
    caplog.set_level(logging.WARNING)


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    return [(one.name, one.levelname, one.getMessage()) for one in caplog.records]


def test_a_session_is_told_from_connect_to_disconnect(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "smtps")
    with Sink(tls="starttls", users={"joe": SECRET}) as sink, SMTPS.from_url(sink.url) as smtp:
        smtp.connect()
        smtp.send(ITEM)
    told = [(name, level) for name, level, _ in said(caplog)]
    assert told == [
        ("smtps.tls", "DEBUG"),
        ("smtps.auth", "DEBUG"),
        ("smtps.connection", "INFO"),
        ("smtps.send", "DEBUG"),
        ("smtps.connection", "DEBUG"),
    ]
    assert f"connected to {sink.host}:{sink.port} (127.0.0.1)" in said(caplog)[2][2]


def test_a_message_that_did_not_reach_all_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    faults = [Fault(on="RCPT", when="no@", reply="550 5.1.1 no such user")]
    items = [(Envelope("a@a.example", [f"{who}@b.example"]), ITEM[1]) for who in ("yes", "no")]
    with Sink(faults=faults) as sink, Pool(sink.url) as pool:
        list(pool.send_many(items))
    (record,) = said(caplog)
    assert record[:2] == ("smtps.send", "WARNING")
    assert "1 refused" in record[2]
    assert "no such user" in record[2]


def test_a_message_whose_fate_is_not_known_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with Sink(faults=[Fault(on=".", silent=True, drop=True)]) as sink:
        with pytest.raises(SMTPSError):
            smtps.send(ITEM, sink.url)
    assert [level for name, level, _ in said(caplog) if name == "smtps.send"] == ["ERROR"]


def test_a_relay_that_is_not_there_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with Sink() as sink:
        url = sink.url
    with pytest.raises(SMTPSError):
        smtps.send(ITEM, url)
    ((name, level, message),) = said(caplog)
    assert (name, level) == ("smtps.connection", "WARNING")
    assert message.startswith(f"no connection to 127.0.0.1:{sink.port}: ")


def test_the_same_is_told_on_asyncio(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "smtps")

    async def run(url: str) -> None:
        async with AsyncSMTPS.from_url(url) as smtp:
            assert [receipt.ok async for receipt in smtp.send_many([ITEM, ITEM])] == [True, True]

    with Sink() as sink:
        asyncio.run(run(sink.url))
    names = [name for name, _, _ in said(caplog)]
    assert names == ["smtps.connection", "smtps.send", "smtps.send", "smtps.connection"]


def test_no_operation_is_made_where_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(Operation, "__init__", lambda self, *_: made.append(self))
    monkeypatch.setattr(logging.root, "handlers", [])
    with Sink() as sink:
        smtps.send(ITEM, sink.url)
    assert not made


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5", "XOAUTH2"])
@pytest.mark.parametrize("right", [True, False])
def test_no_secret_is_in_any_record(
    caplog: pytest.LogCaptureFixture, mechanism: str, right: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    with Sink(tls="starttls", users={"joe": SECRET}, mechanisms=[mechanism]) as sink:
        given = SECRET if right else f"{SECRET}x"
        options: dict[str, Any] = {"user": "joe"}
        options["authorization_identity" if mechanism == "XOAUTH2" else "password"] = given
        smtp = SMTPS(
            mail_server=sink.host,
            mail_port=sink.port,
            ssl_start_mode=2,
            openssl_ca_file=sink.ca_file,
            **options,
        )
        try:
            smtp.connect()
            smtp.send(ITEM)
        except SMTPSError:
            assert not right
        smtp.disconnect()
    text = "\n".join(f"{one.getMessage()} {one.exc_text} {one.args}" for one in caplog.records)
    assert "smtps" in "".join(one.name for one in caplog.records)
    assert shown(text) == []
