"""The firewall object and its flat names."""

from __future__ import annotations

import pytest

from smtps import SMTPS, BadValue, Firewall, FirewallType

TUNNEL, SOCKS4, SOCKS5 = FirewallType.TUNNEL, FirewallType.SOCKS4, FirewallType.SOCKS5


def test_there_is_none_by_default() -> None:
    smtp = SMTPS()
    assert smtp.firewall.firewall_type is FirewallType.NONE
    assert (smtp.firewall_host, smtp.firewall_port, smtp.firewall_auto_detect) == ("", 0, False)
    assert not smtp.firewall.is_used


def test_flat_names_and_fields_are_the_same_values() -> None:
    smtp = SMTPS(firewall_host="proxy.example", firewall_user="ann")
    smtp.firewall.firewall_type = SOCKS5
    smtp.firewall_password = "secret"
    assert (smtp.firewall.host, smtp.firewall.user) == ("proxy.example", "ann")
    assert (smtp.firewall_type, smtp.firewall.password) == (SOCKS5, "secret")


def test_each_component_has_its_own() -> None:
    SMTPS().firewall.host = "one.example"
    assert SMTPS().firewall_host == ""


def test_an_object_is_taken_whole() -> None:
    firewall = Firewall(TUNNEL, "proxy.example", 3128)
    smtp = SMTPS(firewall=firewall)
    assert smtp.firewall is firewall
    assert (smtp.firewall_type, smtp.firewall_port) == (TUNNEL, 3128)


@pytest.mark.parametrize(("kind", "port"), [(TUNNEL, 80), (SOCKS4, 1080), (SOCKS5, 1080)])
def test_the_type_sets_the_port(kind: FirewallType, port: int) -> None:
    smtp = SMTPS(firewall_type=kind)
    assert smtp.firewall_port == port


def test_a_port_that_was_the_usual_one_follows_the_type() -> None:
    firewall = Firewall(SOCKS5, "proxy.example", 1080)
    firewall.firewall_type = TUNNEL
    assert firewall.port == 80


@pytest.mark.parametrize("order", [("port", "firewall_type"), ("firewall_type", "port")])
def test_a_port_that_was_named_stays_whatever_comes_first(order: tuple[str, str]) -> None:
    firewall = Firewall()
    for name in order:
        setattr(firewall, name, {"port": 8080, "firewall_type": SOCKS5}[name])
    assert firewall.port == 8080


def test_it_needs_a_type_and_a_host() -> None:
    assert not Firewall(SOCKS5).is_used
    assert not Firewall(host="proxy.example").is_used
    assert Firewall(SOCKS5, "proxy.example").is_used


def test_every_field_has_a_name_for_config() -> None:
    smtp = SMTPS()
    for name, value in {
        "FirewallType": "3",
        "FirewallHost": "proxy.example",
        "FirewallPort": "8080",
        "FirewallUser": "ann",
        "FirewallAutoDetect": "true",
    }.items():
        smtp.config(f"{name}={value}")
        assert smtp.config(name) == value
    smtp.config("firewallpassword=secret")
    assert smtp.firewall.password == "secret"
    assert smtp.config("FirewallPassword") == "********"


def test_reset_forgets_it() -> None:
    smtp = SMTPS(firewall=Firewall(SOCKS5, "proxy.example"))
    smtp.reset()
    assert not smtp.firewall.is_used


@pytest.mark.parametrize(
    ("url", "kind", "port"),
    [
        ("http://proxy.example:3128", TUNNEL, 3128),
        ("socks5://proxy.example", SOCKS5, 1080),
        ("socks5h://proxy.example:1", SOCKS5, 1),
        ("socks4a://proxy.example", SOCKS4, 1080),
        ("http://proxy.example", TUNNEL, 80),
    ],
)
def test_a_url_says_it_all(url: str, kind: FirewallType, port: int) -> None:
    firewall = Firewall.from_url(url)
    assert (firewall.firewall_type, firewall.host, firewall.port) == (kind, "proxy.example", port)


@pytest.mark.parametrize(
    "url", ["proxy.example:1", "https://S3cr3t@p.example", "socks5://", "http://S3cr3t@x:port", ""]
)
def test_what_is_no_such_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadValue, match="firewall") as caught:
        Firewall.from_url(url)
    assert "S3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["x\r\nX-A: b", "a b", "x/y", "user@x", "x:1", "a" * 256, "ab." * 86, "x\0", "a..b"]
)
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(BadValue, match="firewall_host"):
        SMTPS(firewall_host=host)


@pytest.mark.parametrize("port", [-1, 65536, "80", True])
def test_a_port_that_is_none_is_refused(port: object) -> None:
    with pytest.raises(BadValue, match="firewall_port"):
        SMTPS(firewall_port=port)


@pytest.mark.parametrize("bad", ["a\r\nb", "a\0", "a\x7f"])
def test_a_user_with_a_control_character_is_refused(bad: str) -> None:
    with pytest.raises(BadValue, match="firewall_user"):
        SMTPS(firewall_user=bad)


def test_a_mistyped_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="did you mean host"):
        Firewall().hosts = "x"


def test_neither_repr_nor_text_shows_the_password() -> None:
    firewall = Firewall(SOCKS5, "proxy.example", user="ann", password="S3cr3t!")
    assert repr(firewall) == "<Firewall socks5://proxy.example:1080>"
    smtp = SMTPS(firewall=firewall)
    assert smtp.config("Firewall") == "socks5://proxy.example:1080"


@pytest.mark.parametrize("lines", ["", "X-A: b", "X-A: b\r\n", "X-A:b\r\nX_c.d: e f\tg"])
def test_firewall_data_is_header_lines(lines: str) -> None:
    assert SMTPS(firewall_data=lines).settings.firewall_data == lines


@pytest.mark.parametrize(
    "lines",
    [
        "X-A",
        ": b",
        "X A: b",
        "X-A: b\r\n\r\nGET / HTTP/1.1",
        "\r\nX-A: b",
        "X-A: b\nX-C: d",
        "X-A: b\rc",
        "X-A: b\0",
        "X-A: \u760d\u760a",
        " X-A: b",
    ],
)
def test_firewall_data_that_could_end_the_request_is_refused(lines: str) -> None:
    with pytest.raises(BadValue, match="firewall_data"):
        SMTPS(firewall_data=lines)


def test_firewall_listener_is_taken() -> None:
    smtp = SMTPS()
    smtp.config("FirewallListener=true")
    assert smtp.config("firewalllistener") == "true"


def test_what_is_not_text_is_no_url_of_a_proxy() -> None:
    with pytest.raises(BadValue, match="firewall: expected text, not NoneType"):
        Firewall.from_url(None)  # type: ignore[arg-type]
