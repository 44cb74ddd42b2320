"""Finding, choosing and tuning the connection: the same on both fronts, all on loopback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from smtps import SMTPS, AsyncSMTPS, ConnectionFailed, IPVersion, Locked, TimedOut
from smtps.drivers import names
from smtps.errors import BadValue, Interrupted, SMTPSError
from smtps.testing import Sink
from smtps.testing.certificates import default_authority
from tests.support.fronts import Front
from tests.support.network import FakeDNS, Listener, SilentHost, refusing_port, socket_of
from tests.support.servers import free_port

NAME = "relay.example"


def plain(front: Front, host: str, port: int, **options: Any) -> Any:
    return front.make(mail_server=host, mail_port=port, ssl_start_mode=3, **options)


def fails(front: Front, smtp: Any) -> SMTPSError:
    with pytest.raises(SMTPSError) as caught:
        front.connect(smtp)
    assert not smtp.connected
    assert smtp.idle
    return caught.value


# --- every address is tried -----------------------------------------------------------------------


@pytest.mark.parametrize("addresses", [("127.0.0.2", "::1"), ("::1", "127.0.0.2")])
def test_the_address_that_answers_is_used_wherever_it_stands(
    front: Front, dns: FakeDNS, addresses: tuple[str, ...]
) -> None:
    dns.add(NAME, *addresses)
    with Sink(host="::1") as sink:
        smtp = plain(front, NAME, sink.port)
        front.connect(smtp)
        assert socket_of(smtp).getpeername()[0] == "::1"
        assert smtp.mail_server == NAME


def test_a_silent_address_costs_a_quarter_of_a_second(front: Front, dns: FakeDNS) -> None:
    dns.add(NAME, "::1", "127.0.0.2")
    port = free_port()
    with Sink(host="127.0.0.2", port=port), SilentHost("::1", port):
        smtp = plain(front, NAME, port)
        begun = monotonic()
        front.connect(smtp)
        assert 0.2 < monotonic() - begun < 5
        assert socket_of(smtp).getpeername()[0] == "127.0.0.2"


def test_no_greeting_is_a_timeout_of_its_own_phase(front: Front) -> None:
    with Listener() as listener:
        # Nothing accepts the connection, but the system does.
        error = fails(front, plain(front, "127.0.0.1", listener.port, timeout=1))
    assert isinstance(error, TimedOut)
    assert error.phase == "waiting for the greeting"


def test_the_error_says_of_every_address_why_it_failed(front: Front, dns: FakeDNS) -> None:
    dns.add(NAME, "::1", "127.0.0.2", "127.0.0.3")
    port = refusing_port()
    error = fails(front, plain(front, NAME, port))
    assert isinstance(error, ConnectionFailed)
    assert str(error) == (
        f"cannot connect to {NAME} port {port}: ::1: Connection refused; 127.0.0.2: Connection"
        " refused; 127.0.0.3: Connection refused (while connecting)"
    )
    assert error.code == 10061
    assert isinstance(error.__cause__, ConnectionRefusedError)


def test_fifty_dead_addresses_are_passed_in_an_instant(front: Front, dns: FakeDNS) -> None:
    addresses = [f"127.0.1.{number}" for number in range(1, 51)]
    dns.add(NAME, *addresses)
    begun = monotonic()
    error = fails(front, plain(front, NAME, refusing_port()))
    assert monotonic() - begun < 5
    assert all(f"{address}: Connection refused" in str(error) for address in addresses)


def test_silent_addresses_are_given_up_at_the_timeout(front: Front, dns: FakeDNS) -> None:
    dns.add(NAME, "127.0.0.2", "127.0.0.3", "127.0.0.4")
    port = free_port()
    with SilentHost("127.0.0.2", port), SilentHost("127.0.0.3", port):
        begun = monotonic()
        error = fails(front, plain(front, NAME, port, timeout=1.5))
        assert 1.4 < monotonic() - begun < 8
    assert isinstance(error, TimedOut)
    assert error.code == 301
    assert error.timed_out
    assert str(error) == (
        "timed out after 1.5 s: 127.0.0.4: Connection refused; 127.0.0.2: no answer; 127.0.0.3: no"
        " answer (while connecting)"
    )


def test_connection_timeout_bounds_the_connecting_alone(front: Front) -> None:
    with SilentHost() as silent:
        smtp = plain(front, "127.0.0.1", silent.port, connection_timeout=0.3)
        begun = monotonic()
        error = fails(front, smtp)
    assert isinstance(error, TimedOut)
    assert monotonic() - begun < 5


def test_a_resolver_that_hangs_is_given_up_at_the_timeout(front: Front, dns: FakeDNS) -> None:
    dns.add(NAME, "127.0.0.1")
    dns.hang()
    begun = monotonic()
    error = fails(front, plain(front, NAME, 25, timeout=0.3))
    assert monotonic() - begun < 5
    assert isinstance(error, TimedOut)
    assert "no answer from the resolver about relay.example" in str(error)


def test_many_connections_at_once_share_one_look_up(dns: FakeDNS) -> None:
    dns.add(NAME, "127.0.0.1")
    dns.hang()

    async def run(port: int) -> None:
        loop = asyncio.get_running_loop()
        many = [AsyncSMTPS(mail_server=NAME, mail_port=port, ssl_start_mode=3) for _ in range(40)]
        connecting = [asyncio.ensure_future(smtp.connect()) for smtp in many]
        loop.call_soon(lambda: loop.call_soon(dns.release))
        await asyncio.gather(*connecting)
        await asyncio.gather(*(smtp.disconnect() for smtp in many))

    with Sink() as sink:
        asyncio.run(run(sink.port))
        assert len(sink.connections) == 40
    assert dns.asked.count(NAME) == 1


def test_each_connection_that_shared_a_failed_look_up_has_its_own_error(dns: FakeDNS) -> None:
    dns.add(NAME)
    dns.hang()
    errors: list[SMTPSError] = []

    def connect() -> None:
        with pytest.raises(SMTPSError) as caught:
            SMTPS(mail_server=NAME, timeout=20).connect()
        errors.append(caught.value)

    threads = [
        *(threading.Thread(target=connect) for _ in range(2)),
        # By then both wait.
        threading.Timer(0.3, dns.release),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = errors
    assert first is not second
    assert str(first) == str(second)
    assert (first.code, second.code) == (11001, 11001)


def test_a_resolver_that_hangs_takes_one_thread_however_often_it_is_asked(dns: FakeDNS) -> None:
    dns.add(NAME, "127.0.0.1")
    dns.hang()
    for _ in range(5):
        with pytest.raises(TimedOut):
            SMTPS(mail_server=NAME, timeout=0.05).connect()
    assert [thread.name for thread in threading.enumerate()].count("smtps-lookup") == 1


def test_a_name_without_an_address_is_error_11001(front: Front, dns: FakeDNS) -> None:
    dns.add(NAME)
    error = fails(front, plain(front, NAME, 25))
    assert isinstance(error, ConnectionFailed)
    assert (error.code, error.retryable) == (11001, True)
    assert NAME in str(error)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_program_without_file_descriptors_left_gets_error_10024(kind: str) -> None:
    script = Path(__file__).parent.parent / "support" / "no_descriptors.py"
    ran = subprocess.run(
        [sys.executable, str(script), kind], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "ConnectionFailed 10024 True", ran.stderr


def test_no_socket_is_left_of_a_race(front: Front, dns: FakeDNS) -> None:
    # A socket that is not closed is a ResourceWarning, which the suite makes an error.
    dns.add(NAME, "127.0.0.2", "127.0.0.3", "127.0.0.4")
    port = free_port()
    with (
        Sink(host="127.0.0.4", port=port),
        SilentHost("127.0.0.2", port),
        SilentHost("127.0.0.3", port),
    ):
        smtp = plain(front, NAME, port)
        front.connect(smtp)
        assert smtp.connected


def test_an_interrupt_ends_the_look_up_and_the_race(front: Front, dns: FakeDNS) -> None:
    dns.add(NAME, "127.0.0.2")
    dns.hang()
    smtp = plain(front, NAME, 25, timeout=60)
    timer = threading.Timer(0.1, smtp.interrupt)
    timer.start()
    begun = monotonic()
    assert isinstance(fails(front, smtp), Interrupted)
    timer.join()
    assert monotonic() - begun < 5


def test_a_task_that_is_cancelled_while_it_connects_leaves_nothing(dns: FakeDNS) -> None:
    dns.add(NAME, "127.0.0.2", "127.0.0.3")

    async def run(port: int) -> None:
        smtp = AsyncSMTPS(mail_server=NAME, mail_port=port, ssl_start_mode=3)
        connecting = asyncio.ensure_future(smtp.connect())
        # Both addresses are tried by then, and neither answers.
        await asyncio.wait([connecting], timeout=0.4)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert not smtp.connected
        assert smtp.idle
        # A socket that was left would be a ResourceWarning, which the suite makes an error.
        assert len(asyncio.all_tasks()) == 1

    port = free_port()
    with SilentHost("127.0.0.2", port), SilentHost("127.0.0.3", port):
        asyncio.run(run(port))


# --- which addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "tried"),
    [
        (IPVersion.BOTH, ["::1", "127.0.0.2", "127.0.0.3"]),
        (IPVersion.IPV4, ["127.0.0.2", "127.0.0.3"]),
        (IPVersion.IPV6, ["::1"]),
    ],
)
def test_use_ipv6_chooses_the_family(
    front: Front, dns: FakeDNS, version: IPVersion, tried: list[str]
) -> None:
    dns.add(NAME, "::1", "127.0.0.2", "127.0.0.3")
    error = fails(front, plain(front, NAME, refusing_port(), use_ipv6=version))
    assert [part.rsplit(": ", 1)[0] for part in str(error).split(": ", 1)[1].split("; ")] == tried


def test_families_take_turns(dns: FakeDNS) -> None:
    dns.add(NAME, "127.0.0.2", "127.0.0.3", "127.0.0.4", "::1")
    from smtps.ops import Connect, Deadline

    found = names.find(Connect(NAME, 25, SMTPS(), Deadline()))
    assert [str(target) for target in found.targets] == [
        "127.0.0.2",
        "::1",
        "127.0.0.3",
        "127.0.0.4",
    ]


# --- the own side ---------------------------------------------------------------------------------


def test_connections_come_from_local_host(front: Front) -> None:
    with Sink() as sink:
        smtp = plain(front, sink.host, sink.port, local_host="127.0.0.9")
        assert smtp.local_host == "127.0.0.9"
        front.connect(smtp)
        assert socket_of(smtp).getsockname()[0] == "127.0.0.9"


def test_local_host_reads_as_the_name_before_and_as_the_address_while_connected(
    front: Front,
) -> None:
    with Sink() as sink:
        smtp = plain(front, sink.host, sink.port)
        assert smtp.local_host == (names.own_name() or "localhost")
        front.connect(smtp)
        assert smtp.local_host == "127.0.0.1"
        front.disconnect(smtp)
        assert smtp.local_host != "127.0.0.1"


def test_local_host_is_locked_while_connected(front: Front) -> None:
    with Sink() as sink:
        smtp = plain(front, sink.host, sink.port)
        front.connect(smtp)
        with pytest.raises(Locked) as caught:
            smtp.local_host = "127.0.0.9"
    assert caught.value.code == 107


def test_local_host_leaves_out_addresses_of_the_other_family(front: Front, dns: FakeDNS) -> None:
    dns.add(NAME, "::1", "127.0.0.2")
    error = fails(front, plain(front, NAME, refusing_port(), local_host="127.0.0.9"))
    assert "127.0.0.2 from 127.0.0.9: Connection refused" in str(error)
    assert "::1" not in str(error)


def test_a_relay_that_local_host_cannot_reach_is_an_error(front: Front) -> None:
    error = fails(front, plain(front, "::1", 25, local_host="127.0.0.9"))
    assert isinstance(error, ConnectionFailed)
    assert error.code == 10049
    assert "local_host 127.0.0.9" in str(error)


def test_an_address_that_is_not_our_own_is_an_error(front: Front) -> None:
    error = fails(front, plain(front, "127.0.0.1", 25, local_host="192.0.2.77"))
    assert isinstance(error, ConnectionFailed)
    assert error.code == 10049
    assert "from 192.0.2.77" in str(error)


@pytest.mark.parametrize("bad", ["a b", "x\r\nMAIL FROM:<a@b>", "a..b", "x/y", "a" * 256])
def test_local_host_takes_a_name_or_an_address_only(front: Front, bad: str) -> None:
    with pytest.raises(BadValue, match="local_host"):
        front.make(local_host=bad)


# --- the socket -----------------------------------------------------------------------------------


def test_buffer_sizes_read_as_what_the_system_made_of_them(front: Front) -> None:
    with Sink() as sink:
        smtp = plain(front, sink.host, sink.port, in_buffer_size=20_000, out_buffer_size=30_000)
        assert (smtp.settings.in_buffer_size, smtp.settings.out_buffer_size) == (20_000, 30_000)
        front.connect(smtp)
        connection = socket_of(smtp)
        real = (
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF),
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF),
        )
        assert (smtp.settings.in_buffer_size, smtp.settings.out_buffer_size) == real
        # Linux doubles both for its own bookkeeping.
        assert real in [(40_000, 60_000), (20_000, 30_000)]


def test_buffer_sizes_are_left_to_the_system_by_default(front: Front) -> None:
    with Sink() as sink:
        smtp = plain(front, sink.host, sink.port)
        assert (smtp.settings.in_buffer_size, smtp.settings.out_buffer_size) == (-1, -1)
        front.connect(smtp)
        assert smtp.settings.in_buffer_size > 4096
        assert smtp.settings.out_buffer_size > 4096


@pytest.mark.parametrize("no_delay", [True, False])
def test_tcp_no_delay_reaches_the_socket(front: Front, no_delay: bool) -> None:
    with Sink() as sink:
        smtp = plain(front, sink.host, sink.port, tcp_no_delay=no_delay)
        front.connect(smtp)
        value = socket_of(smtp).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert bool(value) is no_delay


@pytest.mark.parametrize("keep_alive", [True, False])
def test_keep_alive_reaches_the_socket(front: Front, keep_alive: bool) -> None:
    with Sink() as sink:
        smtp = plain(front, sink.host, sink.port, keep_alive=keep_alive)
        front.connect(smtp)
        connection = socket_of(smtp)
        assert bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is keep_alive
        if keep_alive and hasattr(socket, "TCP_KEEPIDLE"):
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


# --- names in other scripts -----------------------------------------------------------------------


def test_a_name_in_another_script_is_asked_for_in_ascii_and_kept(
    front: Front, dns: FakeDNS
) -> None:
    dns.add("xn--tst-jma.example", "127.0.0.1")
    with Sink() as sink:
        smtp = plain(front, "tëst.example", sink.port)
        front.connect(smtp)
        assert smtp.mail_server == "tëst.example"
    assert dns.asked[0] == "xn--tst-jma.example"
    assert all(name.isascii() for name in dns.asked)


def test_a_certificate_is_checked_against_the_ascii_name(front: Front, dns: FakeDNS) -> None:
    dns.add("xn--tst-jma.example", "127.0.0.1")
    certificate = default_authority().issue("xn--tst-jma.example")
    with Sink(tls="implicit", certificate=certificate) as sink:
        smtp = front.make(
            mail_server="tëst.example.",
            mail_port=sink.port,
            ssl_start_mode=1,
            openssl_ca_file=sink.ca_file,
        )
        dns.add("xn--tst-jma.example.", "127.0.0.1")
        front.connect(smtp)
        assert smtp.connected


def test_the_own_name_is_greeted_with_in_ascii(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "höst.example")
    names.own_name.cache_clear()
    try:
        with Sink() as sink:
            front.connect(plain(front, sink.host, sink.port))
            assert sink.connections[0].hello == "xn--hst-sna.example"
    finally:
        names.own_name.cache_clear()


@pytest.mark.parametrize(
    "bad",
    [
        "\uff11\uff12\uff17.0.0.1",
        "te\u200bst.example",
        "user\uff20x",
        "x" * 64 + ".\u00eb",
        "\u00eb\u3002\u3002b",
        "fe80::1%a b",
        "fe80::1%eth0/x",
        "fe80::1%",
    ],
)
def test_a_name_that_cannot_be_one_is_refused_when_it_is_set(front: Front, bad: str) -> None:
    with pytest.raises(BadValue, match="mail_server"):
        front.make(mail_server=bad)
