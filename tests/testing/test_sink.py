"""The life of a sink, where it says it is, and what it lets a test wait for."""

from __future__ import annotations

import socket
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import smtps
from smtps import BadValue, Envelope
from smtps.testing import Fault, Sink, SinkMessage
from tests.support.raw import RawClient, dial, greet, submit


def test_a_plain_sink_says_so_in_its_url() -> None:
    with Sink() as sink:
        assert sink.url == f"smtp://127.0.0.1:{sink.port}?tls=none"


@pytest.mark.parametrize(("tls", "scheme"), [("starttls", "smtp"), ("implicit", "smtps")])
def test_the_url_of_a_sink_with_tls_names_its_authority(tls: str, scheme: str) -> None:
    with Sink(tls=tls) as sink:  # type: ignore[arg-type]
        parts = urlsplit(sink.url)
        assert (parts.scheme, parts.hostname, parts.port) == (scheme, "127.0.0.1", sink.port)
        assert parse_qs(parts.query) == {"openssl_ca_file": [sink.ca_file]}


def test_the_url_logs_in_as_the_first_of_the_given_users() -> None:
    with Sink(users={"a@b": "p/w:?"}) as sink:
        assert sink.url.startswith("smtp://a%40b:p%2Fw%3A%3F@127.0.0.1:")


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_a_sink_can_listen_on_ipv6() -> None:
    try:
        sink = Sink(host="::1")
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")
    with sink, greet(sink) as client:
        assert submit(client, b"x\r\n").startswith("250 ")
        assert urlsplit(sink.url).hostname == "::1"


def test_closing_ends_every_client_and_every_thread() -> None:
    before = threading.active_count()
    sink = Sink(tls="starttls", faults=[Fault(on="NOOP", stall=True)])
    idle, stalled, shaking, new = (
        greet(sink),
        greet(sink),
        greet(sink),
        RawClient("127.0.0.1", sink.port),
    )
    stalled.send(b"NOOP\r\n")
    shaking.send(b"STARTTLS\r\n")
    sink.wait_until(lambda: {"NOOP", "STARTTLS"} <= set(sink.commands))
    sink.close()
    sink.close()
    for client in (idle, stalled, shaking, new):
        client.close()
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        RawClient("127.0.0.1", sink.port)


def test_closing_lets_go_of_what_waits_for_the_test() -> None:
    with Sink(faults=[Fault(on="NOOP", until=threading.Event())]) as sink, greet(sink) as client:
        client.send(b"NOOP\r\n")
        sink.wait_until(lambda: "NOOP" in sink.commands)


def test_many_clients_are_counted_and_kept_apart() -> None:
    def run(number: int) -> None:
        with greet(sink) as client:
            for _ in range(20):
                submit(client, b"%d\r\n" % number)

    with Sink() as sink:
        threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        sink.wait_for(160)
        for thread in threads:
            thread.join()
        assert sink.count == 160
        by_connection = {(message.connection, message.content) for message in sink.messages}
        assert len(by_connection) == 8


def test_waiting_for_what_does_not_come_times_out() -> None:
    with Sink() as sink, pytest.raises(TimeoutError, match=r"in 0\.01 s"):
        sink.wait_for(1, timeout=0.01)


def test_the_end_of_a_connection_can_be_waited_for() -> None:
    with Sink() as sink:
        dial(sink).close()
        sink.wait_until(lambda: sink.connections[0].closed)
        assert sink.connections[0].error is None


def test_a_client_that_breaks_the_handshake_is_noted() -> None:
    with Sink(tls="implicit") as sink, RawClient(sink.host, sink.port) as client:
        client.send(b"EHLO client.example\r\n")
        sink.wait_until(lambda: [one for one in sink.connections if one.closed])
        assert "SSL" in str(sink.connections[0].error)


def test_bytes_are_counted_in_both_directions() -> None:
    with Sink(extensions=[]) as sink, dial(sink) as client:
        client.ask("NOOP")
        assert sink.connections[0].received == len("NOOP\r\n")
        sink.wait_until(
            lambda: sink.connections[0].sent == len("220 sink.example ESMTP\r\n250 OK\r\n")
        )


def test_messages_go_to_a_function_of_ones_own_and_are_not_kept() -> None:
    taken: list[SinkMessage] = []
    with Sink(on_message=taken.append) as sink:
        smtps.send((Envelope("a@b.example", ["c@d.example"]), b"Hi\r\n"), sink.url)
        assert sink.count == 1
        assert sink.messages == ()
    assert taken[0].content == b"Hi\r\n"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("tls", value) for value in ("none", "", True, "ssl")),
        *(("extensions", value) for value in ("PIPELINING", 5, [5])),
        *(("faults", value) for value in (Fault(on="RCPT", drop=True), 5, ["RCPT"])),
    ],
)
def test_an_argument_that_is_none_is_refused(field: str, value: Any) -> None:
    with pytest.raises(BadValue) as caught:
        Sink(**{field: value})
    assert caught.value.field == field


def test_the_url_lets_a_user_log_in_in_clear_text_where_that_is_offered() -> None:
    with Sink(users={"ann": "p"}, auth_in_clear=True) as sink:
        item = Envelope("a@b.example", ["x@y.example"]), b"Subject: x\r\n\r\n"
        assert smtps.send(item, sink.url).ok
        assert sink.messages[0].user == "ann"
