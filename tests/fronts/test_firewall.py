"""Sending through proxies, real ones and scripted ones: the same on both fronts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from smtps import ConnectionStatus, Envelope, Firewall, FirewallType, ProxyError, TimedOut
from smtps.errors import BadValue, CertificateRefused, ProtocolError, SMTPSError
from smtps.testing import Sink
from smtps.testing.certificates import default_authority
from tests.support.fronts import Front
from tests.support.network import FakeDNS, Listener, ScriptedProxy, SilentHost, refusing_port
from tests.support.proxies import PROXIES, Proxies, Proxy
from tests.support.servers import free_port

ITEM = (Envelope("a@b.example", ["x@y.example"]), b"Subject: x\r\n\r\nHello\r\n")
TUNNEL, SOCKS4, SOCKS5 = FirewallType.TUNNEL, FirewallType.SOCKS4, FirewallType.SOCKS5
OK = b"HTTP/1.1 200 OK\r\n\r\n"
BLANK = b"\r\n\r\n"


@contextlib.contextmanager
def on_both_loopbacks(**options: Any) -> Iterator[Sink]:
    """A sink that is there whichever of its addresses a proxy takes for localhost."""
    # Below what the system hands out, so that it is free on either.
    port = free_port()
    with Sink(host="::1", port=port, **options), Sink(port=port, **options) as four:
        yield four


def through(front: Front, server: Sink, options: dict[str, Any], **more: Any) -> Any:
    settings = {"mail_server": "127.0.0.1", "mail_port": server.port, "ssl_start_mode": 3}
    return front.make(**{**settings, **options, **more})


def fails(front: Front, smtp: Any) -> SMTPSError:
    with pytest.raises(SMTPSError) as caught:
        front.connect(smtp)
    assert not smtp.connected
    assert smtp.idle
    return caught.value


NAMING = [name for name in PROXIES if PROXIES[name].kind is not SOCKS4]
LOCKED = [name for name in PROXIES if PROXIES[name].login]


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest, proxies: Proxies) -> Proxy:
    """Every real proxy in turn."""
    return proxies.get(request.param)


@pytest.fixture(params=NAMING)
def naming_proxy(request: pytest.FixtureRequest, proxies: Proxies) -> Proxy:
    """Those that take names: Debian's Dante knows SOCKS4 without 4a, which a script does below."""
    return proxies.get(request.param)


@pytest.fixture(params=LOCKED)
def locked_proxy(request: pytest.FixtureRequest, proxies: Proxies) -> Proxy:
    """Those that want a password."""
    return proxies.get(request.param)


# --- real proxies ---------------------------------------------------------------------------------


def test_a_message_passes_every_proxy(front: Front, proxy: Proxy) -> None:
    with Sink() as sink:
        assert front.send(through(front, sink, proxy.options), ITEM).ok
        assert sink.messages[0].content == ITEM[1]


def test_the_name_is_resolved_by_the_proxy(front: Front, naming_proxy: Proxy, dns: FakeDNS) -> None:
    with on_both_loopbacks() as sink:
        front.connect(through(front, sink, naming_proxy.options, mail_server="localhost"))
    assert "localhost" not in dns.asked


def test_an_ipv6_relay_is_reached(front: Front, proxy: Proxy) -> None:
    with Sink(host="::1") as sink:
        smtp = through(front, sink, proxy.options, mail_server="::1")
        if proxy.kind is SOCKS4:
            assert isinstance(fails(front, smtp), BadValue)
        else:
            front.connect(smtp)
            assert smtp.connected


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_the_certificate_is_that_of_the_relay_and_not_of_the_proxy(
    front: Front, naming_proxy: Proxy, tls: Any
) -> None:
    relay, other = (default_authority().issue(name) for name in ("localhost", "127.0.0.1"))
    more: dict[str, Any] = {"mail_server": "localhost", "ssl_start_mode": 1 + (tls == "starttls")}
    with on_both_loopbacks(tls=tls, certificate=relay) as sink:
        smtp = through(front, sink, naming_proxy.options, openssl_ca_file=sink.ca_file, **more)
        front.connect(smtp)
        assert smtp.connected
    with on_both_loopbacks(tls=tls, certificate=other) as sink:
        smtp = through(front, sink, naming_proxy.options, openssl_ca_file=sink.ca_file, **more)
        error = fails(front, smtp)
    assert isinstance(error, CertificateRefused)
    assert error.host == "localhost"


