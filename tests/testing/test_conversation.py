"""The sink's session: extensions, TLS and AUTH, and what it holds against a client."""

from __future__ import annotations

import base64
import smtplib
import ssl

import pytest

from smtps.testing import ALL_EXTENSIONS, Sink
from tests.support.raw import ENVELOPE, RawClient, dial, greet, submit


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


def plain(user: str, password: str) -> str:
    return "AUTH PLAIN " + encoded(f"\0{user}\0{password}".encode())


def offered(client: RawClient) -> list[str]:
    """What EHLO announces."""
    return [line[4:] for line in client.ask("EHLO client.example").split("\n")[1:]]


def test_every_extension_is_announced_in_clear_text_but_auth() -> None:
    with Sink() as sink, dial(sink) as client:
        assert offered(client) == [line for line in ALL_EXTENSIONS if line[:4] != "AUTH"]


def test_starttls_is_announced_until_it_was_used_and_auth_from_then_on() -> None:
    with Sink(tls="starttls") as sink, dial(sink) as client:
        assert offered(client)[-1] == "STARTTLS"
        assert client.ask("STARTTLS").startswith("220 ")
        client.start_tls(sink.ca_file)
        assert offered(client) == list(ALL_EXTENSIONS)
        assert client.ask("STARTTLS").startswith("503 ")


def test_given_extensions_replace_all_and_unknown_ones_are_announced() -> None:
    with Sink(extensions=["X-ODD a b", "SIZE 5"]) as sink, dial(sink) as client:
        assert offered(client) == ["X-ODD a b", "SIZE 5"]


def test_a_sink_without_extensions_answers_ehlo_in_one_line() -> None:
    with Sink(extensions=[]) as sink, dial(sink) as client:
        assert client.ask("EHLO client.example") == "250 sink.example"


def test_replies_bear_enhanced_codes_only_if_they_are_announced() -> None:
    with Sink() as sink, greet(sink) as client:
        assert client.ask("NOOP") == "250 2.0.0 OK"
    with Sink(extensions=[]) as sink, greet(sink) as client:
        assert client.ask("NOOP") == "250 OK"


def test_helo_brings_no_extension() -> None:
    with Sink() as sink, dial(sink) as client:
        assert client.ask("HELO client.example") == "250 sink.example"
        assert client.ask("MAIL FROM:<a@x.example> SIZE=1").startswith("555 ")


@pytest.mark.parametrize("line", ["EHLO", "HELO", "DATA x", "RSET x", "STARTTLS x", "BDAT x"])
def test_an_argument_that_is_missing_or_too_much_gets_501(line: str) -> None:
    with Sink(tls="starttls") as sink, dial(sink) as client:
        assert client.ask(line).startswith("501 ")


@pytest.mark.parametrize(
    ("line", "code"),
    [("VRFY a", "252"), ("EXPN a", "252"), ("HELP", "214"), ("NOOP x", "250"), ("FOO", "500")],
)
def test_the_small_commands_are_answered(line: str, code: str) -> None:
    with Sink() as sink, greet(sink) as client:
        assert client.ask(line).startswith(code)


def test_quit_is_answered_and_the_connection_closed() -> None:
    with Sink() as sink, greet(sink) as client:
        assert client.ask("QUIT").startswith("221 ")
        assert client.rest() == b""


def test_quit_over_tls_closes_with_a_farewell() -> None:
    with Sink(tls="implicit") as sink, RawClient(sink.host, sink.port) as client:
        client.start_tls(sink.ca_file)
        client.socket.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        client.reply()
        assert client.ask("QUIT").startswith("221 ")
        assert client.rest() == b""


def test_commands_sent_together_are_answered_together() -> None:
    with Sink() as sink, greet(sink) as client:
        client.send((ENVELOPE + b"RSET\r\n") * 30)
        # One recv sees every reply only because they left in one write.
        assert client.socket.recv(65536).count(b"\r\n") == 90


def test_starttls_forgets_what_was_said_and_sent_in_clear_text() -> None:
    with Sink(tls="starttls") as sink, greet(sink) as client:
        client.send(b"STARTTLS\r\nRSET\r\n")
        client.reply()
        client.start_tls(sink.ca_file)
        assert client.ask("MAIL FROM:<a@x.example>").startswith("503 ")
        assert "RSET" not in sink.commands
        assert sink.connections[0].tls == "TLSv1.3"


# --- AUTH -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "exchange",
    [
        [(plain("user", "secret"), "235")],
        [("AUTH PLAIN", "334"), (encoded(b"any\0user\0secret"), "235")],
        [("AUTH LOGIN", "334"), (encoded(b"user"), "334"), (encoded(b"secret"), "235")],
        [(f"AUTH login {encoded(b'user')}", "334"), (encoded(b"secret"), "235")],
        [(f"AUTH PLAIN {encoded(b'user secret')}", "535")],
        [(f"AUTH PLAIN {encoded(b'x')}", "535")],
        [("AUTH PLAIN =", "535")],
        [("AUTH LOGIN", "334"), ("*", "501")],
        [("AUTH LOGIN !", "501")],
        [("AUTH CRAM-MD5", "504")],
    ],
)
def test_an_auth_exchange_ends_as_its_credentials_deserve(exchange: list[tuple[str, str]]) -> None:
    with Sink(auth_in_clear=True) as sink, greet(sink) as client:
        for line, code in exchange:
            assert client.ask(line)[:3] == code
        assert sink.connections[0].user == ("user" if exchange[-1][1] == "235" else None)


