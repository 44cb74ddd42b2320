"""Messages arrive at the sink byte for byte, however they are sent."""

from __future__ import annotations

import pytest

from smtps.testing import Fault, Sink
from tests.support.raw import ENVELOPE, dial, greet, submit


@pytest.mark.parametrize(
    ("sent", "content"),
    [
        (b"", b""),
        (b"one\r\n", b"one\r\n"),
        (b"..\r\n...\r\n..a\r\n", b".\r\n..\r\n.a\r\n"),
        (b"\r\n..\r\n", b"\r\n.\r\n"),
        (b"a\r\n" * 50_000, b"a\r\n" * 50_000),
        (bytes(set(range(256)) - {10, 13}) + b"\r\n", bytes(set(range(256)) - {10, 13}) + b"\r\n"),
    ],
)
def test_data_is_kept_raw_and_with_its_dots_taken_away(sent: bytes, content: bytes) -> None:
    with Sink() as sink, greet(sink) as client:
        submit(client, sent)
        message = sink.messages[0]
        assert message.raw_data == sent + b".\r\n"
        assert message.content == content
        assert message.how == "DATA"


def test_data_that_arrives_byte_by_byte_is_the_same() -> None:
    with Sink() as sink, greet(sink) as client:
        client.send(ENVELOPE + b"DATA\r\n")
        client.reply(), client.reply(), client.reply()
        for byte in b"a\r\n..\r\n\r.\n\r\n..\r\r\n.\r\n":
            client.send(bytes([byte]))
        assert client.reply().startswith("250 ")
        assert sink.messages[0].content == b"a\r\n.\r\n\r.\n\r\n.\r\r\n"


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\0\r\n"])
def test_only_crlf_dot_crlf_ends_the_data(end: bytes) -> None:
    with Sink() as sink, greet(sink) as client:
        content = b"a" + end + b"MAIL FROM:<evil@x.example>\r\n"
        assert submit(client, content).startswith("250 ")
        assert len(sink.messages) == 1
        assert end in sink.messages[0].raw_data


def test_bare_newlines_in_content_are_counted() -> None:
    with Sink() as sink, greet(sink) as client:
        submit(client, b"a\rb\nc\r\n\n\r\r\n")
        assert sink.messages[0].bare_newlines == 4
        assert sink.bare_newlines == 4


def test_chunks_are_joined_as_they_came() -> None:
    with Sink() as sink, greet(sink) as client:
        client.send(ENVELOPE + b"BDAT 5\r\n.\r\n.\rBDAT 0\r\nBDAT 3 LAST\r\n\n..")
        replies = [client.reply()[:3] for _ in range(5)]
        assert replies == ["250"] * 5
        message = sink.messages[0]
        assert message.content == message.raw_data == b".\r\n.\r\n.."
        assert message.how == "BDAT"


def test_what_the_envelope_said_is_kept() -> None:
    with Sink() as sink, greet(sink) as client:
        client.ask("MAIL FROM:<> BODY=8BITMIME ENVID=q+2B1 RET=HDRS SMTPUTF8 SIZE=7")
        client.ask('rcpt to:<"a> b"@x.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@x')
        client.ask("RCPT TO:<bøb@x.example>")
        client.send(b"BDAT 1 LAST\r\nx")
        client.reply()
        message = sink.messages[0]
        assert message.sender == ""
        assert message.recipients == ('"a> b"@x.example', "bøb@x.example")
        assert message.parameters == {
            "BODY": "8BITMIME",
            "ENVID": "q+2B1",
            "RET": "HDRS",
            "SMTPUTF8": None,
            "SIZE": "7",
        }
        assert message.recipient_parameters == (
            {"NOTIFY": "SUCCESS,FAILURE", "ORCPT": "rfc822;b@x"},
            {},
        )
        assert message.hello == "client.example"
        assert message.connection == 1
        assert not message.tls


@pytest.mark.parametrize(
    "line",
    [
        "MAIL FROM:a@x.example",
        "MAIL FROM: <a@x.example>",
        "MAIL FROM:<a@x.example>SIZE=1",
        "MAIL FROM:<a@x.example>  SIZE=1",
        "MAIL FROM:<a b@x.example>",
        "MAIL FROM:<a>b@x.example>",
        "MAIL FROM:<a@x.example> SIZE=a",
        "MAIL <a@x.example>",
    ],
)
def test_a_malformed_mail_gets_501(line: str) -> None:
    with Sink() as sink, greet(sink) as client:
        assert client.ask(line).startswith("501 ")


