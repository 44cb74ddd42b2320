"""What is safer than in smtplib; docs/smtplib.md has a row for each."""

from __future__ import annotations

import io
import re
import smtplib
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtps import compat
from smtps.compat import connecting
from smtps.compat.link import LONGEST_LINE
from smtps.testing import Fault, Sink
from tests.compat.modules import PEOPLE, clear

MESSAGE = b"Subject: x\r\n\r\nx\r\n"


@contextmanager
def endless(*said: bytes, again: bytes) -> Iterator[int]:
    """Serve a connection that says these, and the last again and again until it is closed."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for words in said:
                connection.sendall(words)
            try:
                while True:
                    connection.sendall(again)
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_connection_that_breaks_at_once_leaves_no_socket(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[socket.socket] = []

    def broken(connection: socket.socket, _: object) -> None:
        made.append(connection)
        raise ConnectionResetError

    monkeypatch.setattr(connecting, "set_no_delay", broken)
    with pytest.raises(ConnectionResetError):
        clear(sink)
    assert [connection.fileno() for connection in made] == [-1]


# --- what is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\r\n.\n", b"\n.\r\n", b"\r.\r\n"])
def test_no_newline_in_bytes_ends_the_message_early(sink: Sink, end: bytes) -> None:
    with closing(clear(sink)) as smtp:
        smtp.sendmail("s@x.example", PEOPLE, b"one" + end + b"MAIL FROM:<evil@x.example>\r\n")
        (message,) = sink.messages
        assert message.content == b"one\r\n.\r\nMAIL FROM:<evil@x.example>\r\n"
        assert not sink.bare_newlines


def test_the_size_is_that_of_what_is_sent(sink: Sink) -> None:
    with closing(clear(sink)) as smtp:
        smtp.sendmail("s@x.example", PEOPLE, b"one\ntwo\n")
        assert sink.messages[0].parameters["SIZE"] == "10"


def test_a_nul_is_refused_before_anything_is_sent(sink: Sink) -> None:
    with closing(clear(sink)) as smtp:
        with pytest.raises(ValueError, match="NUL at byte 3"):
            smtp.sendmail("s@x.example", PEOPLE, b"one\0two")
        assert sink.commands == []


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a@x.example", "a@x.example"),
        ("Ann <a@x.example>", "a@x.example"),
        ('"Ann, B" <a@x.example>', "a@x.example"),
        ("<a@x.example>", "a@x.example"),
        ("a@x.example (Ann)", "a@x.example"),
        ('"a b"@x.example', '"a b"@x.example'),
        ("ann", "ann"),
        ("Ann <ann>", "ann"),
        ("", ""),
        ("<>", ""),
    ],
)
def test_an_address_is_read_alike_on_every_python(address: str, path: str) -> None:
    assert compat.quoteaddr(address) == f"<{path}>"


@pytest.mark.parametrize(
    "address",
    [
        "a@x.example, b@x.example",
        "a@x.example b@x.example",
        "a@b(<c@d>",
        "<a@b>c@d",
        "a@x.example\r\nRSET",
        "ann bob",
        "ann,bob",
        "a@x.example>",
        "ann\0",
        "<ann> x",
    ],
)
@pytest.mark.parametrize("who", ["sender", "recipient"])
def test_what_is_not_one_address_is_refused_before_anything_is_sent(
    sink: Sink, address: str, who: str
) -> None:
    sender, recipient = (address, "b@x.example") if who == "sender" else ("s@x.example", address)
    with closing(clear(sink)) as smtp:
        with pytest.raises(ValueError, match=r"from_addr|to_addrs"):
            smtp.sendmail(sender, [PEOPLE[0], recipient], MESSAGE)
        with pytest.raises(ValueError, match=r"sender|recipient"):
            smtp.mail(address) if who == "sender" else smtp.rcpt(address)
        assert sink.commands == []


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from('@<>,;:()"\\ \r\n\0')))
def test_whatever_is_taken_for_an_address_is_one_path(address: str) -> None:
    try:
        path = compat.quoteaddr(address)
    except ValueError:
        return
    assert (path[0], path[-1]) == ("<", ">")
    assert not re.search(r"[\x00-\x1f\x7f]", path)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", path[1:-1])
    assert not set(outside) & set("<>,;() ")


@pytest.mark.parametrize(
    "call",
    [
        lambda smtp: smtp.docmd("NOOP\r\nRSET"),
        lambda smtp: smtp.docmd("NOOP", "x\nRSET"),
        lambda smtp: smtp.docmd("NOOP", "x\rRSET"),
        lambda smtp: smtp.docmd("NOOP", "x\0"),
        lambda smtp: smtp.helo("x\r\nRSET"),
        lambda smtp: smtp.ehlo("x\r\nRSET"),
        lambda smtp: smtp.help("x\nRSET"),
        lambda smtp: smtp.vrfy("x\nRSET"),
        lambda smtp: smtp.expn("x\nRSET"),
        lambda smtp: smtp.auth("PLAIN\r\nRSET", lambda _=None: None),
        lambda smtp: smtp.auth("PLAIN\r\nRSET", lambda _=None: "x"),
    ],
)
def test_no_argument_ends_its_command(sink: Sink, call: Any) -> None:
    with closing(clear(sink)) as smtp:
        with pytest.raises(ValueError, match=r"newline|control character|not one address"):
            call(smtp)
        assert sink.commands == []


@pytest.mark.parametrize("which", ["mail", "rcpt"])
def test_no_option_ends_its_command(sink: Sink, which: str) -> None:
    options: dict[str, Any] = {f"{which}_options": ["X=1\r\nRSET"]}
    with closing(clear(sink)) as smtp:
        with pytest.raises(ValueError, match="prohibited newline"):
            smtp.sendmail("s@x.example", PEOPLE, MESSAGE, **options)
        assert [line.split(" ")[0] for line in sink.commands] == ["ehlo"]


# --- what is heard --------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [b"220-and on\r\n", b"x" * 4096])
def test_a_greeting_without_end_is_given_up(words: bytes) -> None:
    with endless(b"220-hello\r\n", again=words) as port:
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            compat.SMTP("127.0.0.1", port)
        assert caught.value.smtp_code == -1
        assert b"a reply of more than" in caught.value.smtp_error


def test_a_long_line_is_cut() -> None:
    long = Fault(on="NOOP", reply=b"250 " + b"x" * 20_000 + b"\r\n")
    with Sink(faults=[long]) as sink, closing(clear(sink)) as smtp:
        assert smtp.noop() == (250, b"x" * (LONGEST_LINE - 4))
        assert smtp.rset()[0] == 250


def test_bytes_that_are_not_utf8_are_shown_as_escapes() -> None:
    with Sink(faults=[Fault(on="NOOP", reply=b"250 Gr\xfc\xdfe\r\n")]) as sink:
        with closing(clear(sink)) as smtp:
            assert smtp.noop() == (250, b"Gr\\xfc\\xdfe")


@pytest.mark.parametrize("words", ["hello?", "250-one\r\n251 two", "+250 x", "2_50 x"])
def test_what_is_no_reply_has_the_code_minus_one_and_ends_the_connection(words: str) -> None:
    with Sink(faults=[Fault(on="NOOP", reply=words)]) as sink, closing(clear(sink)) as smtp:
        code, text = smtp.noop()
        assert code == -1
        assert text.startswith((b"not a reply: ", b"a reply that began with 250"))
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.noop()


def test_a_reply_that_nothing_asked_for_is_paired_with_no_command() -> None:
    with Sink(faults=[Fault(on="NOOP", reply="250 ok", inject=b"250 ok\r\n")]) as sink:
        with closing(clear(sink)) as smtp:
            assert smtp.noop()[0] == -1
            assert smtp.sock is None


def test_a_reply_that_came_in_between_ends_the_session_before_a_message() -> None:
    heard, said = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rwb", buffering=0) as file:
                file.write(b"220 hello\r\n")
                file.readline()
                file.write(b"250-x\r\n250 PIPELINING\r\n")
                heard.wait(10)
                file.write(b"250 and more\r\n")
                said.set()
                assert file.readline() == b""

        thread = threading.Thread(target=serve)
        thread.start()
        with closing(compat.SMTP("127.0.0.1", listener.getsockname()[1], "client.example")) as smtp:
            smtp.ehlo()
            heard.set()
            said.wait(10)
            with pytest.raises(smtplib.SMTPServerDisconnected, match=r"unasked|nothing asked"):
                smtp.sendmail("s@x.example", PEOPLE, MESSAGE)
        thread.join()


# --- sessions -------------------------------------------------------------------------------------


def test_a_new_connection_begins_anew_after_one_that_was_lost() -> None:
    with Sink(faults=[Fault(on="RCPT", nth=1, drop=True)]) as sink, closing(clear(sink)) as smtp:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.sendmail("s@x.example", PEOPLE, MESSAGE)
        assert smtp.sock is None
        smtp.connect(sink.host, sink.port)
        assert (smtp.ehlo_resp, smtp.esmtp_features) == (None, {})
        assert smtp.sendmail("s@x.example", PEOPLE, MESSAGE) == {}
        assert not sink.violations


def test_a_message_that_was_not_wanted_is_no_hindrance_to_the_next() -> None:
    with Sink(faults=[Fault(on="DATA", nth=1, reply="451 later")]) as sink:
        with closing(clear(sink)) as smtp:
            with pytest.raises(smtplib.SMTPDataError):
                smtp.sendmail("s@x.example", PEOPLE, MESSAGE)
            assert smtp.sendmail("s@x.example", PEOPLE, MESSAGE) == {}


def test_the_same_recipient_twice_is_refused_as_one() -> None:
    with Sink(faults=[Fault(on="RCPT", reply="550 no")]) as sink, closing(clear(sink)) as smtp:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
            smtp.sendmail("s@x.example", ["a@x.example"] * 2, MESSAGE)
        assert caught.value.recipients == {"a@x.example": (550, b"no")}


def test_connecting_twice_leaves_no_socket_open(sink: Sink) -> None:
    with closing(clear(sink)) as smtp:
        first = smtp.sock
        smtp.connect(sink.host, sink.port)
        assert first.fileno() == -1


def test_lmtp_counts_who_is_refused_behind_the_message() -> None:
    def b_only(text: str) -> bool:
        return "b@x.example" in text

    full = Fault(on=".", when=b_only, reply="552 5.2.2 full")
    unknown = Fault(on="RCPT", when="c@x.example", reply="550 no")
    for debug in (0, 1):
        with Sink(lmtp=True, faults=[full, unknown]) as sink:
            smtp = compat.LMTP(sink.host, sink.port, "client.example")
            smtp.set_debuglevel(debug)
            with redirect_stderr(io.StringIO()), closing(smtp):
                assert smtp.sendmail("s@x.example", PEOPLE, MESSAGE) == {
                    "b@x.example": (552, b"5.2.2 full"),
                    "c@x.example": (550, b"no"),
                }
                assert smtp.noop()[0] == 250
                assert sink.messages[0].recipients == ("a@x.example",)


def test_lmtp_takes_the_port_behind_the_host() -> None:
    with Sink(lmtp=True) as sink, closing(compat.LMTP(f"{sink.host}:{sink.port}")) as smtp:
        assert smtp.ehlo()[0] == 250


# --- what only this module does -------------------------------------------------------------------


def test_a_message_takes_two_writes_where_the_server_pipelines(sink: Sink) -> None:
    with closing(clear(sink)) as smtp:
        smtp.ehlo()
        smtp.sock = Counting(smtp.sock)
        smtp.ehlo()
        smtp.sendmail("s@x.example", PEOPLE, MESSAGE)
        assert smtp.sock.writes == ["ehlo", "mail", "Subject:"]


class Counting:
    """A socket of the program's own, which notes how each write begins."""

    def __init__(self, inner: socket.socket) -> None:
        self.writes: list[str] = []
        self._inner = inner

    def sendall(self, data: bytes) -> None:
        self.writes.append(data.split()[0].decode())
        self._inner.sendall(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_pipelining_can_be_taken_out(sink: Sink) -> None:
    with closing(clear(sink)) as smtp:
        smtp.ehlo()
        del smtp.esmtp_features["pipelining"]
        smtp.sock = Counting(smtp.sock)
        assert smtp.sendmail("s@x.example", PEOPLE[:1], MESSAGE) == {}
        assert smtp.sock.writes == ["mail", "rcpt", "data", "Subject:"]


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "docmd", "putcmd", "send", "getreply"])
def test_a_method_of_the_program_is_called_in_place_of_the_own(sink: Sink, step: str) -> None:
    called: list[str] = []

    def own(self: Any, *arguments: Any) -> Any:
        called.append(step)
        return getattr(compat.SMTP, step)(self, *arguments)

    kind = type("Own", (compat.SMTP,), {step: own})
    with closing(kind(sink.host, sink.port, "client.example")) as smtp:
        smtp.ehlo()
        called.clear()
        assert smtp.sendmail("s@x.example", PEOPLE[:1], MESSAGE) == {}
        assert called