def test_auth_is_refused_in_clear_text() -> None:
    with Sink() as sink, greet(sink) as client:
        assert client.ask("AUTH PLAIN").startswith("538 ")


def test_auth_is_refused_a_second_time_and_within_a_transaction() -> None:
    with Sink(users={"ä": "ö"}, auth_in_clear=True) as sink, greet(sink) as client:
        line = plain("ä", "ö")
        client.ask("MAIL FROM:<a@x.example>")
        assert client.ask(line).startswith("503 ")
        client.ask("RSET")
        assert client.ask(line).startswith("235 ")
        assert client.ask(line).startswith("503 ")
        submit(client, b"x\r\n")
        assert sink.messages[0].user == "ä"


def test_mail_can_be_reserved_for_those_who_logged_in() -> None:
    with Sink(require_auth=True, auth_in_clear=True) as sink, greet(sink) as client:
        assert client.ask("MAIL FROM:<a@x.example>").startswith("530 ")
        client.ask(plain("user", "secret"))
        assert client.ask("MAIL FROM:<a@x.example>").startswith("250 ")


# --- what a client must not do --------------------------------------------------------------------


@pytest.mark.parametrize("line", ["EHLO x", "NOOP", "VRFY a", "DATA", "STARTTLS", "AUTH PLAIN"])
def test_pipelining_behind_a_command_that_ends_a_group_is_a_violation(line: str) -> None:
    with Sink() as sink, greet(sink) as client:
        client.send(line.encode() + b"\r\nRSET\r\n")
        client.reply(), client.ask("NOOP")
        assert sink.violations == [f"did not wait for the reply to {line.split()[0]}"]


def test_pipelining_where_it_is_not_announced_is_a_violation() -> None:
    with Sink(extensions=["CHUNKING"]) as sink, greet(sink) as client:
        client.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n")
        client.reply(), client.reply()
        client.send(b"BDAT 1\r\nxBDAT 1 LAST\r\ny")
        client.reply(), client.reply()
        assert [text.split(",")[0] for text in sink.violations] == [
            "did not wait for the reply to MAIL",
            "did not wait for the reply to BDAT",
        ]


def test_a_client_by_the_book_violates_nothing() -> None:
    with Sink() as sink, greet(sink) as client:
        client.send(ENVELOPE + b"BDAT 1 LAST\r\nxRSET\r\n" + ENVELOPE + b"DATA\r\n")
        for _ in range(7):
            client.reply()
        client.send(b"x\r\n.\r\n" + ENVELOPE + b"DATA\r\n")
        for _ in range(4):
            client.reply()
        assert sink.violations == []


def test_bytes_above_127_without_8bitmime_are_a_violation() -> None:
    with Sink() as sink, greet(sink) as client:
        submit(client, "ä\r\n".encode())
        assert sink.violations == ["bytes above 127 without BODY=8BITMIME"]


@pytest.mark.parametrize("line", [b"NOOP\n", b"NOOP\r\r\n", b"NO\rOP\r\n"])
def test_a_bare_newline_in_a_command_is_refused_and_counted(line: bytes) -> None:
    with Sink() as sink, greet(sink) as client:
        client.send(line)
        assert client.reply().startswith("500 ")
        assert sink.bare_newlines == 1


def test_a_command_without_an_end_is_refused_in_bounded_memory() -> None:
    with Sink() as sink, greet(sink) as client:
        client.send(b"N" * 16_400)
        assert client.reply().startswith("500 ")
        assert client.rest() == b""


# --- an independent client ------------------------------------------------------------------------


def test_smtplib_logs_in_and_sends_over_starttls() -> None:
    content = b"Subject: x\r\n\r\n.dot\r\n"
    with Sink(tls="starttls") as sink, smtplib.SMTP(sink.host, sink.port) as client:
        client.starttls(context=ssl.create_default_context(cafile=sink.ca_file))
        client.login("user", "secret")
        assert client.sendmail("a@x.example", ["b@x.example", "c@x.example"], content) == {}
        message = sink.messages[0]
        assert message.content == content
        assert message.recipients == ("b@x.example", "c@x.example")
        assert (message.tls, message.user) == (True, "user")


def test_smtplib_sends_over_implicit_tls() -> None:
    with Sink(tls="implicit") as sink:
        context = ssl.create_default_context(cafile=sink.ca_file)
        with smtplib.SMTP_SSL(sink.host, sink.port, context=context) as client:
            client.sendmail("a@x.example", ["b@x.example"], b"x\r\n")
        assert sink.messages[0].tls
