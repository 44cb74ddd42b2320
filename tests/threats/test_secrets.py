"""Secrets: in no log, trail, error, traceback, pickle or file, whatever goes wrong on the way."""

from __future__ import annotations

import logging
import pickle
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import smtps
from smtps import (
    SMTPS,
    AuthMechanism,
    BadValue,
    Envelope,
    Firewall,
    FirewallType,
    Outbox,
    Pool,
    SMTPSError,
    compat,
)
from smtps.testing import Fault, Sink
from smtps.testing.auth import MECHANISMS
from tests.support.concealed import SECRET, shown
from tests.support.fronts import Front
from tests.support.network import ScriptedProxy

PACKAGE = str(Path(smtps.__file__).parent)
OAUTH = {"XOAUTH2", "OAUTHBEARER"}
ITEM = (Envelope("a@b.example", ["c@d.example"]), b"Subject: x\r\n\r\nx\r\n")
#: What happens to AUTH and to the answers to its challenges.
FAULTS: dict[str, list[Fault]] = {
    "nothing": [],
    "refused": [Fault(on="AUTH", reply="535 5.7.8 no")],
    "later": [Fault(on="AUTH", reply="454 4.7.0 not now")],
    "farewell": [Fault(on="AUTH", reply="421 4.3.2 bye", drop=True)],
    "dropped": [Fault(on="AUTH", drop=True)],
    "reset": [Fault(on="AUTH", reset=True)],
    "stalled": [Fault(on="AUTH", stall=True)],
    "nonsense": [Fault(on="AUTH", reply=b"\0\xff garbage\r\n")],
    "a challenge that is none": [Fault(on="AUTH", reply="334 ????")],
    "accepted at once": [Fault(on="AUTH", reply="235 come in")],
    "endless": [Fault(on="AUTH", reply=b"235-x\r\n" * 2000)],
    "message refused": [Fault(on=".", reply="554 5.6.0 no")],
}


def told(error: BaseException) -> list[str]:
    """Give what a reporter of errors can tell, with the variables of each frame of the package."""
    parts = [str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error))]
    parts += traceback.format_exception(error)
    seen = traceback.TracebackException.from_exception(error, capture_locals=True)
    while seen is not None:
        parts += [repr(one.locals) for one in seen.stack if one.filename.startswith(PACKAGE)]
        parts += seen.format_exception_only()
        seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]
    return parts


def login(sink: Sink, mechanism: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "mail_server": sink.host,
        "mail_port": sink.port,
        "ssl_start_mode": 2,
        "openssl_ca_file": sink.ca_file,
        "user": "joe",
        "authorization_identity" if mechanism in OAUTH else "password": SECRET,
    }
    if mechanism.endswith("-PLUS"):
        options["auth_mechanism"] = AuthMechanism[mechanism.replace("-", "_")]
    return options


