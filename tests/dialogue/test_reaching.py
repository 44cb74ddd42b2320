"""The way to the relay, and what is told of it, without a socket."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from smtps.client import SMTPS
from smtps.dialogue.reaching import reach
from smtps.enumerations import FirewallType
from smtps.errors import (
    BadValue,
    ConnectionFailed,
    ConnectionLost,
    Interrupted,
    ProxyError,
    SessionError,
    TimedOut,
)
from smtps.events import ConnectionStatus, Direction, PITrail
from smtps.firewall import Firewall, system_firewall
from smtps.ops import Call, Connect, Connected, Emit, Read, Write
from smtps.phase import Phase

LOCAL = Connected("client.example", "192.0.2.1", "192.0.2.2")
PROXY = Firewall(FirewallType.SOCKS4, "proxy.example", 1081)
TAKEN = b"\0\x5a" + bytes(6)


class Way:
    """What was done to reach a relay, and what was told; results are an operation's, in order.

    Every `Emit` and `Write` is carried out; all others take the next result, or raise it.
    """

    def __init__(self, *results: Any, **options: Any) -> None:
        smtp = SMTPS(**{"mail_server": "relay.example", "mail_port": 2525, **options})
        self.session = smtp._live
        self.session.heard = frozenset({ConnectionStatus, PITrail})
        self.session.begin()
        self._results = list(results)
        self.ops: list[Any] = []
        self.told: list[Any] = []

    def go(self) -> bytes:
        dialogue = reach(self.session)
        try:
            op: Any = next(dialogue)
            while True:
                result = self._carry_out(op)
                failed = isinstance(result, Exception)
                op = dialogue.throw(result) if failed else dialogue.send(result)
        except StopIteration as stop:
            said: bytes = stop.value
            return said

    def fails(self) -> SessionError:
        with pytest.raises(SessionError) as caught:
            self.go()
        return caught.value

    def _carry_out(self, op: Any) -> Any:
        if isinstance(op, Emit):
            self.told.append(op.event)
            return None
        self.ops.append(op)
        return False if isinstance(op, Write) else self._results.pop(0)

    @property
    def places(self) -> list[tuple[str, int]]:
        return [(op.host, op.port) for op in self.ops if isinstance(op, Connect)]


def info(message: str) -> PITrail:
    return PITrail(Direction.INFO, message)


def failed(layer: str, error: SessionError) -> ConnectionStatus:
    return ConnectionStatus(f"{layer} Connect", error.code, str(error))


# --- directly -------------------------------------------------------------------------------------


def test_without_a_proxy_the_relay_is_connected_to() -> None:
    way = Way(LOCAL)
    assert way.go() == b""
    assert way.places == [("relay.example", 2525)]
    assert way.told == [
        info("Connecting to relay.example:2525"),
        ConnectionStatus("Remote Connect", 0, "OK"),
    ]
    assert (way.session.local, way.session.layers) == (LOCAL, ["Remote"])


@pytest.mark.parametrize("error", [ConnectionFailed("refused", code=10061), TimedOut(3.0)])
def test_a_relay_that_cannot_be_reached_is_told_and_raised(error: SessionError) -> None:
    way = Way(error)
    assert way.fails() is error
    assert error.phase is Phase.CONNECT
    assert way.told[1:] == [failed("Remote", error)]
    assert way.session.layers == []


# --- which proxy ----------------------------------------------------------------------------------


def test_a_unix_socket_is_not_reached_through_a_proxy() -> None:
    way = Way(mail_server="/run/lmtp", firewall=PROXY)
    with pytest.raises(BadValue) as caught:
        way.go()
    assert str(caught.value) == "firewall_host: a Unix socket is not reached through a proxy"
    assert way.ops == []


def test_no_proxy_is_looked_for_on_the_way_to_a_unix_socket() -> None:
    way = Way(LOCAL, mail_server="/run/lmtp", firewall=Firewall(auto_detect=True))
    way.go()
    assert [type(op) for op in way.ops] == [Connect]


def test_no_proxy_is_looked_for_unless_that_is_asked() -> None:
    way = Way(LOCAL)
    way.go()
    assert [type(op) for op in way.ops] == [Connect]


def test_a_proxy_that_is_given_is_used_without_looking_for_another() -> None:
    proxy = Firewall(FirewallType.SOCKS4, "proxy.example", 1081, auto_detect=True)
    way = Way(LOCAL, TAKEN, firewall=proxy)
    way.go()
    assert [type(op) for op in way.ops] == [Connect, Write, Read]


@pytest.mark.parametrize(
    ("found", "place"), [(PROXY, ("proxy.example", 1081)), (None, ("relay.example", 2525))]
)
def test_the_proxy_of_the_system_is_used_if_there_is_one(
    found: Firewall | None, place: tuple[str, int]
) -> None:
    way = Way(found, LOCAL, TAKEN, firewall=Firewall(auto_detect=True))
    way.go()
    assert way.ops[0] == Call(system_firewall, ("relay.example",))
    assert way.places == [place]


def test_a_proxy_of_the_system_that_makes_no_sense_is_told_and_raised() -> None:
    error = ProxyError("nonsense")
    way = Way(error, firewall=Firewall(auto_detect=True))
    assert way.fails() is error
    assert way.told == [failed("Firewall", error)]


# --- through it -----------------------------------------------------------------------------------


def test_through_a_proxy_both_layers_are_told_and_its_last_bytes_are_the_relays_first() -> None:
    way = Way(LOCAL, TAKEN + b"220 re", firewall=PROXY)
    assert way.go() == b"220 re"
    assert way.places == [("proxy.example", 1081)]
    assert way.told == [
        info(f"Connecting to relay.example:2525 through {PROXY}"),
        ConnectionStatus("Firewall Connect", 0, "OK"),
        ConnectionStatus("Remote Connect", 0, "OK"),
    ]
    assert (way.session.local, way.session.layers) == (LOCAL, ["Firewall", "Remote"])


def test_a_tunnel_is_sent_the_header_lines_of_the_program() -> None:
    way = Way(
        *(LOCAL, b"HTTP/1.1 200 ok\r\n\r\n"),
        firewall=Firewall(FirewallType.TUNNEL, "proxy.example"),
        firewall_data="X-Who: me",
    )
    way.go()
    (request,) = [op.data for op in way.ops if isinstance(op, Write)]
    assert b"\r\nX-Who: me\r\n" in bytes(request)


def test_a_proxy_is_asked_for_a_name_in_ascii() -> None:
    way = Way(LOCAL, TAKEN, firewall=PROXY, mail_server="bücher.example")
    way.go()
    (request,) = [op.data for op in way.ops if isinstance(op, Write)]
    assert bytes(request).endswith(b"xn--bcher-kva.example\0")


def test_what_a_proxy_cannot_be_asked_is_found_out_before_it_is_called() -> None:
    way = Way(firewall=PROXY, mail_server="fe80::1%eth0")
    with pytest.raises(BadValue, match="mail_server"):
        way.go()
    assert way.ops == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionFailed("refused", code=10061), "the proxy cannot be reached: refused"),
        (ConnectionLost("reset"), "the proxy closed the connection instead of an answer"),
    ],
)
def test_a_proxy_that_is_not_there_is_error_118_with_what_was_wrong(
    error: SessionError, words: str
) -> None:
    way = Way(error, firewall=PROXY)
    raised = way.fails()
    assert isinstance(raised, ProxyError)
    assert raised.__cause__ is error
    assert raised.reason == words
    assert way.told[1:] == [failed("Firewall", raised)]
    assert way.session.layers == []


@pytest.mark.parametrize("error", [TimedOut(3.0), Interrupted(), ProxyError("no")])
def test_other_errors_of_a_proxy_stay_what_they_are(error: SessionError) -> None:
    way = Way(LOCAL, error, firewall=PROXY)
    assert way.fails() is error
    assert error.phase is Phase.PROXY
    assert error.__cause__ is None
    assert way.told[1:] == [failed("Firewall", error)]


# --- how long -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"timeout": 40}, 40),
        ({"timeout": 40, "connection_timeout": 5}, 5),
        ({"timeout": 40, "absolute_timeout": True}, 40),
        ({"timeout": 40, "absolute_timeout": True, "connection_timeout": 5}, 5),
        ({"timeout": 40, "absolute_timeout": True, "connection_timeout": 90}, 40),
        ({"timeout": 0, "connection_timeout": 5}, 5),
    ],
)
@pytest.mark.parametrize("firewall", [Firewall(), PROXY])
def test_one_limit_bounds_all_of_it(
    firewall: Firewall, options: dict[str, Any], seconds: float
) -> None:
    way = Way(LOCAL, TAKEN, firewall=firewall, **options)
    way.go()
    deadlines = {op.deadline for op in way.ops}
    (deadline,) = deadlines
    assert (deadline.idle, deadline.total) == (None, seconds)
    assert deadline.until - monotonic() == pytest.approx(seconds, abs=4)


def test_without_a_timeout_nothing_is_bounded() -> None:
    way = Way(LOCAL, timeout=0)
    way.go()
    (connect,) = way.ops
    deadline = connect.deadline
    assert (deadline.idle, deadline.until, deadline.total) == (None, None, None)
