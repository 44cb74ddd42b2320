"""Limits of time, and connections that break, in every phase: the same on both fronts."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from smtps import DeliveryUnknown, Envelope, Outcome, Phase, TimedOut
from smtps.errors import BadValue, ConnectionLost, SessionError, SMTPSError
from smtps.session import Session
from smtps.testing import Fault, Sink
from tests.support.fronts import Front
from tests.support.network import Listener
from tests.support.servers import require

ENVELOPE = Envelope("a@b.example", ["x@y.example"])
ITEM = (ENVELOPE, b"Subject: x\r\n\r\nHello\r\n")
GIB = 1 << 30
HEADER = b"Subject: x\r\n\r\n"
CHUNK = b"a line of text that is neither short nor long\r\n" * 1400


class Stream:
    """Content of a gigabyte that is made as it is asked for."""

    def __init__(self, size: int = GIB) -> None:
        self._size = size
        self.taken = 0

    def __iter__(self) -> Iterator[bytes]:
        yield HEADER
        while self.taken < self._size:
            self.taken += len(CHUNK)
            yield CHUNK


def resident() -> int:
    """Tell how many bytes of memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def fails(front: Front, smtp: Any, item: Any = ITEM) -> SMTPSError:
    with pytest.raises(SMTPSError) as caught:
        front.send(smtp, item)
    assert not smtp.connected
    assert smtp.idle
    return caught.value


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    begun = monotonic()
    yield
    assert monotonic() - begun < seconds


# --- silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "phase"),
    [
        ("greeting", Phase.GREETING),
        ("EHLO", Phase.HELLO),
        ("STARTTLS", Phase.STARTTLS),
        ("handshake", Phase.TLS),
        ("AUTH", Phase.AUTH),
        ("MAIL", Phase.MAIL),
        ("RCPT", Phase.RCPT),
        ("DATA", Phase.DATA),
    ],
)
def test_silence_is_given_up_in_every_phase(front: Front, place: str, phase: Phase) -> None:
    users = {"user": "secret"}
    with Sink(tls="starttls", users=users, faults=[Fault(on=place, stall=True)]) as sink:
        smtp = front.at(f"{sink.url}&timeout=0.8")
        with within(8):
            error = fails(front, smtp)
    assert isinstance(error, TimedOut)
    assert (error.code, error.timed_out, error.phase) == (301, True, phase)
    assert str(error) == f"timed out after 0.8 s (while {phase.value})"


@pytest.mark.parametrize("limit", ["final_timeout=0.3", "timeout=1&absolute_timeout=true"])
def test_silence_behind_the_end_of_the_content_leaves_the_outcome_unknown(
    front: Front, limit: str
) -> None:
    with Sink(faults=[Fault(on=".", stall=True)]) as sink:
        smtp = front.at(f"{sink.url}&{limit}")
        with within(5):
            error = fails(front, smtp)
    assert isinstance(error, DeliveryUnknown)
    assert (error.code, error.timed_out) == (301, True)
    assert isinstance(error.__cause__, TimedOut)
    assert str(error).count("(while") == 1


def test_an_error_that_is_no_timeout_says_so(front: Front) -> None:
    with Sink(faults=[Fault(on="MAIL", drop=True)]) as sink:
        assert fails(front, front.at(sink.url)).timed_out is False


def test_silence_at_quit_is_no_error_and_no_wait(front: Front) -> None:
    with Sink(faults=[Fault(on="QUIT", stall=True)]) as sink:
        smtp = front.at(f"{sink.url}&quit_timeout=0.3")
        front.connect(smtp)
        with within(5):
            front.disconnect(smtp)
    assert not smtp.connected


def test_the_object_works_again_after_a_timeout(front: Front) -> None:
    with Sink(faults=[Fault(on="MAIL", stall=True, connection=1)]) as sink:
        smtp = front.at(f"{sink.url}&timeout=0.3")
        fails(front, smtp)
        smtp.timeout = 10
        assert front.send(smtp, ITEM).ok


# --- dripping -------------------------------------------------------------------------------------


def test_a_dripped_greeting_is_not_silence(front: Front) -> None:
    with Sink(faults=[Fault(on="greeting", drip=0.05)]) as sink:
        smtp = front.at(f"{sink.url}&timeout=0.9")
        begun = monotonic()
        front.connect(smtp)
        assert monotonic() - begun > 0.9


@pytest.mark.parametrize("place", ["greeting", "EHLO", "MAIL", "."])
def test_absolute_timeout_bounds_what_is_dripped(front: Front, place: str) -> None:
    with Sink(faults=[Fault(on=place, drip=0.3)]) as sink:
        smtp = front.at(f"{sink.url}&timeout=0.4&absolute_timeout=true")
        with within(5):
            error = fails(front, smtp)
    assert error.code == 301
    assert "timed out after 0.4 s" in str(error)


def test_absolute_timeout_holds_while_the_server_takes_all_that_comes(front: Front) -> None:
    stream = Stream(1000 * GIB)
    with Sink(record=False) as sink:
        smtp = front.at(f"{sink.url}&absolute_timeout=true")
        front.connect(smtp)
        smtp.timeout = 1
        with within(8):
            error = fails(front, smtp, (ENVELOPE, stream))
    assert isinstance(error, TimedOut)
    assert (error.phase, error.seconds) == (Phase.CONTENT, 1)
    assert stream.taken > 0


def test_a_timeout_of_zero_is_no_limit() -> None:
    from smtps.client import SMTPS

    session = Session(SMTPS(timeout=0))
    session.begin()
    assert all(
        session.deadline(phase).seconds() is None
        for phase in Phase
        if phase not in (Phase.FINAL, Phase.QUIT)
    )