@pytest.mark.parametrize(
    ("mechanism", "what"),
    [
        *((mechanism, "accepted at once") for mechanism in MECHANISMS),
        *((mechanism, what) for mechanism in ("PLAIN", "SCRAM-SHA-256") for what in FAULTS),
    ],
)
def test_no_form_of_a_secret_is_shown(
    front: Front,
    mechanism: str,
    what: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    with Sink(
        tls="starttls", mechanisms=[mechanism], users={"joe": SECRET}, faults=FAULTS[what]
    ) as sink:
        # Only what never answers is not waited for.
        timeout = 0.5 if what == "stalled" else 60
        options = {**login(sink, mechanism), "timeout": timeout}
        smtp = front.make(**options, from_="a@b.example", send_to="c@d.example")
        smtp.on_pi_trail = lambda event: seen.append(repr(event) + repr(pickle.dumps(event)))
        smtp.on_error = lambda event: seen.append(repr(event))
        smtp.on_connection_status = lambda event: seen.append(repr(event))
        try:
            front.connect(smtp)
            receipts = [front.send(smtp, ITEM), *front.send_many(smtp, [ITEM])]
            seen += [repr(receipts), repr(pickle.dumps(receipts))]
        except SMTPSError as error:
            seen += told(error)
        front.run(smtp.queue(tmp_path))
        seen += [repr(smtp), str(smtp.last_reply), repr(smtp.settings), repr(smtp.firewall)]
        seen += [smtp.config(name) for name in ("Password", "AuthorizationIdentity")]
    seen += [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    seen += [f"{one.getMessage()} {one.__dict__}" for one in caplog.records]
    seen += capfd.readouterr()
    text = "\n".join(seen)
    assert "joe" not in "".join(path.read_text() for path in tmp_path.iterdir())
    assert "AUTH" in text
    assert shown(text) == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("what", ["nothing", "refused", "dropped", "nonsense"])
def test_the_drop_in_for_smtplib_shows_none(
    mechanism: str, what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    with Sink(
        mechanisms=[mechanism], auth_in_clear=True, users={"joe": SECRET}, faults=FAULTS[what]
    ) as sink:
        smtp = compat.SMTP(sink.host, sink.port)
        smtp.set_debuglevel(2)
        try:
            smtp.login("joe", SECRET)
            smtp.sendmail("a@b.example", ["c@d.example"], b"Subject: x\r\n\r\nx\r\n")
        except (OSError, ValueError, compat.SMTPException) as error:
            seen += [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
        smtp.close()
    seen += capfd.readouterr()
    text = "\n".join(seen)
    assert "AUTH" in text.upper()
    # The line of this test that logs in names the variable and not its value.
    assert shown(text) == []


PLACES: dict[str, Callable[[], object]] = {
    "url": lambda: SMTPS.from_url(f"smtp://joe:{SECRET}@host.example:port"),
    "url with a control": lambda: SMTPS.from_url(f"smtp://joe:{SECRET}\n@host.example"),
    "url with a path": lambda: SMTPS.from_url(f"smtp://joe:{SECRET}/@host.example"),
    "url with an odd option": lambda: SMTPS.from_url(f"smtp://host.example?passwort={SECRET}"),
    "pool": lambda: Pool(f"smtp://joe:{SECRET}@host.example:port"),
    "password": lambda: SMTPS(password=f"{SECRET}\0"),
    "password as bytes": lambda: SMTPS(password=SECRET.encode()),
    "token": lambda: SMTPS(authorization_identity=f"{SECRET}\n"),
    "firewall url": lambda: Firewall.from_url(f"ftp://joe:{SECRET}@host.example"),
    "firewall password": lambda: Firewall(FirewallType.SOCKS5, "h", 1, "joe", f"{SECRET}\r"),
    "firewall of a url": lambda: SMTPS.from_url(
        f"smtp://host.example?firewall=ftp://joe:{SECRET}@h.example"
    ),
    "config": lambda: SMTPS().config(f"Password={SECRET}\n"),
    "config of a misspelling": lambda: SMTPS().config(f"Pasword={SECRET}"),
    "store password": lambda: SMTPS(ssl_cert_store_password=f"{SECRET}\n"),
    "seed": lambda: SMTPS(openssl_prng_seed_data=f"{SECRET}\0"),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_error_of_a_wrong_value_does_not_repeat_it(place: str) -> None:
    with pytest.raises(BadValue) as caught:
        PLACES[place]()
    seen = [str(caught.value), repr(caught.value), repr(vars(caught.value))]
    seen += [repr(pickle.dumps(caught.value))]
    cause: BaseException | None = caught.value
    while cause is not None:
        seen += traceback.format_exception_only(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    assert shown("\n".join(seen)) == []


TUNNEL, SOCKS5 = FirewallType.TUNNEL, FirewallType.SOCKS5
#: The proxy's kind, who logs in, the relay, and what the proxy says at each step.
PROXIES: dict[str, tuple[FirewallType, str, str, str, list[tuple[int | bytes, bytes]]]] = {
    "refused": (TUNNEL, "joe", SECRET, "h.example", [(b"\r\n\r\n", b"HTTP/1.1 407 no\r\n\r\n")]),
    "nonsense": (TUNNEL, "joe", SECRET, "h.example", [(b"\r\n\r\n", b"what?\r\n\r\n")]),
    "refused by SOCKS": (SOCKS5, "joe", SECRET, "h.example", [(4, b"\5\2"), (3, b"\1\1")]),
    "nothing to log in by": (SOCKS5, "joe", SECRET, "h.example", [(4, b"\5\xff")]),
    "relay refused": (
        SOCKS5, "joe", SECRET, "h.example", [(4, b"\5\2"), (3, b"\1\0"), (9, b"\5\5\0\1")],
    ),
    "user with a colon": (TUNNEL, "j:oe", SECRET, "h.example", []),
    "zone": (TUNNEL, "joe", SECRET, "fe80::1%lo", []),
    "zone for SOCKS": (SOCKS5, "joe", SECRET, "fe80::1%lo", []),
    "password that is too long": (SOCKS5, "joe", SECRET * 30, "h.example", []),
    "user that is too long": (SOCKS5, "joe" * 99, SECRET, "h.example", []),
}  # fmt: skip


@pytest.mark.parametrize("what", PROXIES)
def test_the_login_of_a_proxy_is_in_no_error(front: Front, what: str) -> None:
    kind, user, password, relay, steps = PROXIES[what]
    with ScriptedProxy(*steps, close=True) as proxy:
        if not steps:
            # Whoever is not called waits for nobody.
            socket.create_connection(("127.0.0.1", proxy.port)).close()
        smtp = front.make(mail_server=relay, ssl_start_mode=3)
        smtp.firewall = Firewall(kind, "127.0.0.1", proxy.port, user, password)
        smtp.settings.firewall_data = f"X-Token: {SECRET}"
        seen: list[str] = []
        smtp.on_pi_trail = lambda event, seen=seen: seen.append(repr(event))
        smtp.on_connection_status = lambda event, seen=seen: seen.append(repr(event))
        with pytest.raises(SMTPSError) as caught:
            front.connect(smtp)
        seen += [
            *told(caught.value),
            repr(smtp),
            repr(smtp.firewall),
            smtp.config("FirewallPassword"),
        ]
        assert shown("\n".join(seen)) == []


def test_an_outbox_keeps_no_login(tmp_path: Path) -> None:
    with (
        Sink(
            tls="starttls",
            mechanisms=["PLAIN"],
            users={"joe": SECRET},
            faults=[Fault(on=".", reply="451 4.3.0 later")],
        ) as sink,
        SMTPS(**login(sink, "PLAIN")) as smtp,
    ):
        outbox = Outbox(tmp_path)
        outbox.put(ITEM)
        report = outbox.run(smtp)
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert shown("\n".join([*files, repr(report), repr(list(outbox.list()))])) == []
