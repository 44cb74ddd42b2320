"""Log records by mail."""

from __future__ import annotations

import email
import logging
import logging.config
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from itertools import count
from logging.handlers import SMTPHandler
from typing import Any

import pytest

from smtps.errors import AddressError, BadValue
from smtps.integrations.logs import SMTPSHandler
from smtps.testing import Fault, Sink
from smtps.testing.records import SinkMessage

_number = count()
PEOPLE: tuple[str, list[str], str] = (
    "app@a.example",
    ["ops@b.example"],
    "The shop has a problem",
)


@contextmanager
def logger(handler: logging.Handler) -> Iterator[logging.Logger]:
    """A logger of its own that has this handler."""
    found = logging.getLogger(f"shop{next(_number)}")
    found.propagate = False
    found.addHandler(handler)
    try:
        yield found
    finally:
        found.removeHandler(handler)
        handler.close()


def to(sink: Sink, **options: Any) -> SMTPSHandler:
    return SMTPSHandler((sink.host, sink.port), *PEOPLE, **options)


def parsed(message: SinkMessage) -> EmailMessage:
    found = email.message_from_bytes(message.content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def text(message: SinkMessage) -> str:
    content: str = parsed(message).get_content()
    return content.replace("\r\n", "\n")


def test_a_record_says_what_it_says_by_the_handler_of_the_standard_library() -> None:
    arrived = []
    for kind in (SMTPHandler, SMTPSHandler):
        with Sink() as sink, logger(kind((sink.host, sink.port), *PEOPLE)) as log:
            log.error("the disk is full")
            log.handlers[0].flush()
            (message,) = sink.messages
            arrived.append((message.sender, message.recipients, parsed(message)))
    (sender, people, theirs), (our_sender, our_people, ours) = arrived
    assert (our_sender, our_people) == (sender, people)
    for name in ("Subject", "From", "To"):
        assert ours[name] == theirs[name]
    assert ours.get_content().strip() == theirs.get_content().strip()


def test_records_go_together_in_one_message() -> None:
    with Sink() as sink:
        with logger(to(sink, seconds=3600)) as log:
            for number in range(5):
                log.error("problem %d", number)
        (message,) = sink.messages
    assert text(message).splitlines() == [f"problem {number}" for number in range(5)]
    assert parsed(message)["Subject"] == "The shop has a problem (5 records)"


def test_a_full_batch_does_not_wait() -> None:
    with Sink() as sink, logger(to(sink, seconds=3600, batch=3)) as log:
        for number in range(3):
            log.error("problem %d", number)
        sink.wait_for(1)


def test_what_waits_goes_after_a_while() -> None:
    with Sink() as sink, logger(to(sink, seconds=0.05)) as log:
        log.error("alone")
        sink.wait_for(1)


def test_more_than_the_rate_is_held_back_and_told() -> None:
    with Sink() as sink:
        with logger(to(sink, seconds=0, batch=1, capacity=2, rate="1/h")) as log:
            log.error("first")
            sink.wait_for(1)
            for number in range(10):
                log.error("storm %d", number)
            assert sink.count == 1
        assert sink.count == 2
        lines = text(sink.messages[1]).splitlines()
    assert lines[:2] == ["storm 0", "storm 1"]
    assert lines[-1].startswith("8 records were left out since ")


def test_logging_does_not_wait_for_a_server_that_hangs() -> None:
    release = threading.Event()
    with Sink(faults=[Fault(on="greeting", until=release)]) as sink:
        with logger(to(sink, seconds=0)) as log:
            for number in range(100):
                log.error("problem %d", number)
            assert sink.count == 0
            release.set()
        assert sink.count >= 1


def test_nothing_is_raised_where_there_is_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    with Sink() as sink:
        handler = to(sink, seconds=3600)
    with logger(handler) as log:
        log.error("nobody hears")
        handler.flush()
        handler.flush()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("SMTPSHandler: log records were not mailed: ConnectionFailed: ")


def test_records_that_could_not_be_sent_go_with_the_next_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink(faults=[Fault(on="MAIL", nth=1, reply="451 4.3.0 later")]) as sink:
        with logger(to(sink, seconds=3600)) as log:
            log.error("one")
            log.handlers[0].flush()
            assert sink.count == 0
            log.error("two")
        assert text(sink.messages[0]).splitlines() == ["one", "two"]
    assert "451" in capsys.readouterr().err


def test_what_may_have_arrived_is_not_sent_again(capsys: pytest.CaptureFixture[str]) -> None:
    with Sink(faults=[Fault(on=".", nth=1, silent=True, drop=True)]) as sink:
        with logger(to(sink, seconds=3600)) as log:
            log.error("one")
            log.handlers[0].flush()
        assert sink.count == 1
    assert "not known" in capsys.readouterr().err


def test_the_loggers_of_this_package_are_left_out() -> None:
    with Sink() as sink:
        handler = to(sink)
        handler.handle(logging.LogRecord("smtps.pool", 40, "", 0, "mine", (), None))
        handler.close()
        assert sink.count == 0


def test_what_sending_itself_logs_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sink() as sink:
        handler = to(sink, seconds=3600)
        with logger(handler) as log:
            send = handler._target.send

            def noisy(subject: str, body: str) -> Any:
                log.error("sending")
                return send(subject, body)

            monkeypatch.setattr(handler._target, "send", noisy)
            log.error("one")
        assert [text(message) for message in sink.messages] == ["one\n"]


def test_a_record_that_cannot_be_formatted_does_not_raise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Sink() as sink, logger(to(sink)) as log:
        log.error("%d", "no number")
    assert "--- Logging error ---" in capsys.readouterr().err


@pytest.mark.parametrize("said", ["line\r\nBcc: x@b.example", "nul \0", "\ud800", "Grüße 世界"])
def test_whatever_is_logged_arrives(said: str) -> None:
    with Sink() as sink:
        handler = to(sink)
        handler.getSubject = lambda record: record.getMessage()  # type: ignore[method-assign]
        with logger(handler) as log:
            log.error(said)
        (message,) = sink.messages
    assert message.recipients == ("ops@b.example",)
    assert parsed(message)["Bcc"] is None


def test_a_login_needs_tls() -> None:
    with pytest.raises(BadValue, match=r"pass secure=\(\)"):
        SMTPSHandler("localhost", *PEOPLE, credentials=("joe", "secret"))


def test_a_url_says_all_about_the_relay() -> None:
    with Sink(tls="starttls", users={"joe": "secret"}, require_auth=True) as sink:
        with logger(SMTPSHandler(sink.url, *PEOPLE)) as log:
            log.error("over TLS")
        assert sink.connections[0].tls
        assert sink.count == 1


def test_the_arguments_of_a_login_are_those_of_the_standard_library() -> None:
    with Sink(tls="starttls", users={"joe": "secret"}, require_auth=True) as sink:
        # What the system trusts is read once in a process.
        run(
            f"SMTPSHandler(('localhost', {sink.port}), 'a@a.example', 'b@b.example', 'A problem',"
            " ('joe', 'secret'), ())",
            SSL_CERT_FILE=sink.ca_file,
        )
        assert sink.count == 1


def run(handler: str, **environment: str) -> None:
    """Log one record in a program of its own."""
    program = (
        "import logging\n"
        "from smtps.integrations.logs import SMTPSHandler\n"
        f"logging.getLogger().addHandler({handler})\n"
        "logging.error('the last words')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_dictionary_configures_it() -> None:
    with Sink() as sink:
        name = f"shop{next(_number)}"
        logging.config.dictConfig(
            {
                "version": 1,
                "disable_existing_loggers": False,
                "handlers": {
                    "mail": {
                        "class": "smtps.integrations.logs.SMTPSHandler",
                        "mailhost": [sink.host, sink.port],
                        "fromaddr": "app@a.example",
                        "toaddrs": ["ops@b.example"],
                        "subject": "A problem",
                        "batch": 1,
                    }
                },
                "loggers": {name: {"handlers": ["mail"], "propagate": False}},
            }
        )
        log = logging.getLogger(name)
        log.error("one")
        sink.wait_for(1)
        log.handlers[0].close()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"toaddrs": "nobody"}, AddressError),
        ({"fromaddr": "nobody"}, AddressError),
        ({"batch": 0}, BadValue),
        ({"capacity": True}, BadValue),
        ({"rate": "often"}, BadValue),
        ({"seconds": "5"}, BadValue),
        ({"seconds": -1.0}, BadValue),
        ({"timeout": float("nan")}, BadValue),
        ({"timeout": None}, BadValue),
        ({"mailhost": "http://a.example"}, BadValue),
        ({"mailhost": "smtp://a.example", "secure": ()}, BadValue),
        ({"credentials": ("a", "b"), "secure": ("/no/such.pem",)}, BadValue),
    ],
)
def test_what_cannot_work_is_said_when_it_is_made(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    given: dict[str, Any] = {
        "mailhost": "localhost",
        "fromaddr": "app@a.example",
        "toaddrs": "ops@b.example",
        "subject": "A problem",
    }
    with pytest.raises(error):
        SMTPSHandler(**given | arguments)


def test_what_waits_is_sent_when_the_program_ends() -> None:
    with Sink() as sink:
        run(
            f"SMTPSHandler(('127.0.0.1', {sink.port}), 'a@a.example', 'b@b.example', 'A problem',"
            " seconds=3600)"
        )
        assert text(sink.messages[0]) == "the last words\n"


def test_a_child_sends_its_own_records_and_not_those_of_its_parent() -> None:
    with Sink() as sink:
        handler = to(sink, seconds=3600)
        with logger(handler) as log:
            log.error("of the parent")
            child = os.fork()
            if child == 0:
                log.error("of the child")
                handler.flush()
                os._exit(0)
            os.waitpid(child, 0)
            assert [text(message) for message in sink.messages] == ["of the child\n"]
        assert [text(message) for message in sink.messages][1:] == ["of the parent\n"]