def test_parameters_of_extensions_that_are_not_announced_get_555() -> None:
    with Sink(extensions=["SIZE"]) as sink, greet(sink) as client:
        assert client.ask("MAIL FROM:<a@x.example> BODY=8BITMIME").startswith("555 ")
        assert client.ask("MAIL FROM:<a@x.example> SIZE=9").startswith("250 ")
        assert client.ask("RCPT TO:<b@x.example> NOTIFY=NEVER").startswith("555 ")


def test_an_address_beyond_ascii_needs_smtputf8() -> None:
    with Sink() as sink, greet(sink) as client:
        assert client.ask("MAIL FROM:<ä@x.example>").startswith("553 ")
        client.ask("MAIL FROM:<a@x.example>")
        assert client.ask("RCPT TO:<ä@x.example>").startswith("553 ")


def test_commands_out_of_order_get_503() -> None:
    exchange = [
        ("MAIL FROM:<a@x.example>", "503"),  # before EHLO
        ("EHLO client.example", "250"),
        ("RCPT TO:<b@x.example>", "503"),
        ("DATA", "503"),
        ("BDAT 2\r\nab", "503"),
        ("MAIL FROM:<a@x.example>", "250"),
        ("MAIL FROM:<a@x.example>", "503"),
        ("DATA", "503"),  # without a recipient
        ("RCPT TO:<b@x.example>", "250"),
        ("BDAT 2\r\nab", "250"),
        ("DATA", "503"),
        ("RCPT TO:<c@x.example>", "503"),
        ("RSET", "250"),
        ("RCPT TO:<b@x.example>", "503"),
    ]
    with Sink() as sink, dial(sink) as client:
        for line, code in exchange:
            client.send(line.encode() + (b"" if line.startswith("BDAT") else b"\r\n"))
            assert client.reply()[:3] == code, line


def test_a_refused_transaction_stays_open_until_rset() -> None:
    with Sink(faults=[Fault(on="RCPT", reply="550 5.1.1 no")]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"BDAT 1 LAST\r\nxMAIL FROM:<c@x.example>\r\nRSET\r\n" + ENVELOPE)
        codes = [client.reply()[:3] for _ in range(7)]
        assert codes == ["250", "550", "503", "503", "250", "250", "550"]


def test_after_a_refused_chunk_every_other_is_refused_until_rset() -> None:
    refusal = Fault(on="BDAT", nth=1, reply="452 4.3.1 full")
    with Sink(faults=[refusal]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"BDAT 1\r\nxBDAT 1 LAST\r\nyRSET\r\n")
        codes = [client.reply()[:3] for _ in range(5)]
        assert codes == ["250", "250", "452", "503", "250"]
        assert sink.count == 0


def test_a_message_beyond_the_limit_is_refused_at_mail_and_at_its_end() -> None:
    with Sink(extensions=["SIZE 10", "CHUNKING", "PIPELINING"]) as sink, greet(sink) as client:
        assert client.ask("MAIL FROM:<a@x.example> SIZE=11").startswith("552 ")
        assert submit(client, b"a" * 8 + b"\r\n").startswith("250 ")
        assert submit(client, b"a" * 9 + b"\r\n").startswith("552 ")
        client.send(ENVELOPE + b"BDAT 11\r\nhello worldBDAT 0 LAST\r\nRSET\r\n")
        assert [client.reply()[:3] for _ in range(5)] == ["250", "250", "552", "503", "250"]
        assert sink.count == 1


def test_binary_content_cannot_go_through_data() -> None:
    with Sink(extensions=["8BITMIME", "BINARYMIME", "CHUNKING"]) as sink, greet(sink) as client:
        client.ask("MAIL FROM:<a@x.example> BODY=BINARYMIME")
        client.ask("RCPT TO:<b@x.example>")
        assert client.ask("DATA").startswith("503 ")


def test_a_discarding_sink_counts_and_keeps_nothing() -> None:
    with Sink(record=False) as sink, greet(sink) as client:
        for size in (0, 1, 100_000):
            submit(client, b"a\r\n" * size)
            client.send(ENVELOPE + b"BDAT %d LAST\r\n" % size + b"." * size)
            assert [client.reply()[:3] for _ in range(3)] == ["250"] * 3
        assert sink.count == 6
        assert sink.messages == ()
        assert sink.commands == []