def test_a_relay_that_refuses_is_error_118_with_the_words_of_the_proxy(
    front: Front, proxy: Proxy
) -> None:
    options = {"mail_server": "127.0.0.1", "mail_port": refusing_port(), **proxy.options}
    error = fails(front, front.make(ssl_start_mode=3, **options))
    assert isinstance(error, ProxyError)
    assert (error.code, error.retryable) == (118, True)
    assert "the proxy refused: " in str(error)


def test_a_wrong_password_is_told_as_such(front: Front, locked_proxy: Proxy) -> None:
    with Sink() as sink:
        smtp = through(front, sink, {**locked_proxy.options, "firewall_password": "Wr0ng!"})
        error = fails(front, smtp)
    assert isinstance(error, ProxyError)
    assert not error.retryable
    assert "firewall_user and firewall_password" in str(error)
    assert "Wr0ng" not in str(error)


def test_a_missing_login_is_told_as_such(front: Front, locked_proxy: Proxy) -> None:
    with Sink() as sink:
        error = fails(front, through(front, sink, {**locked_proxy.options, "firewall_user": ""}))
    assert isinstance(error, ProxyError)
    assert "firewall_user and firewall_password" in str(error)


# --- scripted proxies -----------------------------------------------------------------------------


def test_socks4a_names_the_relay_for_the_proxy_to_resolve(front: Front, dns: FakeDNS) -> None:
    granted = b"\0\x5a" + bytes(6)
    with Sink() as sink, ScriptedProxy((b"example\0", granted), relay=sink.port) as proxy:
        smtp = through(front, sink, proxy.options(SOCKS4), mail_server="tëst.example")
        assert front.send(smtp, ITEM).ok
        assert proxy.heard.endswith(b"\0\0\0\x01\0xn--tst-jma.example\0")
    assert not any("example" in name for name in dns.asked)


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        (TUNNEL, [(BLANK, OK)]),
        (SOCKS4, [(9, b"\0\x5a" + bytes(6))]),
        (SOCKS5, [(3, b"\x05\0"), (10, b"\x05\0\0\x01" + bytes(6))]),
    ],
)
def test_a_greeting_glued_to_the_answer_is_the_relays(
    front: Front, kind: FirewallType, steps: list[tuple[bytes | int, bytes]]
) -> None:
    *others, (awaited, granted) = steps
    glued = (awaited, granted + b"220 glued\r\n")
    rest = [(b"EHLO ", b"250 relay\r\n"), (b"QUIT", b"221 bye\r\n")]
    with ScriptedProxy(*others, glued, *rest) as proxy:
        smtp = front.make(mail_server="192.0.2.1", ssl_start_mode=3, **proxy.options(kind))
        front.connect(smtp)
        assert smtp.connected
        front.disconnect(smtp)


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        (TUNNEL, [(BLANK, OK)]),
        (SOCKS4, [(9, b"\0\x5a" + bytes(6))]),
        (SOCKS5, [(3, b"\x05\0"), (10, b"\x05\0\0\x01" + bytes(6))]),
    ],
)
def test_implicit_tls_through_a_proxy_starts_with_a_handshake(
    front: Front, kind: FirewallType, steps: list[tuple[bytes | int, bytes]]
) -> None:
    with ScriptedProxy(*steps) as proxy:
        smtp = front.make(mail_server="192.0.2.1", mail_port=465, timeout=5, **proxy.options(kind))
        fails(front, smtp)
        # A handshake record of TLS.
        assert proxy.then[:2] == b"\x16\x03"


def test_bytes_in_clear_text_before_implicit_tls_are_refused(front: Front) -> None:
    with ScriptedProxy((BLANK, OK + b"220 injected\r\n")) as proxy:
        smtp = front.make(mail_server="192.0.2.1", mail_port=465, **proxy.options(TUNNEL))
        assert isinstance(fails(front, smtp), ProtocolError)
        assert proxy.then == b""


