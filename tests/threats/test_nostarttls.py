"""Clear text: NO STARTTLS, CVE-2016-0772 (smtplib), CVE-2026-41319 (MailKit), GHSA-vxj7-4xrp-5vr4.

Whoever sits in the middle takes STARTTLS away, injects replies or refuses a mechanism: no password
and no mail is said in clear text, and no weaker mechanism is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smtps import Envelope, Message, Outbox, Pool, ProtocolError, SMTPSError
from smtps.errors import SessionError
from smtps.phase import Phase
from smtps.testing import Fault, Sink
from smtps.testing.auth import MECHANISMS
from tests.support.concealed import SECRET, shown
from tests.support.fronts import Front

ITEM = (Envelope("a@b.example", ["c@d.example"]), b"Subject: x\r\n\r\nx\r\n")
AUTH = " ".join(name for name in MECHANISMS)
#: What the one in the middle makes of the conversation.
ATTACKS: dict[str, list[Fault]] = {
    "taken away": [Fault(on="EHLO", reply=f"250-relay\r\n250 AUTH {AUTH}")],
    "made unreadable": [Fault(on="EHLO", reply=f"250-relay\r\n250-XXXXXXXA\r\n250 AUTH {AUTH}")],
    "no EHLO": [Fault(on="EHLO", reply="502 5.5.1 what?")],
    "refused for now": [Fault(on="STARTTLS", reply="454 4.7.0 not now")],
    "refused for good": [Fault(on="STARTTLS", reply="502 5.5.1 what?")],
    "accepted by another number": [Fault(on="STARTTLS", reply="250 go on")],
    "accepted, and then clear text": [
        Fault(on="handshake", reply=f"250-relay\r\n250 AUTH {AUTH}\r\n".encode(), drop=True)
    ],
    "login behind it": [
        Fault(on="STARTTLS", reply="220 go", inject=b"235 2.7.0 you are in\r\n" * 3)
    ],
    "another EHLO behind it": [
        Fault(on="STARTTLS", reply="220 go", inject=f"250-evil\r\n250 AUTH {AUTH}\r\n".encode())
    ],
    "half a line behind it": [Fault(on="STARTTLS", reply="220 go", inject=b"2")],
    "an empty line behind it": [Fault(on="STARTTLS", reply="220 go", inject=b"\r\n")],
    "a farewell behind it": [Fault(on="STARTTLS", reply="220 go", inject=b"421 4.3.2 bye\r\n")],
    "half a TLS record behind it": [Fault(on="STARTTLS", reply="220 go", inject=b"\x16\x03\x03")],
    "in two lines": [Fault(on="STARTTLS", reply="220-go\r\n220 go", inject=b"250 evil\r\n")],
    "greeted as logged in": [
        Fault(on="greeting", reply=f"220 relay\r\n250-relay\r\n250 AUTH {AUTH}\r\n".encode())
    ],
}
METHODS: dict[str, Callable[[Front, Any, Any], object]] = {
    "connect": lambda front, smtp, _: front.connect(smtp),
    "send": lambda front, smtp, _: front.send(smtp, ITEM),
    "classic send": lambda front, smtp, _: front.send(smtp),
    "send_many": lambda front, smtp, _: front.send_many(smtp, [ITEM, ITEM]),
    "verify": lambda front, smtp, _: front.run(smtp.verify("a@b.example")),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_said_in_clear_text(front: Front, method: str, attack: str) -> None:
    with Sink(tls="starttls", users={"joe": SECRET}, auth_in_clear=True) as sink:
        for fault in ATTACKS[attack]:
            sink.add_fault(fault)
        smtp = front.at(sink.url)
        smtp.from_, smtp.send_to = "a@b.example", "c@d.example"
        with pytest.raises(SMTPSError):
            METHODS[method](front, smtp, None)
        assert not smtp.connected
        said_nothing(sink)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_pool_and_a_queue_say_nothing_either(tmp_path: Any, attack: str) -> None:
    with Sink(
        tls="starttls", users={"joe": SECRET}, auth_in_clear=True, faults=ATTACKS[attack]
    ) as sink:
        outbox = Outbox(tmp_path)
        outbox.put(ITEM)
        with Pool(sink.url, connections=1) as pool:
            with pytest.raises(SMTPSError):
                pool.send(ITEM)
            with pytest.raises(SMTPSError):
                outbox.run(pool)
        assert [one.state for one in outbox.list()] == ["queued"]
        said_nothing(sink)


@pytest.mark.parametrize("attack", [name for name in ATTACKS if "behind it" in name])
def test_what_is_glued_to_the_220_ends_it_before_a_word_of_tls(front: Front, attack: str) -> None:
    with Sink(tls="starttls", users={"joe": SECRET}, faults=ATTACKS[attack]) as sink:
        smtp = front.at(sink.url)
        with pytest.raises(SessionError) as caught:
            front.connect(smtp)
        # Not something that broke later, after a handshake with whoever said it.
        assert caught.value.phase is Phase.STARTTLS
        sink.wait_until(lambda: sink.connections[0].closed)
        assert sink.connections[0].tls is None


@pytest.mark.parametrize("method", METHODS)
def test_nothing_follows_starttls_before_it_is_answered(front: Front, method: str) -> None:
    # Where a server reads on in clear text behind it, what follows would be taken for encrypted.
    with Sink(tls="starttls", users={"joe": SECRET}) as sink:
        smtp = front.at(sink.url)
        smtp.from_, smtp.send_to = "a@b.example", "c@d.example"
        METHODS[method](front, smtp, None)
        front.disconnect(smtp)
    assert sink.violations == []
    commands = sink.connections[0].commands
    assert [line.split()[0] for line in commands[:4]] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


def said_nothing(sink: Sink) -> None:
    sink.wait_until(lambda: all(one.closed for one in sink.connections))
    allowed = ("EHLO", "HELO", "STARTTLS", "QUIT")
    assert [line for line in sink.commands if not line.startswith(allowed)] == []
    assert sink.messages == ()


@pytest.mark.parametrize("mechanism", [*MECHANISMS, "NTLM", "DIGEST-MD5", "EXTERNAL"])
def test_nobody_logs_in_where_clear_text_was_asked_for(front: Front, mechanism: str) -> None:
    known = {mechanism: MECHANISMS.get(mechanism, MECHANISMS["PLAIN"])}
    with Sink(users={"joe": SECRET}, mechanisms=known, auth_in_clear=True) as sink:
        smtp = front.make(
            mail_server=sink.host,
            mail_port=sink.port,
            ssl_start_mode=3,
            user="joe",
            password=SECRET,
        )
        with pytest.raises(SMTPSError):
            front.connect(smtp)
        said_nothing(sink)


#: Stronger ones, which one in the middle of a broken TLS, or the server itself, refuses.
STRONG = ["CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"]
REFUSALS = ["535 5.7.8 no", "534 5.7.9 weak", "504 5.5.4 unknown", "454 4.7.0 later", "500 what?"]


@pytest.mark.parametrize("strong", STRONG)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_leads_to_no_weaker_mechanism(front: Front, strong: str, refusal: str) -> None:
    with Sink(
        tls="starttls",
        mechanisms=[strong, "LOGIN", "PLAIN"],
        users={"joe": SECRET},
        faults=[Fault(on="AUTH", reply=refusal)],
    ) as sink:
        smtp = front.at(sink.url)
        if strong in ("XOAUTH2", "OAUTHBEARER"):
            smtp.password, smtp.authorization_identity = "", SECRET
        with pytest.raises(SMTPSError):
            front.connect(smtp)
        sink.wait_until(lambda: sink.connections[0].closed)
        said = [line for line in sink.commands if line.startswith("AUTH")]
        assert [line.split()[1] for line in said] == [strong]
        if strong not in ("XOAUTH2", "OAUTHBEARER"):  # Those are the secret itself.
            assert shown("\n".join(sink.commands)) == []


def test_scram_is_over_without_the_proof_of_the_server(front: Front) -> None:
    lax = {"SCRAM-SHA-256": lambda _: "joe", "PLAIN": MECHANISMS["PLAIN"]}
    with Sink(tls="starttls", mechanisms=lax, users={"joe": SECRET}) as sink:
        with pytest.raises(ProtocolError):
            front.send(front.at(sink.url), Message(from_="a@b.example", to="c@d.example", text="x"))
        sink.wait_until(lambda: sink.connections[0].closed)
        assert [line for line in sink.commands if line.startswith("MAIL")] == []
