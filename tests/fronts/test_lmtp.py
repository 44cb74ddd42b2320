"""LMTP, over TCP and Unix sockets: one outcome for each recipient. RFC 2033."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smtps import (
    BadValue,
    CommandRefused,
    ConnectionFailed,
    DeliveryUnknown,
    Envelope,
    MessageRefused,
    Outcome,
    Protocol,
    ProtocolError,
    RecipientsRefused,
    SSLStartMode,
)
from smtps.testing import Fault, Sink
from tests.support.dovecot import FULL, Dovecot
from tests.support.fronts import Front
from tests.support.servers import DEFERRED, REFUSED, fresh_address

CONTENT = b"Subject: x\n\n.\n..\rlast"
ARRIVES = b"Subject: x\r\n\r\n.\r\n..\r\nlast\r\n"
PEOPLE = ["a@x.example", "b@x.example", "c@x.example"]
ENVELOPE = Envelope("s@x.example", PEOPLE)


@pytest.fixture(params=["tcp", "unix"])
def open_sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Sink]]:
    """Make a sink that speaks LMTP, on a port or on a Unix socket."""
    sinks: list[Sink] = []

    def make(*faults: Fault, **options: object) -> Sink:
        path = str(tmp_path / "lmtp") if request.param == "unix" else None
        sinks.append(Sink(lmtp=True, path=path, faults=faults, **options))  # type: ignore[arg-type]
        return sinks[-1]

    yield make
    for sink in sinks:
        sink.close()


def test_a_message_arrives_and_each_recipient_is_answered(
    front: Front, open_sink: Callable[..., Sink]
) -> None:
    sink = open_sink()
    receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert receipt.accepted == tuple(PEOPLE)
    assert [result.reply and result.reply.code for result in receipt.results] == [250] * 3
    (message,) = sink.messages
    assert (message.content, message.recipients) == (ARRIVES, tuple(PEOPLE))
    assert sink.commands[0].startswith("LHLO ")
    assert sink.commands[-1] == "QUIT"
    assert sink.violations == []


@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME"), ("8BITMIME",)])
def test_each_recipient_has_an_outcome_of_its_own(
    front: Front, open_sink: Callable[..., Sink], extensions: tuple[str, ...]
) -> None:
    people = ["a@x.example", "no@x.example", "full@x.example", "busy@x.example", "b@x.example"]
    sink = open_sink(
        Fault(on="RCPT", when="<no@", reply="550 5.1.1 no such user"),
        Fault(on=".", when="full@", reply="552 5.2.2 full"),
        Fault(on=".", when="busy@", reply="450 4.2.0 locked"),
        extensions=extensions,
    )
    receipt = front.send(front.at(sink.url), (Envelope("s@x.example", people), CONTENT))
    assert [result.outcome for result in receipt.results] == [
        Outcome.ACCEPTED,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.DEFERRED,
        Outcome.ACCEPTED,
    ]
    texts = [result.reply.text for result in receipt.results if result.reply is not None]
    assert texts[1:4] == ["5.1.1 no such user", "5.2.2 full", "4.2.0 locked"]
    assert sink.messages[0].recipients == ("a@x.example", "b@x.example")


def test_the_replies_to_one_message_are_not_those_to_the_next(
    front: Front, open_sink: Callable[..., Sink]
) -> None:
    sink = open_sink(Fault(on=".", when="b@", nth=1, reply="552 5.2.2 full"))
    smtp = front.at(sink.url)
    front.connect(smtp)
    first = front.send(smtp, (ENVELOPE, CONTENT))
    second = front.send(smtp, (ENVELOPE, CONTENT))
    assert (first.refused, second.ok) == (("b@x.example",), True)
    assert len(sink.connections) == 1


def test_a_message_that_nobody_takes_is_refused(
    front: Front, open_sink: Callable[..., Sink]
) -> None:
    sink = open_sink(Fault(on=".", reply="552 5.2.2 full"))
    smtp = front.at(sink.url)
    front.connect(smtp)
    with pytest.raises(MessageRefused, match="full") as caught:
        front.send(smtp, (ENVELOPE, CONTENT))
    assert caught.value.receipt is not None
    assert caught.value.receipt.refused == tuple(PEOPLE)
    assert (sink.count, smtp.connected) == (0, True)


def test_no_content_goes_where_no_recipient_is_left(
    front: Front, open_sink: Callable[..., Sink]
) -> None:
    sink = open_sink(Fault(on="RCPT", reply="550 5.1.1 no such user"))
    with pytest.raises(RecipientsRefused):
        front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert "DATA" not in sink.commands


def test_what_is_not_answered_is_unknown(front: Front, open_sink: Callable[..., Sink]) -> None:
    sink = open_sink(Fault(on=".", when="b@", drop=True))
    receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert (receipt.accepted, receipt.unknown) == (("a@x.example",), ("b@x.example", "c@x.example"))
    assert isinstance(receipt.error, DeliveryUnknown)


def test_421_in_the_middle_answers_for_the_rest(
    front: Front, open_sink: Callable[..., Sink]
) -> None:
    sink = open_sink(Fault(on=".", when="b@", reply="421 4.3.2 going down", drop=True))
    receipt = front.send(front.at(sink.url), (ENVELOPE, CONTENT))
    assert (receipt.accepted, receipt.deferred) == (
        ("a@x.example",),
        ("b@x.example", "c@x.example"),
    )


def test_with_one_reply_too_many_none_can_be_paired(
    front: Front, open_sink: Callable[..., Sink]
) -> None:
    sink = open_sink(Fault(on=".", when="c@", inject=b"250 2.0.0 evil\r\n"))
    smtp = front.at(sink.url)
    front.connect(smtp)
    with pytest.raises(DeliveryUnknown, match="an unasked reply arrived") as caught:
        front.send(smtp, (ENVELOPE, CONTENT))
    assert isinstance(caught.value.__cause__, ProtocolError)
    assert not smtp.connected


def test_a_server_of_smtp_is_told_apart(front: Front) -> None:
    with Sink() as sink:
        smtp = front.make(
            mail_server=sink.host,
            mail_port=sink.port,
            protocol=Protocol.LMTP,
            ssl_start_mode=SSLStartMode.NONE,
        )
        with pytest.raises(CommandRefused, match="LHLO was refused"):
            front.connect(smtp)
    assert not any(line.startswith("HELO") for line in sink.commands)


def test_tls_is_required_over_tcp(front: Front) -> None:
    with Sink(lmtp=True, tls="starttls") as sink:
        assert front.send(front.at(sink.url), (ENVELOPE, CONTENT)).ok
    assert sink.messages[0].tls
    assert [line[:4] for line in sink.commands[:3]] == ["LHLO", "STAR", "LHLO"]


def test_a_socket_that_is_not_there_is_named(front: Front, tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed, match=r"cannot connect to /.*/none: No such file"):
        front.connect(front.at(f"lmtp://{tmp_path}/none"))


def test_a_socket_that_nobody_listens_on_refuses(front: Front, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left"))
    with pytest.raises(ConnectionFailed) as caught:
        front.connect(front.at(f"lmtp://{tmp_path}/left"))
    assert caught.value.code == 10061


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"ssl_start_mode": SSLStartMode.EXPLICIT}, "ssl_start_mode"),
        ({"allow_extensions": False}, "allow_extensions"),
    ],
)
def test_options_that_contradict_are_named(
    front: Front, options: dict[str, object], field: str
) -> None:
    smtp = front.make(mail_server="/run/lmtp", protocol=Protocol.LMTP, **options)
    with pytest.raises(BadValue) as caught:
        front.connect(smtp)
    assert caught.value.field == field


def test_a_path_too_long_for_a_socket_is_refused(front: Front) -> None:
    with pytest.raises(BadValue, match="107 bytes"):
        front.make(mail_server="/" + "x" * 107)


# --- Dovecot --------------------------------------------------------------------------------------


@pytest.fixture(params=["tcp", "unix"])
def dovecot_url(request: pytest.FixtureRequest, dovecot: Dovecot) -> str:
    if request.param == "unix":
        return f"lmtp://{dovecot.lmtp_socket}"
    return f"lmtp://{dovecot.host}:{dovecot.lmtp_port}?tls=none"


def test_dovecot_answers_for_each_mailbox(front: Front, dovecot: Dovecot, dovecot_url: str) -> None:
    one, two = fresh_address(), fresh_address()
    people = [one, REFUSED, FULL, DEFERRED, two]
    receipt = front.send(front.at(dovecot_url), (Envelope("s@x.example", people), CONTENT))
    assert receipt.accepted == (one, two)
    assert (receipt.refused, receipt.deferred) == ((REFUSED, FULL), (DEFERRED,))
    full = receipt.results[2].reply
    assert full is not None
    assert (full.enhanced, "Quota exceeded" in full.text) == ("5.2.2", True)
    for mailbox in (one, two):
        arrived = dovecot.mailbox(mailbox)
        assert (arrived.sender, arrived.content) == ("s@x.example", ARRIVES)


def test_many_messages_go_over_one_connection_to_dovecot(
    front: Front, dovecot: Dovecot, dovecot_url: str
) -> None:
    smtp = front.at(dovecot_url)
    front.connect(smtp)
    people = [fresh_address() for _ in range(10)]
    for number, mailbox in enumerate(people):
        content = b"Subject: %d\r\n\r\n" % number
        front.send(smtp, (Envelope("s@x.example", [FULL, mailbox]), content))
    subjects = [dovecot.mailbox(mailbox).content for mailbox in people]
    assert subjects == [b"Subject: %d\r\n\r\n" % number for number in range(10)]


def test_many_messages_have_an_outcome_for_each_recipient(
    front: Front, open_sink: Callable[..., Sink]
) -> None:
    sink = open_sink(Fault(on=".", when="b@", reply="552 5.2.2 full"))
    items = [(ENVELOPE, b"Subject: %d\r\n\r\n" % number) for number in range(50)]
    receipts = front.send_many(front.at(sink.url), items)
    assert [receipt.index for receipt in receipts] == list(range(50))
    assert all(receipt.accepted == ("a@x.example", "c@x.example") for receipt in receipts)
    assert all(receipt.refused == ("b@x.example",) for receipt in receipts)
    assert (sink.count, len(sink.connections), sink.violations) == (50, 1, [])