def test_a_proxy_that_closes_is_error_118(front: Front) -> None:
    with ScriptedProxy((3, b"\x05"), close=True) as proxy:
        smtp = front.make(mail_server="192.0.2.1", ssl_start_mode=3, **proxy.options(SOCKS5))
        error = fails(front, smtp)
    assert isinstance(error, ProxyError)
    assert "closed the connection instead of an answer" in str(error)


def test_a_proxy_that_is_not_there_is_error_118_with_the_reason(front: Front) -> None:
    port = refusing_port()
    smtp = front.make(
        mail_server="192.0.2.1", ssl_start_mode=3, firewall=Firewall(SOCKS5, "127.0.0.1", port)
    )
    error = fails(front, smtp)
    assert isinstance(error, ProxyError)
    assert f"cannot connect to 127.0.0.1 port {port}: Connection refused" in str(error)


def test_a_proxy_that_drips_is_given_up_at_the_timeout(front: Front) -> None:
    with ScriptedProxy((BLANK, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100), drip=0.1) as proxy:
        smtp = front.make(mail_server="192.0.2.1", timeout=1, **proxy.options(TUNNEL))
        begun = monotonic()
        error = fails(front, smtp)
        assert monotonic() - begun < 5
    assert isinstance(error, TimedOut)
    assert str(error) == "timed out after 1 s (while asking the proxy to connect)"


@pytest.mark.parametrize("host", [Listener, SilentHost])
def test_a_silent_proxy_is_given_up_at_the_connection_timeout(
    front: Front, host: type[Listener]
) -> None:
    with host() as silent:
        firewall = Firewall(SOCKS5, "127.0.0.1", silent.port)
        smtp = front.make(mail_server="192.0.2.1", connection_timeout=0.3, firewall=firewall)
        begun = monotonic()
        error = fails(front, smtp)
        assert monotonic() - begun < 5
    assert isinstance(error, TimedOut)
    assert (error.code, error.phase) == (301, "asking the proxy to connect")


def test_what_the_proxy_cannot_carry_is_refused_before_it_is_called(front: Front) -> None:
    with Listener() as proxy:
        firewall = Firewall(SOCKS4, "127.0.0.1", proxy.port)
        smtp = front.make(mail_server="::1", firewall=firewall)
        assert isinstance(fails(front, smtp), BadValue)
        proxy.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_unix_socket_is_not_reached_through_a_proxy(front: Front) -> None:
    firewall = Firewall(SOCKS5, "127.0.0.1", refusing_port())
    smtp = front.make(mail_server="/run/lmtp", ssl_start_mode=3, firewall=firewall)
    error = fails(front, smtp)
    assert isinstance(error, BadValue)
    assert "a Unix socket is not reached through a proxy" in str(error)


# --- properties -----------------------------------------------------------------------------------


def test_the_layers_come_up_and_go_down_in_order(front: Front) -> None:
    events: list[ConnectionStatus] = []
    with Sink() as sink, ScriptedProxy((BLANK, OK), relay=sink.port) as proxy:
        smtp = through(front, sink, proxy.options(TUNNEL))
        smtp.on_connection_status = events.append
        front.connect(smtp)
        front.disconnect(smtp)
    assert [event.connection_event for event in events] == [
        "Firewall Connect",
        "Remote Connect",
        "Remote Disconnect",
        "Firewall Disconnect",
    ]


def test_a_refusal_is_told_as_a_firewall_that_did_not_connect(front: Front) -> None:
    events: list[ConnectionStatus] = []
    with ScriptedProxy((BLANK, b"HTTP/1.1 403 No\r\n\r\n")) as proxy:
        smtp = front.make(mail_server="192.0.2.1", **proxy.options(TUNNEL))
        smtp.on_connection_status = events.append
        fails(front, smtp)
    assert [(event.connection_event, event.status_code) for event in events] == [
        ("Firewall Connect", 118)
    ]


