"""Single commands, events, and stopping what runs: the same on both fronts."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from smtps import ConnectionStatus, Envelope, Expand, PITrail
from smtps.errors import (
    AuthenticationRefused,
    BadValue,
    Busy,
    CommandRefused,
    Interrupted,
    NotConnected,
    ReplyError,
    SenderRefused,
    SMTPSError,
)
from smtps.events import HANDLERS
from smtps.testing import Fault, Sink
from tests.support.fronts import Front

ITEM = (Envelope("a@b.example", ["x@y.example"]), b"Subject: x\r\n\r\nHello\r\n")


# --- commands -------------------------------------------------------------------------------------


def test_a_command_of_the_program_gives_the_reply(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        assert front.run(smtp.send_command("HELP me")).startswith("214 2.0.0")
        assert smtp.last_reply_code == 214
        assert smtp.last_enhanced_code == "2.0.0"
        assert front.send(smtp, ITEM).ok
    assert "HELP me" in sink.commands


def test_a_command_without_a_session_is_error_1117(front: Front) -> None:
    with pytest.raises(NotConnected) as caught:
        front.run(front.make(mail_server="relay.example").send_command("NOOP"))
    assert caught.value.code == 1117


def test_a_refused_command_is_error_161_and_leaves_the_session(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(CommandRefused) as caught:
            front.run(smtp.send_command("FROB"))
        assert caught.value.code == 161
        assert front.send(smtp, ITEM).ok


@pytest.mark.parametrize("line", ["", "NOOP\r\nQUIT", "NOOP\n", "DATA", "starttls", "BDAT 3 LAST"])
def test_a_command_that_would_break_the_session_is_refused(front: Front, line: str) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(BadValue):
            front.run(smtp.send_command(line))
        assert smtp.connected
    assert [line.split(" ")[0] for line in sink.commands] == ["EHLO"]


def test_what_a_command_left_open_lends_nothing_to_a_message(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        front.run(smtp.send_command("MAIL FROM:<evil@b.example>"))
        front.run(smtp.send_command("RCPT TO:<victim@y.example>"))
        assert front.send(smtp, ITEM).ok
    (message,) = sink.messages
    assert (message.sender, message.recipients) == ("a@b.example", ("x@y.example",))


def test_a_quit_of_the_program_ends_the_session(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        front.run(smtp.send_command("QUIT"))
        assert not smtp.connected


def test_verify_gives_the_words_of_the_server_over_a_session_of_its_own(front: Front) -> None:
    with Sink(faults=[Fault(on="VRFY", nth=2, reply="550 5.1.1 unknown")]) as sink:
        smtp = front.at(sink.url)
        assert "Cannot verify" in front.run(smtp.verify("x@y.example"))
        assert not smtp.connected
        with pytest.raises(CommandRefused, match="unknown"):
            front.run(smtp.verify("z@y.example"))
    assert len(sink.connections) == 2
    assert "VRFY x@y.example" in sink.commands


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("", "empty; name a mailbox"),
        (None, "expected text, not NoneType"),
        ("a\r\nb", "control character U+000D at position 1"),
    ],
)
@pytest.mark.parametrize("method", ["verify", "expand"])
def test_what_is_no_address_to_ask_about_is_named(
    front: Front, method: str, argument: Any, words: str
) -> None:
    with Sink() as sink:
        with pytest.raises(BadValue) as caught:
            front.run(getattr(front.at(sink.url), method)(argument))
        assert str(caught.value).startswith(f"email_address: {words}")
        assert sink.connections == ()


@pytest.mark.parametrize("line", [None, 5, b"NOOP"])
def test_a_command_that_is_no_text_is_named(front: Front, line: Any) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(BadValue, match="command: expected text, not "):
            front.run(smtp.send_command(line))
        assert front.send(smtp, ITEM).ok


def test_expand_tells_each_member_of_a_list(front: Front) -> None:
    reply = b"250-2.1.5 Ann <a@y.example>\r\n250-2.1.5 <b@y.example>\r\n250 2.1.5 c@y.example\r\n"
    members = ["Ann <a@y.example>", "<b@y.example>", "c@y.example"]
    with Sink(faults=[Fault(on="EXPN", reply=reply)]) as sink:
        smtp = front.at(sink.url)
        told: list[Expand] = []
        smtp.on_expand = told.append
        assert front.run(smtp.expand("staff")) == members
    assert [event.address for event in told] == members


@pytest.mark.parametrize("method", ["verify", "expand"])
def test_a_look_up_cannot_hold_a_command(front: Front, method: str) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        for bad in ("", "x\r\nQUIT"):
            with pytest.raises(BadValue):
                front.run(getattr(smtp, method)(bad))
    assert sink.connections == ()


# --- events ---------------------------------------------------------------------------------------


def record(smtp: Any) -> list[Any]:
    seen: list[Any] = []
    for name in ("connection_status", "pi_trail", "start_transfer", "transfer", "end_transfer"):
        setattr(smtp, f"on_{name}", seen.append)
    return seen


def test_events_come_in_the_order_of_the_session(front: Front) -> None:
    with Sink(tls="implicit") as sink:
        smtp = front.at(sink.url)
        smtp.from_, smtp.send_to, smtp.message_text = "a@b.example", "x@y.example", "Hello\r\n"
        seen = record(smtp)
        front.send(smtp)
    states = [event.connection_event for event in seen if isinstance(event, ConnectionStatus)]
    assert states == ["Remote Connect", "Secure Connect", "Secure Disconnect", "Remote Disconnect"]
    names = [
        event.message.split(" ")[0] if isinstance(event, PITrail) else type(event).__name__
        for event in seen
    ]
    at = names.index("StartTransfer")
    assert names[at - 1] == "354"
    assert names[at : at + 5] == ["StartTransfer", "Transfer", "EndTransfer", ".", "250"]


def test_transfers_count_the_text_and_the_stream_each_from_its_start(front: Front) -> None:
    import io

    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.from_, smtp.send_to, smtp.message_text = "a@b.example", "x@y.example", "Hello\r\n"
        smtp.set_message_stream(io.BytesIO(b"x" * 69_998 + b"\r\n"))
        seen = record(smtp)
        smtp.on_pi_trail = smtp.on_connection_status = None
        front.send(smtp)
    moved = [
        (
            type(event).__name__,
            getattr(event, "bytes_transferred", 0),
            getattr(event, "percent_done", 0),
        )
        for event in seen
    ]
    assert moved == [
        ("StartTransfer", 0, 0),
        ("Transfer", 7, 100),
        ("EndTransfer", 0, 0),
        ("StartTransfer", 0, 0),
        ("Transfer", 65536, 93),
        ("Transfer", 70000, 100),
        ("EndTransfer", 0, 0),
    ]


def test_an_empty_text_transfers_nothing(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.from_, smtp.send_to = "a@b.example", "x@y.example"
        seen = record(smtp)
        front.send(smtp)
    assert not [event for event in seen if "Transfer" in type(event).__name__]


def test_a_connection_that_fails_or_breaks_is_told_with_its_number(front: Front) -> None:
    with Sink(faults=[Fault(on="MAIL", drop=True)]) as sink:
        url = sink.url
        smtp = front.at(url)
        seen = record(smtp)
        with pytest.raises(Exception, match="closed"):
            front.send(smtp, ITEM)
    states = [event for event in seen if isinstance(event, ConnectionStatus)]
    assert [(one.connection_event, one.status_code) for one in states] == [
        ("Remote Connect", 0),
        ("Remote Disconnect", 1120),
    ]
    seen.clear()
    with pytest.raises(ConnectionError):
        front.connect(smtp)
    (state,) = [event for event in seen if isinstance(event, ConnectionStatus)]
    assert (state.connection_event, state.status_code) == ("Remote Connect", 10061)


def test_what_a_handler_raises_ends_the_method_and_drops_the_connection(front: Front) -> None:
    def handler(event: PITrail) -> None:
        if "MAIL" in event.message:
            raise BadValue("handler", "of the program")

    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_pi_trail = handler
        with pytest.raises(BadValue, match="of the program"):
            front.send(smtp, ITEM)
        assert smtp.idle
        assert not smtp.connected
    assert sink.count == 0


def test_a_coroutine_is_a_handler_on_asyncio() -> None:
    import asyncio

    seen = []

    async def handler(event: PITrail) -> None:
        await asyncio.sleep(0)
        seen.append(event)

    with Front("async") as front, Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_pi_trail = handler
        front.send(smtp, ITEM)
    assert seen


def test_a_method_inside_a_handler_is_error_143(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        caught: list[Busy] = []

        def handler(_: PITrail) -> None:
            assert not smtp.idle
            try:
                smtp._enter("send")
            except Busy as busy:
                caught.append(busy)

        smtp.on_pi_trail = handler
        front.send(smtp, ITEM)
        assert smtp.idle
    assert {busy.code for busy in caught} == {143}


# --- stopping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["greeting", "EHLO", "MAIL", "DATA", "."])
def test_another_thread_interrupts_what_waits(front: Front, place: str) -> None:
    with Sink(faults=[Fault(on=place, silent=True, stall=True)]) as sink:
        smtp = front.at(sink.url)

        def stop() -> None:
            _await_place(sink, place)
            smtp.interrupt()

        stopper = threading.Thread(target=stop)
        stopper.start()
        with pytest.raises(SMTPSError) as caught:
            front.send(smtp, ITEM)
        stopper.join()
    cause = caught.value if isinstance(caught.value, Interrupted) else caught.value.__cause__
    assert isinstance(cause, Interrupted)
    assert caught.value.code == 301
    assert not smtp.connected
    assert smtp.idle


def _await_place(sink: Sink, place: str) -> None:
    if place == "greeting":
        sink.wait_until(lambda: sink.connections)
    elif place == ".":
        sink.wait_until(lambda: sink.count)
    else:
        sink.wait_until(lambda: any(line.startswith(place) for line in sink.commands))


def test_a_handler_interrupts_its_own_method(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.on_pi_trail = lambda event: smtp.interrupt() if "MAIL" in event.message else None
        with pytest.raises(Interrupted):
            front.send(smtp, ITEM)
        assert not smtp.connected
        smtp.on_pi_trail = None
        assert front.send(smtp, ITEM).ok
    assert sink.count == 1


def test_an_interrupt_with_nothing_running_does_nothing(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.interrupt()
        front.connect(smtp)
        smtp.interrupt()
        assert front.send(smtp, ITEM).ok
    assert len(sink.connections) == 1


def test_do_events_notices_that_the_server_has_closed(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        front.run(smtp.do_events())
        assert smtp.connected
        called: list[int] = []
        smtp.post(lambda: called.append(1))
        sink.close()
        front.run(smtp.do_events())
    assert not smtp.connected
    assert called == [1]


# --- the last reply -------------------------------------------------------------------------------


def test_the_last_reply_of_a_method_is_not_that_of_its_own_quit(front: Front) -> None:
    faults = [
        Fault(on=".", reply="250 2.0.0 queued as 4711"),
        Fault(on="VRFY", reply="252 2.1.5 perhaps"),
        Fault(on="EXPN", reply="550 5.1.1 no list"),
    ]
    with Sink(faults=faults) as sink:
        smtp = front.at(sink.url)
        front.send(smtp, ITEM)
        assert smtp.last_reply == "250 2.0.0 queued as 4711"
        front.run(smtp.verify("ann"))
        assert smtp.last_reply == "252 2.1.5 perhaps"
        with pytest.raises(CommandRefused):
            front.run(smtp.expand("staff"))
        assert (smtp.last_reply_code, smtp.last_enhanced_code) == (550, "5.1.1")
        front.connect(smtp)
        front.disconnect(smtp)
        assert smtp.last_reply.startswith("221")
    assert sink.commands.count("QUIT") == 4


@pytest.mark.parametrize("place", ["MAIL", "RCPT", "DATA", "."])
def test_the_last_reply_is_the_refusal_of_the_message(front: Front, place: str) -> None:
    with Sink(faults=[Fault(on=place, reply="550 5.7.1 not this one")]) as sink:
        smtp = front.at(sink.url)
        for _ in range(2):
            with pytest.raises(ReplyError):
                front.send(smtp, ITEM)
            assert smtp.last_reply == "550 5.7.1 not this one"
            if not smtp.connected:
                front.connect(smtp)


def test_the_last_reply_of_a_refused_login_is_that_refusal(front: Front) -> None:
    with Sink(auth_in_clear=True) as sink:
        smtp = front.make(user="user", password="wrong", allow_plaintext_auth=True)
        smtp.mail_server, smtp.mail_port, smtp.ssl_start_mode = sink.host, sink.port, 3
        with pytest.raises(AuthenticationRefused):
            front.connect(smtp)
        assert smtp.last_reply.startswith("535")


def test_connected_and_command_are_assigned_on_the_blocking_front_only() -> None:
    with Sink() as sink, Front("sync") as front, Front("async") as other:
        smtp = front.at(sink.url)
        smtp.connected = True
        smtp.command = "NOOP"
        assert smtp.last_reply.startswith("250")
        with pytest.raises(AttributeError, match="write-only"):
            _ = smtp.command
        smtp.connected = False
        assert not smtp.connected
        with pytest.raises(AttributeError, match="await"):
            other.at(sink.url).connected = True
        with pytest.raises(AttributeError, match="await"):
            other.at(sink.url).command = "NOOP"


def test_a_refused_sender_leaves_the_session(front: Front) -> None:
    with Sink(faults=[Fault(on="MAIL", nth=1, reply="550 5.7.1 no")]) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        with pytest.raises(SenderRefused):
            front.send(smtp, ITEM)
        assert smtp.connected
        assert front.send(smtp, ITEM).ok
    assert "RSET" in sink.commands


@pytest.mark.parametrize("name", HANDLERS.values())
def test_a_handler_is_a_function_or_none(front: Front, name: str) -> None:
    smtp = front.make()
    setattr(smtp, name, print)
    with pytest.raises(BadValue, match=f"{name}: expected a function of one argument, not 5"):
        setattr(smtp, name, 5)
    assert getattr(smtp, name) is print
    setattr(smtp, name, None)
