"""The C sink over sockets: cut anywhere, in clear and over TLS, with many connections at once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from benchmarks.comparison.native import NotBuilt, Program
from benchmarks.comparison.sink import Sink
from benchmarks.comparison.source import SOURCE
from tests.support.raw import RawClient

EHLO = b"EHLO client.example\r\n"
ENVELOPE = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n"
CONVERSATION = (
    ENVELOPE + b"DATA\r\nHello\r\n..dot\r\n.\r\n"
    b"RSET\r\n" + ENVELOPE + b"BDAT 4\r\n.\r\n\nBDAT 6 LAST\r\nQUIT\r\n"
    b"RSET\r\nQUIT\r\n"
)
CODES = ["250", "250", "354", "250", "250", "250", "250", "250", "250", "250", "221"]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink
        assert sink.close() == 0


def dial(sink: Sink, security: str) -> RawClient:
    """Connect and say EHLO, in the way that `security` says."""
    client = RawClient(sink.host, sink.tls_port if security == "implicit" else sink.port)
    if security == "implicit":
        client.start_tls(sink.ca_file)
    assert client.reply().startswith("220 ")
    if security == "starttls":
        assert client.ask("EHLO client.example").startswith("250")
        assert client.ask("STARTTLS").startswith("220 ")
        client.start_tls(sink.ca_file)
    assert client.ask("EHLO client.example").startswith("250")
    return client


def await_taken(sink: Sink) -> None:
    """Wait until the sink has read what was sent: it answers in turns, sockets and this alike."""
    sink.tally()
    sink.tally()


@pytest.mark.parametrize("security", ["none", "starttls", "implicit"])
def test_a_conversation_may_be_cut_anywhere(sink: Sink, security: str) -> None:
    # A handshake for each is slow: every cut in clear, some over TLS.
    step = 1 if security == "none" else 11
    for cut in range(0, len(CONVERSATION), step):
        before = sink.tally()
        with dial(sink, security) as client:
            client.send(CONVERSATION[:cut])
            await_taken(sink)
            client.send(CONVERSATION[cut:])
            assert [client.reply()[:3] for _ in CODES] == CODES, cut
        taken = sink.tally() - before
        assert (taken.messages, taken.recipients, taken.bytes) == (2, 2, 23), cut


@pytest.mark.parametrize("security", ["none", "implicit"])
def test_a_conversation_may_come_byte_by_byte(sink: Sink, security: str) -> None:
    with dial(sink, security) as client:
        for at in range(len(CONVERSATION)):
            client.send(CONVERSATION[at : at + 1])
        assert [client.reply()[:3] for _ in CODES] == CODES


def test_replies_to_one_write_come_in_one_piece(sink: Sink) -> None:
    with dial(sink, "none") as client:
        client.send(b"NOOP\r\n" * 500)
        await_taken(sink)
        assert client.socket.recv(65536).count(b"\r\n") == 500


def test_a_client_that_reads_late_loses_no_reply(sink: Sink) -> None:
    many = 400_000
    with dial(sink, "none") as client:
        client.socket.setblocking(False)
        left = memoryview(b"NOOP\r\n" * many)
        replies = 0
        # Until the sink stops reading because its replies are not read.
        while left:
            try:
                left = left[client.socket.send(left) :]
            except BlockingIOError:
                break
        while replies < many:
            if left:
                try:
                    left = left[client.socket.send(left) :]
                except BlockingIOError:
                    pass
            try:
                replies += client.socket.recv(1 << 20).count(b"\n")
            except BlockingIOError:
                pass
        assert replies == many


def test_bytes_behind_starttls_end_the_connection(sink: Sink) -> None:
    with RawClient(sink.host, sink.port) as client:
        client.reply()
        client.send(EHLO + b"STARTTLS\r\nNOOP\r\n")
        assert client.reply().startswith("250")
        assert client.reply().startswith("220 ")
        assert client.rest() == b""


def test_extensions_can_be_switched_off() -> None:
    with Sink(chunking=False, pipelining=False, size=1000) as plain:
        with RawClient(plain.host, plain.port) as client:
            client.reply()
            lines = client.ask("EHLO client.example").splitlines()
            assert {line[4:] for line in lines[1:]} == {
                "STARTTLS", "SIZE 1000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES",
            }  # fmt: skip
            assert client.ask("BDAT 0 LAST").startswith("500 ")


@pytest.mark.parametrize("tls", [(), ("--tls",)])
@pytest.mark.parametrize("grouping", [(), ("--data",)])
def test_the_c_source_delivers_each_message_over_many_connections(
    sink: Sink, tls: tuple[str, ...], grouping: tuple[str, ...]
) -> None:
    before = sink.tally()
    port = sink.tls_port if tls else sink.port
    options = ("--port", port, "--count", 1003, "--connections", 8, "--window", 50, *tls, *grouping)
    result = subprocess.run(
        [SOURCE.build(), *map(str, options)], capture_output=True, text=True, check=True
    )
    assert json.loads(result.stdout)["messages"] == 1003
    taken = sink.tally() - before
    assert (taken.messages, taken.bytes, taken.connections) == (1003, 1003 * 1024, 8)
    assert taken.refusals == 0


def test_a_program_that_the_compiler_refuses_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "false")
    with pytest.raises(NotBuilt, match="nothing was not built"):
        Program("nothing", ("sink.c",)).build()
