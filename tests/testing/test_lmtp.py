"""The sink as a server of LMTP, seen by a client that is not this package."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from smtps.testing import Fault, Sink
from tests.support.raw import dial

CONTENT = b"Subject: x\r\n\r\n..\r\n"


def deliver(client: smtplib.LMTP, people: list[str]) -> list[int]:
    """Give the last reply's code for each recipient that was taken."""
    client.ehlo("client.example")
    client.mail("a@x.example")
    taken = [to for to in people if client.rcpt(to)[0] == 250]
    assert client.docmd("DATA")[0] == 354
    client.send(CONTENT + b".\r\n")
    return [client.getreply()[0] for _ in taken]


def test_each_recipient_gets_a_reply_of_its_own() -> None:
    fault = Fault(on=".", when="full@", reply="552 5.2.2 full")
    with Sink(lmtp=True, faults=[fault]) as sink:
        with smtplib.LMTP(sink.host, sink.port) as client:
            assert deliver(client, ["a@x.example", "full@x.example", "b@x.example"]) == [
                250,
                552,
                250,
            ]
    assert sink.messages[0].recipients == ("a@x.example", "b@x.example")
    assert sink.messages[0].content == b"Subject: x\r\n\r\n.\r\n"


def test_a_message_that_all_refuse_is_not_kept() -> None:
    with Sink(lmtp=True, faults=[Fault(on=".", reply="552 5.2.2 full")]) as sink:
        with smtplib.LMTP(sink.host, sink.port) as client:
            assert deliver(client, ["a@x.example", "b@x.example"]) == [552, 552]
    assert sink.count == 0


def test_a_message_over_the_limit_is_refused_for_each() -> None:
    with Sink(lmtp=True, extensions=["SIZE 5"]) as sink:
        with smtplib.LMTP(sink.host, sink.port) as client:
            assert deliver(client, ["a@x.example", "b@x.example"]) == [552, 552]
    assert sink.count == 0


def test_the_last_chunk_is_answered_for_each() -> None:
    with Sink(lmtp=True, faults=[Fault(on=".", when="b@", reply="450 4.2.0 locked")]) as sink:
        with dial(sink) as client:
            assert client.ask("LHLO client.example").startswith("250")
            client.send(
                b"MAIL FROM:<s@x.example>\r\nRCPT TO:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n"
                b"BDAT 3\r\nabcBDAT 2 LAST\r\n\r\n"
            )
            codes = [client.reply()[:3] for _ in range(6)]
    assert codes == ["250", "250", "250", "250", "250", "450"]
    assert sink.messages[0].content == b"abc\r\n"


@pytest.mark.parametrize(("lmtp", "verb"), [(True, "EHLO"), (True, "HELO"), (False, "LHLO")])
def test_the_other_protocol_is_not_known(lmtp: bool, verb: str) -> None:
    with Sink(lmtp=lmtp) as sink, dial(sink) as client:
        assert client.ask(f"{verb} client.example").startswith("500")


def test_a_unix_socket_is_made_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "lmtp socket"
    with Sink(lmtp=True, path=str(path)) as sink:
        assert sink.url == f"lmtp://{tmp_path}/lmtp%20socket"
        with smtplib.LMTP(str(path)) as client:
            assert deliver(client, ["a@x.example"]) == [250]
    assert sink.count == 1
    assert not path.exists()