def test_the_debug_output_has_each_step(sink: Sink) -> None:
    heard = io.StringIO()
    with redirect_stderr(heard), closing(clear(sink)) as smtp:
        smtp.set_debuglevel(1)
        smtp.sendmail("s@x.example", PEOPLE[:1], b"x")
    lines = heard.getvalue().splitlines()
    assert "send: 'rcpt to:<a@x.example>\\r\\n'" in lines
    assert "send: b'x\\r\\n.\\r\\n'" in lines
    assert [line for line in lines if line.startswith("reply: b'354 ")]
    assert [line for line in lines if line.startswith("data: (250, b'")]


def test_the_debug_output_is_that_of_smtplib() -> None:
    outputs = []
    for module in (smtplib, compat):
        heard = io.StringIO()
        with Sink() as sink, redirect_stderr(heard), closing(clear(sink, module)) as smtp:
            smtp.set_debuglevel(1)
            smtp.ehlo()
            smtp.docmd("NOOP")
            smtp.docmd("NONSENSE")
            smtp.sendmail("s@x.example", PEOPLE, MESSAGE)
            smtp.quit()
        outputs.append(heard.getvalue().replace("FROM:", "from:").replace("TO:", "to:"))
    assert outputs[0] == outputs[1]


def test_a_message_of_the_email_package_goes_without_its_bcc(sink: Sink) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Bcc"] = "s@x.example", PEOPLE[0], PEOPLE[1]
    message.set_content("x")
    with closing(clear(sink)) as smtp:
        assert smtp.send_message(message) == {}
    (arrived,) = sink.messages
    assert arrived.recipients == tuple(PEOPLE[:2])
    assert b"Bcc" not in arrived.content


def test_key_files_are_taken_where_smtplib_takes_them(sink: Sink) -> None:
    context = ssl.create_default_context()
    is_taken = sys.version_info < (3, 12)
    error: type[Exception] = ValueError if is_taken else TypeError
    with closing(clear(sink)) as smtp:
        with pytest.raises(error, match="mutually exclusive" if is_taken else "keyfile"):
            smtp.starttls(keyfile="x", context=context)