def test_no_trail_shows_the_login(front: Front) -> None:
    lines: list[str] = []
    with Sink() as sink, ScriptedProxy((BLANK, OK), relay=sink.port) as proxy:
        login = {"firewall_user": "ann", "firewall_password": "S3cr3t!"}
        smtp = through(front, sink, proxy.options(TUNNEL, **login))
        smtp.on_pi_trail = lambda event: lines.append(event.message)
        front.connect(smtp)
        assert b"Proxy-Authorization: Basic YW5uOlMzY3IzdCE=\r\n" in proxy.heard
    assert f"through tunnel://127.0.0.1:{proxy.port}" in lines[0]
    assert not any(secret in line for line in lines for secret in ("S3cr3t", "YW5uOlM"))


def test_firewall_data_reaches_the_tunnel(front: Front) -> None:
    with Sink() as sink, ScriptedProxy((BLANK, OK), relay=sink.port) as proxy:
        smtp = through(front, sink, proxy.options(TUNNEL), firewall_data="X-A: b\r\nX-C: d")
        front.connect(smtp)
        assert proxy.heard.endswith(b"\r\nX-A: b\r\nX-C: d\r\n\r\n")


def test_the_firewall_of_a_url_is_used(front: Front) -> None:
    with Sink() as sink, ScriptedProxy((BLANK, OK), relay=sink.port) as proxy:
        url = f"{sink.url}&firewall=http://ann:p%40ss@127.0.0.1:{proxy.port}"
        smtp = front.at(url)
        front.connect(smtp)
        assert b"CONNECT 127.0.0.1:" in proxy.heard
        assert smtp.firewall_password == "p@ss"


def test_the_next_connection_goes_without_a_firewall_that_was_taken_away(front: Front) -> None:
    with Sink() as sink:
        smtp = through(front, sink, {"firewall": Firewall(SOCKS5, "127.0.0.1", refusing_port())})
        fails(front, smtp)
        smtp.firewall_type = FirewallType.NONE
        front.connect(smtp)
        assert smtp.connected


# --- the system's proxy ---------------------------------------------------------------------------


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("smtp_proxy", "all_proxy", "socks_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("name", ["smtp_proxy", "ALL_PROXY", "https_proxy"])
def test_the_proxy_of_the_system_is_used_when_asked_for(
    front: Front, clean_environment: pytest.MonkeyPatch, name: str
) -> None:
    with Sink() as sink, ScriptedProxy((BLANK, OK), relay=sink.port) as proxy:
        clean_environment.setenv(name, f"http://127.0.0.1:{proxy.port}")
        front.connect(through(front, sink, {"firewall_auto_detect": True}))
        assert b"CONNECT 127.0.0.1:" in proxy.heard


def test_the_proxy_of_the_system_is_not_used_unasked(
    front: Front, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("all_proxy", f"socks5://127.0.0.1:{refusing_port()}")
    with Sink() as sink:
        front.connect(through(front, sink, {}))


def test_a_relay_that_the_system_excepts_is_reached_directly(
    front: Front, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("all_proxy", f"socks5://127.0.0.1:{refusing_port()}")
    clean_environment.setenv("no_proxy", "127.0.0.1")
    with Sink() as sink:
        front.connect(through(front, sink, {"firewall_auto_detect": True}))


def test_a_firewall_that_is_named_goes_before_the_systems(
    front: Front, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("all_proxy", f"socks5://127.0.0.1:{refusing_port()}")
    with Sink() as sink, ScriptedProxy((BLANK, OK), relay=sink.port) as proxy:
        front.connect(through(front, sink, proxy.options(TUNNEL), firewall_auto_detect=True))
        assert proxy.heard


def test_a_proxy_of_the_system_of_an_unknown_kind_is_error_118(
    front: Front, clean_environment: pytest.MonkeyPatch
) -> None:
    clean_environment.setenv("all_proxy", "quic://ann:S3cr3t@127.0.0.1:1")
    smtp = front.make(mail_server="192.0.2.1", firewall_auto_detect=True)
    error = fails(front, smtp)
    assert isinstance(error, ProxyError)
    assert "the system's all proxy cannot be used" in str(error)
    assert "S3cr3t" not in str(error)
