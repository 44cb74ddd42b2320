"""The module fits where smtplib was: names, signatures, hooks, and one line to switch."""

from __future__ import annotations

import gc
import inspect
import logging
import os
import re
import smtplib
import socket
import ssl
import subprocess
import sys
import warnings
from contextlib import closing
from logging.handlers import SMTPHandler
from pathlib import Path
from typing import Any

import pytest

from smtps import compat
from smtps.testing import Authority, Sink
from tests.compat.modules import PEOPLE, clear

ROOT = Path(__file__).parents[2]
CLASSES = ("SMTP", "SMTP_SSL", "LMTP")
PROGRAM = """
import smtplib

with smtplib.SMTP(host, port) as smtp:
    refused = smtp.sendmail("ann@a.example", ["bob@b.example"], "Subject: Hi\\n\\nHi")
"""


@pytest.mark.parametrize("page", ["README.md", "docs/smtplib.md"])
def test_a_program_is_switched_by_the_line_that_is_told(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    ((old, new),) = re.findall(r"^```diff\n-(import smtplib)\n\+(.*)\n```", text, re.MULTILINE)
    assert old in PROGRAM.splitlines()
    with Sink() as sink:
        names: dict[str, Any] = {"host": sink.host, "port": sink.port}
        exec(PROGRAM.replace(old, new), names)
        assert names["refused"] == {}
        assert sink.commands[1].startswith("mail from:<ann@a.example> ")


def test_the_example_of_the_page_runs() -> None:
    text = (ROOT / "docs/smtplib.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec(compile(block, "docs/smtplib.md", "exec"), {})


def test_every_name_of_smtplib_is_there() -> None:
    assert set(smtplib.__all__) <= set(compat.__all__)
    for name in ("LMTP", "SMTP_PORT", "SMTP_SSL_PORT", "LMTP_PORT", "CRLF", "bCRLF"):
        assert hasattr(compat, name)


def test_exceptions_are_those_of_smtplib() -> None:
    for name in (name for name in smtplib.__all__ if "SMTP" in name and name[4:]):
        if issubclass(getattr(smtplib, name), Exception):
            assert getattr(compat, name) is getattr(smtplib, name)


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_is_a_kind_of_what_it_replaces(name: str) -> None:
    assert issubclass(getattr(compat, name), getattr(smtplib, name))


@pytest.mark.parametrize("kind", CLASSES)
def test_signatures_are_those_of_smtplib(kind: str) -> None:
    ours, theirs = getattr(compat, kind), getattr(smtplib, kind)
    for name, method in inspect.getmembers(theirs, inspect.isfunction):
        if name.startswith("_") and name != "__init__":
            continue
        expected = inspect.signature(method).parameters.values()
        found = inspect.signature(getattr(ours, name)).parameters.values()
        assert [(one.name, one.kind, one.default) for one in found] == [
            (one.name, one.kind, one.default) for one in expected
        ], name


def test_attributes_are_those_of_smtplib() -> None:
    with Sink() as sink:
        seen = []
        for module in (smtplib, compat):
            with closing(clear(sink, module, timeout=30)) as smtp:
                smtp.ehlo()
                seen.append({name for name in dir(smtp) if not name.startswith("_")})
        assert seen[0] - seen[1] == set()


def test_nothing_that_is_kept_of_smtplib_touches_the_socket() -> None:
    kept = [
        method
        for name, method in vars(smtplib.SMTP).items()
        if inspect.isfunction(method) and getattr(compat.SMTP, name) is method
    ]
    assert kept
    for method in kept:
        assert not {"sock", "file", "recv", "sendall", "readline"} & set(method.__code__.co_names)


# --- hooks ----------------------------------------------------------------------------------------


def test_a_program_may_make_the_socket() -> None:
    class Own(compat.SMTP):
        def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
            asked.append((host, port))
            return socket.create_connection((sink.host, sink.port), timeout)

    asked: list[tuple[str, int]] = []
    with Sink() as sink, closing(Own("elsewhere.example", 2525, timeout=10)) as smtp:
        assert smtp.sendmail("s@x.example", PEOPLE, b"x") == {}
    assert asked == [("elsewhere.example", 2525)]


def test_a_program_may_make_the_connection_secure() -> None:
    with Sink(tls="starttls") as sink, closing(clear(sink)) as smtp:
        smtp.docmd("STARTTLS")
        trust = ssl.create_default_context(cafile=sink.ca_file)
        smtp.sock = trust.wrap_socket(smtp.sock, server_hostname="localhost")
        smtp.file = None
        assert smtp.ehlo()[0] == 250
        assert smtp.sendmail("s@x.example", PEOPLE, b"x") == {}
        assert sink.messages[0].tls


def test_a_program_may_name_whom_it_expects() -> None:
    with Sink(tls="starttls") as sink:
        trust = ssl.create_default_context(cafile=sink.ca_file)
        with closing(compat.SMTP()) as smtp:
            smtp._host = "elsewhere.example"
            smtp.connect("localhost", sink.port)
            with pytest.raises(ssl.SSLCertVerificationError, match=r"elsewhere\.example"):
                smtp.starttls(context=trust)


def test_another_host_is_expected_to_be_that_host(authority: Authority) -> None:
    certificate = authority.issue("localhost")
    trust = ssl.create_default_context(cafile=authority.ca_file)
    with Sink(tls="starttls", certificate=certificate) as sink:
        with closing(compat.SMTP("127.0.0.1", sink.port)) as smtp:
            smtp.connect("localhost", sink.port)
            assert smtp.starttls(context=trust)[0] == 220


def test_the_shared_context_is_not_shown() -> None:
    assert compat.SMTP_SSL().context is None


def test_the_timeout_of_the_socket_can_be_changed() -> None:
    with Sink() as sink, closing(clear(sink, timeout=30)) as smtp:
        smtp.sock.settimeout(7)
        smtp.sendmail("s@x.example", PEOPLE, b"x" * 100_000)
        assert smtp.sock.gettimeout() == 7


def test_the_audit_events_of_smtplib_are_raised() -> None:
    heard: list[str] = []
    listening = [True]

    def listen(event: str, _: Any) -> None:
        if listening and event.startswith("smtplib."):
            heard.append(event)

    sys.addaudithook(listen)
    with Sink() as sink, closing(clear(sink)) as smtp:
        smtp.noop()
        smtp.sendmail("s@x.example", PEOPLE, b"x")
    listening.clear()
    assert heard == ["smtplib.connect", "smtplib.send", "smtplib.send", "smtplib.send"]


def test_the_same_commands_go_out_on_every_python() -> None:
    with Sink() as sink, closing(clear(sink)) as smtp:
        smtp.sendmail("s@x.example", PEOPLE[:1], b"x", ["BODY=8BITMIME"], ["NOTIFY=NEVER"])
        assert sink.commands == [
            "ehlo client.example",
            "mail from:<s@x.example> size=1 BODY=8BITMIME",
            "rcpt to:<a@x.example> NOTIFY=NEVER",
            "DATA",
        ]


def test_an_object_that_is_dropped_closes_its_connection() -> None:
    gc.disable()
    try:
        with Sink() as sink, warnings.catch_warnings(action="ignore"):
            clear(sink).noop()
            sink.wait_until(lambda: sink.connections[0].closed)
    finally:
        gc.enable()


def test_an_interruption_in_the_middle_of_a_message_closes_the_connection() -> None:
    class Impatient:
        def __init__(self, inner: socket.socket) -> None:
            self._inner = inner

        def recv(self, size: int) -> bytes:
            raise KeyboardInterrupt

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    with Sink() as sink, closing(clear(sink)) as smtp:
        smtp.ehlo()
        smtp.sock = Impatient(smtp.sock)
        with pytest.raises(KeyboardInterrupt):
            smtp.sendmail("s@x.example", PEOPLE, b"x")
        assert smtp.sock is None


def test_certificates_are_verified_against_the_authorities_of_the_system() -> None:
    with Sink(tls="implicit") as sink:
        code = f"from smtps import compat; compat.SMTP_SSL('localhost', {sink.port}).quit()"
        for trust, status in ((sink.ca_file, 0), (os.devnull, 1)):
            variables = {**os.environ, "SSL_CERT_FILE": trust, "SSL_CERT_DIR": "/nowhere"}
            command = [sys.executable, "-c", code]
            result = subprocess.run(command, env=variables, capture_output=True, check=False)
            assert result.returncode == status, result.stderr
            assert (b"CERTIFICATE_VERIFY_FAILED" in result.stderr) is bool(status)


def test_the_handler_of_logging_sends_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smtplib", compat)
    with Sink(tls="starttls", users={"ann": "secret"}, require_auth=True) as sink:
        trust = ssl.create_default_context(cafile=sink.ca_file)
        monkeypatch.setattr("smtps.compat.connecting.context_for", lambda _: trust)
        handler = SMTPHandler(
            ("localhost", sink.port), "s@x.example", PEOPLE, "It broke", ("ann", "secret"), ()
        )
        handler.handle(logging.makeLogRecord({"msg": "badly", "level": logging.ERROR}))
        handler.close()
        (message,) = sink.messages
        assert (message.recipients, message.user) == (tuple(PEOPLE), "ann")
        assert message.content.endswith(b"\r\n\r\nbadly\r\n")


def test_a_connection_closes_with_the_block() -> None:
    with Sink() as sink:
        with clear(sink) as smtp:
            smtp.docmd("NOOP")
        assert smtp.sock is None
        sink.wait_until(lambda: sink.commands[-1:] == ["QUIT"])