def test_the_longest_timeout_is_one_that_the_system_can_wait_for(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        smtp.timeout = smtp.settings.final_timeout = 2_000_000
        assert front.send(smtp, ITEM).ok


@pytest.mark.parametrize("value", [-1, 2_000_001, 10**400, float("inf"), float("nan")])
def test_a_timeout_that_nothing_can_wait_for_is_named(front: Front, value: float) -> None:
    with pytest.raises(BadValue, match="timeout: expected 0 to 2,000,000 seconds, not "):
        front.make().timeout = value


# --- a server that does not read ------------------------------------------------------------------


def test_a_server_that_stops_reading_is_given_up_in_flat_memory(front: Front) -> None:
    stream = Stream()
    with Sink(faults=[Fault(received=5000, stall=True)]) as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        smtp.timeout = 1
        before = resident()
        with within(5):
            error = fails(front, smtp, (ENVELOPE, stream))
        # What the system's buffers take, and no more of the gigabyte.
        assert stream.taken < 32 << 20
        assert resident() - before < 8 << 20
    assert isinstance(error, TimedOut)
    assert error.phase is Phase.CONTENT
    assert error.receipt is not None
    assert not error.receipt.unknown


def test_the_connection_is_closed_at_once_after_a_write_that_timed_out(front: Front) -> None:
    with Listener() as listener:
        server = threading.Thread(target=_take_until_data, args=(listener,))
        server.start()
        smtp = front.make(
            mail_server="127.0.0.1", mail_port=listener.port, ssl_start_mode=3, timeout=1
        )
        fails(front, smtp, (ENVELOPE, Stream()))
        server.join()
        connection = listener.accepted[0]
        # An end or a reset follows what is still under way; else this waits for ten seconds.
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(1 << 20):
                pass


def test_a_server_that_reads_slowly_is_not_given_up(front: Front) -> None:
    with Listener() as listener:
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        server = threading.Thread(target=_read_slowly, args=(listener,))
        server.start()
        smtp = front.make(
            mail_server="127.0.0.1",
            mail_port=listener.port,
            ssl_start_mode=3,
            timeout=1,
            out_buffer_size=4096,
        )
        begun = monotonic()
        receipt = front.send(smtp, (ENVELOPE, HEADER + CHUNK[:65_000] * 2))
        assert monotonic() - begun > 1
        server.join()
    assert receipt.ok


def _take_until_data(listener: Listener) -> socket.socket:
    connection = listener.accept()
    connection.sendall(b"220 slow\r\n")
    for answer in (b"250 slow", b"250 ok", b"250 ok", b"354 go"):
        connection.recv(4096)
        connection.sendall(answer + b"\r\n")
    return connection


def _read_slowly(listener: Listener) -> None:
    connection = _take_until_data(listener)
    pause = threading.Event()
    data = b""
    while not data.endswith(b"\r\n.\r\n"):
        data = data[-4:] + connection.recv(2048)
        pause.wait(0.05)
    connection.sendall(b"250 taken\r\n")
    connection.recv(4096)
    connection.sendall(b"221 bye\r\n")


# --- breaking -------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("how", ["drop", "reset", "half_close"])
def test_a_connection_that_breaks_is_a_passing_error(front: Front, place: str, how: str) -> None:
    way: dict[str, Any] = {how: True}
    with Sink(faults=[Fault(on=place, connection=1, **way)]) as sink:
        smtp = front.at(sink.url)
        with within(5):
            error = fails(front, smtp)
        assert isinstance(error, SessionError)
        assert error.retryable
        assert not error.session_usable
        assert error.code in (1120, 10053, 10054)
        assert front.send(smtp, ITEM).ok


@pytest.mark.parametrize("how", ["drop", "reset"])
def test_a_reply_that_is_cut_off_is_no_reply(front: Front, how: str) -> None:
    cut: dict[str, Any] = {"reply": b"250 2.1.0 Sender o", how: True}
    with Sink(faults=[Fault(on="MAIL", connection=1, **cut)]) as sink:
        assert isinstance(fails(front, front.at(sink.url)), ConnectionLost)


def test_an_early_refusal_of_the_content_is_heard_through_the_reset(front: Front) -> None:
    fault = Fault(received=200_000, reply="552 5.3.4 too much", drop=True)
    with Sink(faults=[fault]) as sink:
        smtp = front.at(f"{sink.url}&timeout=10")
        with within(5):
            error = fails(front, smtp, (ENVELOPE, Stream()))
    assert error.reply is not None
    assert error.reply.code == 552


def test_a_server_that_went_away_while_idle_is_noticed_before_mail(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        sink.close()
        error = fails(front, smtp)
    assert isinstance(error, ConnectionLost)
    assert error.receipt is not None
    assert error.receipt.results[0].outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_peer_that_is_gone_without_a_word_is_given_up(kind: str) -> None:
    assert half_open(kind, "content") == "TimedOut 301 sending the content"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_keep_alive_notices_that_the_peer_is_gone_where_no_timeout_does(kind: str) -> None:
    assert half_open(kind, "reply") == "ConnectionLost 10060 sending MAIL"


def half_open(kind: str, where: str) -> str:
    """Run the script in a network namespace of its own, and give what it says."""
    unshare = require("unshare", "util-linux")
    script = Path(__file__).parent.parent / "support" / "half_open.py"
    ran = subprocess.run(
        [unshare, "--net", sys.executable, str(script), kind, where],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.stdout.strip() or ran.stderr
