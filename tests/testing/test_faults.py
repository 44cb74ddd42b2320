"""What goes wrong is what the script says, then and there, and nothing else."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from smtps.testing import Fault, Sink
from tests.support.raw import ENVELOPE, RawClient, dial, greet, submit


def codes(client: RawClient, number: int) -> list[str]:
    return [client.reply()[:3] for _ in range(number)]


def test_a_command_may_be_written_in_any_case() -> None:
    with Sink(faults=[Fault(on="rcpt", reply="550 no")]) as sink, greet(sink) as client:
        assert client.ask("MAIL FROM:<a@b.example>").startswith("250")
        assert client.ask("RCPT TO:<x@y.example>").startswith("550")


# --- when -----------------------------------------------------------------------------------------


def test_the_nth_occasion_is_counted_over_all_connections() -> None:
    with Sink(faults=[Fault(on="RCPT", nth=2, reply="550 5.1.1 no such user")]) as sink:
        for expected in ("250", "550", "250"):
            with greet(sink) as client:
                client.send(ENVELOPE)
                client.reply()
                assert client.reply()[:3] == expected


def test_a_range_of_occasions_can_be_named() -> None:
    with Sink(faults=[Fault(on="NOOP", nth=range(2, 4), reply="450 later")]) as sink:
        with greet(sink) as client:
            assert [client.ask("NOOP")[:3] for _ in range(5)] == ["250", "450", "450", "250", "250"]


def test_a_fault_without_a_number_happens_each_time() -> None:
    with Sink(faults=[Fault(on="NOOP", reply="450 later")]) as sink, greet(sink) as client:
        assert [client.ask("NOOP")[:3] for _ in range(3)] == ["450"] * 3


def test_a_fault_can_be_bound_to_one_connection() -> None:
    with Sink(faults=[Fault(on="greeting", connection=1, reply="421 busy")]) as sink:
        with RawClient(sink.host, sink.port) as client:
            assert client.reply() == "421 busy"
        dial(sink).close()


def test_an_address_can_be_singled_out_by_text_or_by_function() -> None:
    faults = [
        Fault(on="RCPT", when="<b@", reply="550 5.1.1 b"),
        Fault(on="RCPT", when=lambda line: line.endswith("NOTIFY=NEVER"), reply="550 5.1.1 never"),
    ]
    with Sink(faults=faults) as sink, greet(sink) as client:
        client.ask("MAIL FROM:<b@x.example>")
        assert client.ask("RCPT TO:<a@x.example>") == "250 2.1.5 Recipient OK"
        assert client.ask("RCPT TO:<b@x.example>") == "550 5.1.1 b"
        assert client.ask("RCPT TO:<c@x.example> NOTIFY=NEVER") == "550 5.1.1 never"


def test_a_message_can_be_singled_out_by_its_content() -> None:
    faults = [Fault(on=".", when="viagra", reply="554 5.7.1 spam")]
    with Sink(faults=faults) as sink, greet(sink) as client:
        assert submit(client, b"viagra\r\n") == "554 5.7.1 spam"
        assert submit(client, b"ham\r\n").startswith("250 ")
        client.send(ENVELOPE + b"BDAT 3\r\nviaBDAT 3 LAST\r\ngra")
        assert codes(client, 4) == ["250", "250", "250", "554"]
        assert sink.count == 1


def test_a_star_is_any_command() -> None:
    with Sink(faults=[Fault(on="*", nth=3, reply="421 enough")]) as sink, greet(sink) as client:
        assert client.ask("NOOP").startswith("250")
        assert client.ask("RSET") == "421 enough"


def test_the_first_fault_that_fits_wins() -> None:
    faults = [Fault(on="NOOP", nth=1, reply="450 one"), Fault(on="NOOP", reply="450 two")]
    with Sink(faults=faults) as sink, greet(sink) as client:
        assert [client.ask("NOOP"), client.ask("NOOP")] == ["450 one", "450 two"]


def test_a_fault_can_be_added_on_the_way() -> None:
    with Sink() as sink, greet(sink) as client:
        assert client.ask("NOOP").startswith("250 ")
        sink.add_fault(Fault(on="NOOP", reply="450 later"))
        assert client.ask("NOOP") == "450 later"


@pytest.mark.parametrize("places", [{}, {"on": "DATA", "sent": 1}, {"received": 1, "sent": 1}])
def test_a_fault_has_exactly_one_trigger(places: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Fault(**places)  # type: ignore[arg-type]


def test_a_fault_ends_in_one_way_only() -> None:
    with pytest.raises(ValueError, match="one way"):
        Fault(on="DATA", drop=True, reset=True)


# --- what: replies --------------------------------------------------------------------------------


def test_a_refused_command_has_no_effect_and_one_with_other_words_has() -> None:
    faults = [
        Fault(on="RCPT", nth=1, reply="550 no"),
        Fault(on="RCPT", nth=2, reply="251 2.1.5 will forward"),
    ]
    with Sink(faults=faults) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"RCPT TO:<c@x.example>\r\nBDAT 0 LAST\r\n")
        assert codes(client, 4) == ["250", "550", "251", "250"]
        assert sink.messages[0].recipients == ("c@x.example",)


def test_a_message_that_is_refused_at_its_end_is_not_kept() -> None:
    refusal = Fault(on=".", nth=1, reply="554 5.7.1 no")
    with Sink(faults=[refusal]) as sink, greet(sink) as client:
        assert submit(client, b"one\r\n") == "554 5.7.1 no"
        assert submit(client, b"two\r\n").startswith("250 ")
        assert [message.content for message in sink.messages] == [b"two\r\n"]


def test_bytes_go_out_as_they_are_and_glued_to_their_neighbours() -> None:
    odd = Fault(on="RCPT", reply=b"250-x\n2_0 \xff\r\n250 a\r\n")
    with Sink(faults=[odd]) as sink, greet(sink) as client:
        client.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nNOOP\r\n")
        expected = b"250 2.1.0 Sender OK\r\n250-x\n2_0 \xff\r\n250 a\r\n250 2.0.0 OK\r\n"
        assert client.socket.recv(65536) == expected


def test_a_reply_can_be_endless() -> None:
    endless = Fault(on="EHLO", reply=itertools.repeat(b"250-more\r\n" * 1000))
    with Sink(faults=[endless]) as sink, dial(sink) as client:
        client.send(b"EHLO client.example\r\n")
        assert all(client.read_line() == b"250-more\r\n" for _ in range(100_000))


def test_354_without_a_recipient_is_followed_by_content_that_goes_nowhere() -> None:
    faults = [Fault(on="RCPT", reply="550 no"), Fault(on="DATA", reply="354 go on")]
    with Sink(faults=faults) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"DATA\r\n")
        assert codes(client, 3) == ["250", "550", "354"]
        client.send(b".\r\n")
        assert client.reply()[:3] == "554"
        assert client.ask("NOOP")[:3] == "250"
        assert sink.count == 0


def test_data_that_is_answered_250_reads_no_content() -> None:
    with Sink(faults=[Fault(on="DATA", reply="250 ok")]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"DATA\r\n")
        assert codes(client, 3) == ["250", "250", "250"]
        assert client.ask("RSET")[:3] == "250"


def test_a_final_reply_can_be_glued_behind_the_354() -> None:
    faults = [Fault(on="DATA", inject=b"250 early\r\n"), Fault(on=".", reply="554 late")]
    with Sink(faults=faults) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"DATA\r\n")
        assert codes(client, 4) == ["250", "250", "354", "250"]
        client.send(b".\r\n")
        assert client.reply() == "554 late"


def test_silence_carries_the_command_out_and_goes_on() -> None:
    with Sink(faults=[Fault(on="RCPT", silent=True)]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"BDAT 0 LAST\r\n")
        assert codes(client, 2) == ["250", "250"]
        assert sink.messages[0].recipients == ("b@x.example",)


def test_a_refused_auth_asks_for_nothing() -> None:
    faults = [Fault(on="AUTH", reply="535 5.7.8 no")]
    with Sink(auth_in_clear=True, faults=faults) as sink, greet(sink) as client:
        assert client.ask("AUTH LOGIN") == "535 5.7.8 no"
        assert sink.connections[0].user is None


# --- what: time -----------------------------------------------------------------------------------


def test_a_late_reply_comes_when_the_test_says_so() -> None:
    gate = threading.Event()
    with Sink(faults=[Fault(on="NOOP", nth=1, until=gate)]) as sink, greet(sink) as client:
        client.send(b"RSET\r\nNOOP\r\n")
        assert client.reply()[:3] == "250"  # what came before does not wait
        client.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.reply()
        gate.set()
        client.socket.settimeout(10)
        assert client.reply()[:3] == "250"


def test_a_delay_holds_the_reply_back() -> None:
    with Sink(faults=[Fault(on="NOOP", delay=0.1)]) as sink, greet(sink) as client:
        start = time.monotonic()
        client.ask("NOOP")
        assert time.monotonic() - start >= 0.1


def test_a_reply_can_drip() -> None:
    drip = Fault(on="greeting", reply="220 x", drip=0.02)
    with Sink(faults=[drip]) as sink, RawClient(sink.host, sink.port) as client:
        start = time.monotonic()
        assert client.socket.recv(100) == b"2"
        assert client.reply() == "20 x"
        assert time.monotonic() - start >= 0.06


def test_a_split_sink_sends_every_byte_by_itself() -> None:
    with Sink(split=True) as sink, RawClient(sink.host, sink.port) as client:
        seen = b""
        while not seen.endswith(b"\r\n"):
            piece = client.socket.recv(1)
            seen += piece
        assert seen == b"220 sink.example ESMTP\r\n"
        assert submit_after_ehlo(client).startswith("250 ")


def submit_after_ehlo(client: RawClient) -> str:
    client.ask("EHLO client.example")
    return submit(client, b"x\r\n")


# --- what: the end --------------------------------------------------------------------------------


def test_a_drop_comes_in_place_of_the_answer() -> None:
    with Sink(faults=[Fault(on="RCPT", drop=True)]) as sink, greet(sink) as client:
        client.send(ENVELOPE)
        assert client.rest() == b"250 2.1.0 Sender OK\r\n"


def test_a_message_can_be_taken_and_its_answer_lost() -> None:
    with Sink(faults=[Fault(on=".", silent=True, drop=True)]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"BDAT 1 LAST\r\nx")
        assert client.rest().count(b"\r\n") == 2
        assert sink.count == 1


def test_a_drop_at_the_end_of_a_message_does_not_take_it() -> None:
    with Sink(faults=[Fault(on=".", drop=True)]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"BDAT 1 LAST\r\nx")
        client.rest()
        assert sink.count == 0


def test_a_drop_can_follow_last_words() -> None:
    last = Fault(on="DATA", reply="421 4.3.2 bye", drop=True)
    with Sink(faults=[last]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"DATA\r\n")
        assert client.rest().endswith(b"OK\r\n421 4.3.2 bye\r\n")


def test_a_reset_is_seen_as_one() -> None:
    with Sink(faults=[Fault(on="DATA", reset=True)]) as sink, greet(sink) as client:
        client.send(b"DATA\r\n")
        with pytest.raises(ConnectionResetError):
            client.rest()


def test_after_a_half_close_the_sink_reads_on() -> None:
    with Sink(faults=[Fault(on="DATA", half_close=True)]) as sink, greet(sink) as client:
        client.send(b"DATA\r\n")
        client.rest()
        for _ in range(100):
            client.send(b"x" * 65536)  # would fail with EPIPE or ECONNRESET


def test_a_stalled_sink_neither_answers_nor_reads() -> None:
    stall = Fault(received=1000, stall=True)
    with Sink(faults=[stall]) as sink, greet(sink) as client:
        client.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.send(b"x" * 100_000_000)


def test_a_connection_can_end_at_a_given_byte_from_the_client() -> None:
    with Sink(faults=[Fault(received=60, drop=True)]) as sink, greet(sink) as client:
        client.send(ENVELOPE + b"x" * 100)
        assert client.rest().startswith(b"250 ")
        sink.wait_until(lambda: sink.connections[0].closed)
        assert sink.connections[0].received == 60


def test_a_connection_can_end_at_a_given_byte_to_the_client() -> None:
    with Sink(faults=[Fault(sent=7, nth=1, drop=True)]) as sink:
        with RawClient(sink.host, sink.port) as client:
            assert client.rest() == b"220 sin"
        dial(sink).close()


def test_a_pause_at_a_given_byte_is_made_once() -> None:
    with Sink(faults=[Fault(sent=7, delay=0.01)]) as sink, greet(sink) as client:
        assert submit(client, b"x\r\n").startswith("250 ")


# --- TLS ------------------------------------------------------------------------------------------


def test_clear_text_can_be_glued_behind_the_220_of_starttls() -> None:
    faults = [Fault(on="STARTTLS", inject=b"250 evil\r\n")]
    with Sink(tls="starttls", faults=faults) as sink, greet(sink) as client:
        client.send(b"STARTTLS\r\n")
        assert client.socket.recv(65536) == b"220 2.0.0 Go ahead\r\n250 evil\r\n"
        client.start_tls(sink.ca_file)
        assert client.ask("EHLO client.example")[:3] == "250"


def test_a_handshake_can_be_answered_with_bytes() -> None:
    alert = Fault(on="handshake", reply=b"\x15\x03\x03\x00\x02\x02\x28", drop=True)
    with Sink(tls="implicit", faults=[alert]) as sink:
        with RawClient(sink.host, sink.port) as client:
            assert client.rest() == b"\x15\x03\x03\x00\x02\x02\x28"


def test_a_drop_over_tls_has_no_farewell() -> None:
    with Sink(tls="implicit", faults=[Fault(on="NOOP", drop=True)]) as sink:
        with RawClient(sink.host, sink.port) as client:
            client.start_tls(sink.ca_file)
            client.reply()
            client.socket.suppress_ragged_eofs = False  # type: ignore[attr-defined]
            client.send(b"NOOP\r\n")
            with pytest.raises(OSError, match="EOF"):
                client.rest()
