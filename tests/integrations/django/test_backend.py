"""The backend in a Django project: what goes out, what comes back, and what is said of it."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, mail_admins, send_mail, send_mass_mail
from django.test import Client

from smtps import Outbox, Outcome, Pool
from smtps.errors import BadValue, CertificateRefused, ConnectionFailed, SMTPSError
from smtps.testing import Authority, Fault, Sink

from .conftest import BACKEND, mail, mailer, silent


def letter(to: str = "bob@b.example", **more: Any) -> EmailMessage:
    return EmailMessage("Hi", "Hello\n", "ann@a.example", [to], **more)


# --- what goes out --------------------------------------------------------------------------------


def test_a_view_sends_mail(relay: Sink) -> None:
    assert Client().get("/order", {"mail": "bob@b.example"}).content == b"sent 1"
    (message,) = relay.messages
    assert (message.sender, message.recipients) == ("shop@a.example", ("bob@b.example",))
    assert b"Subject: Your order\r\n" in message.content
    assert message.content.endswith(b"\r\n\r\nThank you.\r\n")


def test_the_admins_get_their_mail(relay: Sink) -> None:
    mail_admins("Disk full", "All of it.")
    assert relay.messages[0].recipients == ("admin@b.example",)


def test_djangos_own_command_sends_in_a_process_of_its_own(relay: Sink) -> None:
    command = [sys.executable, "-W", "error", "-m", "django", "sendtestemail", "bob@b.example"]
    more = {"DJANGO_SETTINGS_MODULE": "tests.integrations.django.project.settings"}
    run(command, RELAY_PORT=str(relay.port), **more)
    assert relay.count == 1


def test_a_connection_is_closed_politely_when_the_process_ends(relay: Sink) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.core.mail import send_mail\n"
        "send_mail('Hi', 'Hello', None, ['bob@b.example'])\n"
    )
    more = {"DJANGO_SETTINGS_MODULE": "tests.integrations.django.project.settings"}
    run([sys.executable, "-c", code], RELAY_PORT=str(relay.port), **more)
    assert relay.connections[0].commands[-1] == "QUIT"


def run(command: list[str], **environment: str) -> None:
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_a_mass_mailing_goes_over_few_connections_and_all_of_it_arrives(relay: Sink) -> None:
    rows = [("Hi", "Hello", "ann@a.example", [f"r{n}@b.example"]) for n in range(500)]
    assert send_mass_mail(rows) == 500
    assert {message.recipients[0] for message in relay.messages} == {row[3][0] for row in rows}
    assert len(relay.connections) <= 8


def test_senders_after_one_another_share_a_connection(relay: Sink) -> None:
    for _ in range(3):
        assert send_mail("Hi", "Hello", None, ["bob@b.example"]) == 1
    assert len(relay.connections) == 1


def test_other_options_get_other_connections(relay: Sink) -> None:
    send_mail("Hi", "Hello", None, ["bob@b.example"])
    with mail(host=relay.host, port=relay.port, timeout=10):
        send_mail("Hi", "Hello", None, ["bob@b.example"])
    assert len(relay.connections) == 2


def test_a_relay_may_start_anew_between_two_messages() -> None:
    with Sink() as sink, mail(host=sink.host, port=sink.port):
        assert mailer().send_messages([letter()]) == 1
    with Sink(port=sink.port) as again, mail(host=again.host, port=again.port):
        assert mailer().send_messages([letter()]) == 1


def test_a_child_process_makes_a_connection_of_its_own(relay: Sink) -> None:
    mailer().send_messages([letter()])
    child = os.fork()
    if child == 0:
        os._exit(mailer().send_messages([letter()]) != 1)
    assert os.waitpid(child, 0)[1] == 0
    mailer().send_messages([letter()])
    assert (relay.count, len(relay.connections)) == (3, 2)


def test_a_message_without_recipients_is_left_out(relay: Sink) -> None:
    assert mailer().send_messages([EmailMessage("Hi", "Hello", "a@a.example"), letter()]) == 1


def test_messages_may_come_from_an_iterator(relay: Sink) -> None:
    assert mailer().send_messages(letter(f"r{n}@b.example") for n in range(20)) == 20


# --- what comes back ------------------------------------------------------------------------------


def test_a_message_has_its_receipt(relay: Sink) -> None:
    message = letter()
    message.send()
    assert message.smtps_receipt.accepted == ("bob@b.example",)
    assert message.smtps_receipt.message_id.encode() in relay.messages[0].content


def test_a_refused_message_fails_alone_in_the_words_of_smtplib(relay: Sink) -> None:
    relay.add_fault(Fault(on="RCPT", when="r2@", reply="550 5.1.1 no such user"))
    messages = [letter(f"r{n}@b.example") for n in range(5)]
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        mailer().send_messages(messages)
    assert caught.value.recipients == {"r2@b.example": (550, b"5.1.1 no such user")}
    assert isinstance(caught.value.__cause__, SMTPSError)
    assert [message.smtps_receipt.ok for message in messages] == [True, True, False, True, True]
    assert relay.count == 4


def test_a_message_that_some_have_accepted_counts(relay: Sink) -> None:
    relay.add_fault(Fault(on="RCPT", when="no@", reply="550 5.1.1 no such user"))
    message = letter(bcc=["no@b.example"])
    assert message.send() == 1
    assert message.smtps_receipt.refused == ("no@b.example",)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(on="MAIL", reply="550 5.7.1 not you"), smtplib.SMTPSenderRefused),
        (Fault(on=".", reply="554 5.6.0 spam"), smtplib.SMTPDataError),
        (Fault(on=".", silent=True, drop=True), smtplib.SMTPServerDisconnected),
        (Fault(on="greeting", reply="554 5.3.2 no mail here"), smtplib.SMTPConnectError),
    ],
)
def test_failures_are_those_that_programs_for_django_catch(
    relay: Sink, fault: Fault, expected: type[Exception]
) -> None:
    relay.add_fault(fault)
    with pytest.raises(expected):
        letter().send()


def test_a_relay_that_is_not_there_is_a_connection_error() -> None:
    message = letter()
    with mail(host="127.0.0.1", port=unused_port()), pytest.raises(ConnectionFailed):
        message.send()
    (result,) = message.smtps_receipt.results
    assert result.outcome is Outcome.NOT_SENT


def test_nothing_is_raised_where_failures_are_silent(relay: Sink) -> None:
    relay.add_fault(Fault(on=".", reply="554 5.6.0 spam"))
    message = letter()
    quiet, arguments = silent()
    with mail(host=relay.host, port=relay.port, **quiet):
        assert mailer(**arguments).send_messages([message]) == 0
    assert message.smtps_receipt.refused == ("bob@b.example",)


def test_silence_tells_of_a_relay_that_is_not_there_in_the_receipt() -> None:
    message = letter()
    quiet, arguments = silent()
    with mail(host="127.0.0.1", port=unused_port(), **quiet):
        assert mailer(**arguments).send_messages([message]) == 0
    assert isinstance(message.smtps_receipt.error, ConnectionFailed)


def unused_port() -> int:
    with Sink() as sink:
        return sink.port


@pytest.mark.parametrize(
    "bad",
    [
        lambda: EmailMessage("Hi\nBcc: all@b.example", "", "a@a.example", ["bob@b.example"]),
        lambda: letter("bob@b.example>\r\nRCPT TO:<eve@b.example"),
        lambda: letter(headers={"X-A": "1\r\nBcc: all@b.example"}),
        lambda: EmailMessage("Hi", "", "nobody", ["bob@b.example"]),
    ],
)
def test_a_message_that_cannot_be_sent_is_a_value_error_and_keeps_no_other(
    relay: Sink, bad: Callable[[], EmailMessage]
) -> None:
    wrong, right = bad(), letter()
    with pytest.raises(ValueError):  # noqa: PT011 - the words are Django's or ours
        mailer().send_messages([wrong, right])
    assert [message.recipients for message in relay.messages] == [("bob@b.example",)]
    assert not wrong.smtps_receipt.ok
    assert right.smtps_receipt.ok


# --- the object -----------------------------------------------------------------------------------


def test_open_tells_whether_there_was_no_connection(relay: Sink) -> None:
    with mailer() as backend:
        assert isinstance(backend.connection, Pool)
        assert backend.open() is False
        assert backend.send_messages([letter()]) == 1
    assert backend.connection is None
    assert backend.open() is True
    backend.close()


def test_closing_what_was_never_open_does_nothing(relay: Sink) -> None:
    mailer().close()
    assert not relay.connections


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tls", "option"), [("starttls", "use_tls"), ("implicit", "use_ssl")])
def test_tls_and_a_login(tls: Any, option: str) -> None:
    with Sink(tls=tls, users={"joe": "secret"}, require_auth=True) as sink:
        options: dict[str, Any] = {"username": "joe", "password": "secret", option: True}
        with mail(host="localhost", port=sink.port, openssl_ca_file=sink.ca_file, **options):
            assert letter().send() == 1
        assert sink.connections[0].tls


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with Sink(tls="starttls") as sink, mail(host="localhost", port=sink.port, use_tls=True):
        with pytest.raises(CertificateRefused):
            letter().send()
    assert sink.count == 0


def test_a_password_does_not_cross_a_connection_in_clear(relay: Sink) -> None:
    with mail(host=relay.host, port=relay.port, username="joe", password="secret"):
        with pytest.raises(ImproperlyConfigured, match="allow_plaintext_auth"):
            letter().send()


def test_a_client_certificate_comes_from_djangos_two_files(
    authority: Authority, tmp_path: Path
) -> None:
    text = Path(authority.issue("client.example").pem_file).read_text()
    parts = text.split("-----BEGIN ")
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    key.write_text("".join(f"-----BEGIN {one}" for one in parts if "PRIVATE KEY" in one))
    chain.write_text("".join(f"-----BEGIN {one}" for one in parts if "CERTIFICATE" in one))
    with Sink(tls="starttls", client_ca=authority.ca_file, require_client=True) as sink:
        options: dict[str, Any] = {"ssl_certfile": str(chain), "ssl_keyfile": str(key)}
        options |= {"use_tls": True, "openssl_ca_file": sink.ca_file}
        with mail(host="localhost", port=sink.port, **options):
            assert letter().send() == 1
        assert sink.connections[0].certificate is not None


def test_a_certificate_that_is_not_there_is_named(relay: Sink) -> None:
    with mail(host="localhost", port=relay.port, use_tls=True, ssl_certfile="/no/such.pem"):
        with pytest.raises(ImproperlyConfigured, match=r"ssl_certfile.*/no/such\.pem"):
            letter().send()


def test_an_unknown_option_is_reported(relay: Sink) -> None:
    with mail(host=relay.host, port=relay.port, conections=2):
        with pytest.raises(ImproperlyConfigured, match="nknown options 'conections'"):
            letter().send()


def test_a_value_that_cannot_be_used_is_named(relay: Sink) -> None:
    with mail(host=relay.host, port=relay.port, connections=0):
        with pytest.raises(ImproperlyConfigured, match="connections: expected a whole number"):
            letter().send()


def test_the_options_of_a_pool_are_heard(relay: Sink) -> None:
    with mail(host=relay.host, port=relay.port, connections=1):
        mailer().send_messages([letter(f"r{n}@b.example") for n in range(100)])
    assert len(relay.connections) == 1


@pytest.mark.skipif(django.VERSION < (6, 1), reason="MAILERS came with Django 6.1")
def test_the_older_settings_are_heard_where_there_are_no_mailers() -> None:
    from django.conf import settings
    from django.test import override_settings
    from django.utils.deprecation import RemovedInDjango2028Warning

    with Sink() as sink:
        older = {"EMAIL_HOST": sink.host, "EMAIL_PORT": sink.port, "EMAIL_BACKEND": BACKEND}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RemovedInDjango2028Warning)
            with override_settings(**older):
                del settings.MAILERS
                assert send_mail("Hi", "Hello", None, ["bob@b.example"]) == 1


# --- the queue ------------------------------------------------------------------------------------


def test_messages_are_queued_instead_and_delivered_by_a_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    messages = [letter(f"r{n}@b.example") for n in range(3)]
    with mail(outbox=str(tmp_path)):
        assert mailer().send_messages(messages) == 3
    outbox = Outbox(tmp_path)
    assert [one.id for one in outbox.list()] == [message.smtps_id for message in messages]
    with Sink() as sink, Pool(sink.url) as pool:
        assert outbox.run(pool).sent == 3
        assert sink.count == 3


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with mail(outbox=str(tmp_path / "none")):
        with pytest.raises(ImproperlyConfigured, match="none"):
            letter().send()


def test_of_a_batch_with_a_bad_message_nothing_is_queued(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with mail(outbox=str(tmp_path)), pytest.raises(ValueError, match="Invalid address"):
        mailer().send_messages([letter(), letter("nobody")])
    assert not Outbox(tmp_path).list()


def test_a_bad_message_is_one_of_ours(relay: Sink) -> None:
    with pytest.raises(BadValue):
        letter("nobody").send()
