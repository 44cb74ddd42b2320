"""Both components send through real servers: what arrives is what was given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy

import pytest

from smtps import (
    CommandRefused,
    Envelope,
    Message,
    MessageRefused,
    NotOffered,
    Recipient,
    RecipientsRefused,
    TooLarge,
)
from tests.support.exim import Exim
from tests.support.fronts import Front
from tests.support.postfix import Postfix
from tests.support.servers import DEFERRED, KEPT, REFUSED, Arrived, RealServer, fresh_address
from tests.support.smtp_server import SMTPServer

CONTENT = (
    b"From: a@b.example\nTo: x@y.example\r\nSubject: x\nBcc: z@y.example\n\n"
    b".\n..\r.dot\r\n.\r\nMAIL FROM:<evil@x.example>\r\n\r\n8 bits: \xc3\xa4\nno end of line"
)
ARRIVES = re.sub(rb"\r\n|\r|\n", b"\r\n", CONTENT) + b"\r\n"

#: The ways to end a message early that one server or another has fallen for.
FALSE_ENDS = (
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\n.\r",
    b"\r.\n",
    b"\r\n.\r\n",
    b"\n\n.\r\n",
)

ALL = ("postfix", "exim", "dovecot", "opensmtpd", "smtp_server", "aiosmtpd")


def only(*names: str) -> pytest.MarkDecorator:
    """Run a test on these servers."""
    return pytest.mark.parametrize("real_server", names, indirect=True)


def all_but(*names: str) -> pytest.MarkDecorator:
    """Run a test on the other servers."""
    return only(*[name for name in ALL if name not in names])


def test_a_message_arrives_byte_for_byte(front: Front, real_server: RealServer) -> None:
    one, two = fresh_address(), fresh_address()
    receipt = front.send(front.at(real_server.url), (Envelope("a@b.example", [one, two]), CONTENT))
    assert receipt.ok
    arrived = real_server.received(one)
    bcc = b"Bcc: z@y.example\r\n" if real_server.drops_bcc else b""
    assert arrived.content == ARRIVES.replace(bcc, b"")
    assert (arrived.sender, sorted(arrived.recipients)) == ("a@b.example", [one, two])


def test_false_ends_of_a_message_arrive_as_content(front: Front, real_server: RealServer) -> None:
    kept = fresh_address()
    smuggled = f"MAIL FROM:<evil@x.example>\r\nRCPT TO:<{kept}>\r\nDATA\r\nevil\r\n.\r\n".encode()
    content = b"Subject: x\r\n\r\n" + b"".join(end + smuggled for end in FALSE_ENDS)
    front.send(front.at(real_server.url), (Envelope("a@b.example", [kept]), content))
    # One only; `received` fails where there are two.
    assert real_server.received(kept).content == re.sub(rb"\r\n|\r|\n", b"\r\n", content)


def test_a_large_message_arrives_from_a_stream(front: Front, real_server: RealServer) -> None:
    chunks = [b"Subject: x\r\n\r\n", *[b"%06d.\n.\r\n" % number * 8 for number in range(20_000)]]
    kept = fresh_address()
    front.send(front.at(real_server.url), (Envelope("a@b.example", [kept]), iter(chunks)))
    arrived = real_server.received(kept)
    assert arrived.content == b"".join(chunks).replace(b".\n.", b".\r\n.")


def test_refusals_have_the_words_of_the_server(front: Front, real_server: RealServer) -> None:
    kept = fresh_address()
    people = [REFUSED, kept, DEFERRED]
    receipt = front.send(front.at(real_server.url), (Envelope("a@b.example", people), CONTENT))
    assert (receipt.refused, receipt.accepted, receipt.deferred) == (
        (REFUSED,),
        (kept,),
        (DEFERRED,),
    )
    assert receipt.results[0].reply is not None
    assert receipt.results[0].reply.enhanced == "5.1.1"
    assert "No such user" in receipt.results[0].reply.text
    assert receipt.results[2].reply is not None
    assert receipt.results[2].reply.enhanced == "4.2.1"
    assert real_server.received(kept).recipients == (kept,)


def test_a_message_that_nobody_takes_lends_nothing_to_the_next(
    front: Front, real_server: RealServer
) -> None:
    kept = fresh_address()
    smtp = front.at(real_server.url)
    front.connect(smtp)
    with pytest.raises(RecipientsRefused):
        front.send(smtp, (Envelope("first@b.example", [REFUSED]), CONTENT))
    front.send(smtp, (Envelope("second@b.example", [kept]), CONTENT))
    arrived = real_server.received(kept)
    assert (arrived.sender, arrived.recipients) == ("second@b.example", (kept,))


@only("postfix", "exim", "dovecot", "smtp_server")
def test_tls_from_the_first_byte_serves_as_well(front: Front, real_server: RealServer) -> None:
    kept = fresh_address()
    front.send(front.at(real_server.implicit_url), (Envelope("a@b.example", [kept]), CONTENT))
    assert real_server.received(kept).content == ARRIVES


def test_postfix_saw_tls(front: Front, postfix: Postfix) -> None:
    recipient = fresh_address()
    front.send(front.at(postfix.url), (Envelope("a@b.example", [recipient]), CONTENT))
    assert b"using TLSv1.3" in postfix.received(recipient).trace


def test_exim_saw_who_logged_in(front: Front, exim: Exim) -> None:
    recipient = fresh_address()
    front.send(front.at(exim.url), (Envelope("a@b.example", [recipient]), CONTENT))
    assert b"with esmtpsa" in exim.received(recipient).trace


# --- extensions -----------------------------------------------------------------------------------


def test_a_message_over_the_limit_is_not_begun(front: Front, real_server: RealServer) -> None:
    kept = fresh_address()
    smtp = front.at(real_server.url)
    front.connect(smtp)
    limit = smtp.capabilities.size
    with pytest.raises(TooLarge) as caught:
        front.send(smtp, (Envelope("a@b.example", [kept]), b"x" * (limit + 1)))
    assert (caught.value.size, caught.value.limit) == (limit + 1, limit)
    # Nothing was said, and the session goes on.
    front.send(smtp, (Envelope("a@b.example", [kept]), b"Subject: x\r\n\r\nsmall\r\n"))
    assert real_server.received(kept).content.endswith(b"small\r\n")


@only("postfix", "exim", "smtp_server")
def test_a_stream_over_the_limit_is_refused_at_its_end(
    front: Front, real_server: RealServer
) -> None:
    smtp = front.at(real_server.url)
    front.connect(smtp)

    def endless() -> Iterator[bytes]:
        line = b"x" * 70 + b"\r\n"
        # Some servers count the lines with one byte for their ends.
        for _ in range(smtp.capabilities.size // 65_000):
            yield line * 1000

    with pytest.raises(MessageRefused) as caught:
        front.send(smtp, (Envelope("a@b.example", [fresh_address()]), endless()))
    assert caught.value.reply.code == 552
    assert front.send(smtp, (Envelope("a@b.example", [fresh_address()]), CONTENT)).ok


@only("smtp_server")
def test_content_with_eight_bits_is_declared(front: Front, real_server: RealServer) -> None:
    kept = fresh_address()
    front.send(front.at(real_server.url), (Envelope("a@b.example", [kept]), CONTENT))
    parameters = real_server.received(kept).parameters
    assert parameters["BODY"] == "8BITMIME"
    assert parameters["SIZE"] == str(len(ARRIVES) - 2)


@only("postfix", "exim", "smtp_server", "aiosmtpd")
def test_a_local_part_in_utf8_arrives(front: Front, real_server: RealServer) -> None:
    kept = fresh_address().replace("to", "tö", 1)
    content = "Subject: ä\r\n\r\nö\r\n".encode()
    front.send(front.at(real_server.url), (Envelope("ä@b.example", [kept]), content))
    arrived = real_server.received(kept)
    assert (arrived.sender, arrived.recipients) == ("ä@b.example", (kept,))
    assert arrived.content == content


@only("postfix", "exim", "smtp_server", "aiosmtpd")
def test_a_composed_message_has_its_addresses_in_utf8(
    front: Front, real_server: RealServer
) -> None:
    kept = fresh_address().replace("to", "tö", 1)
    message = Message(from_="Ä <ä@b.example>", to=[kept], subject="ü", text="ö\n")
    assert front.send(front.at(real_server.url), message).ok
    arrived = real_server.received(kept)
    parsed = message_from_bytes(arrived.content, policy=policy.SMTPUTF8)
    assert (parsed["From"], parsed["To"], parsed["Subject"]) == ("Ä <ä@b.example>", kept, "ü")
    assert parsed.get_content() == "ö\r\n"


@only("dovecot", "opensmtpd")
def test_a_local_part_in_utf8_is_not_sent_to_a_server_that_cannot(
    front: Front, real_server: RealServer
) -> None:
    smtp = front.at(real_server.url)
    front.connect(smtp)
    with pytest.raises(NotOffered, match="SMTPUTF8"):
        front.send(smtp, (Envelope("a@b.example", [f"ö@{KEPT}"]), CONTENT))
    assert front.send(smtp, (Envelope("a@b.example", [fresh_address()]), CONTENT)).ok


@all_but("aiosmtpd")
def test_what_reports_are_wanted_is_handed_on(front: Front, real_server: RealServer) -> None:
    kept = fresh_address()
    person = Recipient(kept, notify="SUCCESS,DELAY", orcpt="first+one@b.example")
    envelope = Envelope("a@b.example", [person], ret="HDRS", envid="id=1+1")
    front.send(front.at(real_server.url), (envelope, CONTENT))
    arrived = real_server.received(kept)
    assert arrived.parameters["RET"] == "HDRS"
    assert _decoded(arrived.parameters["ENVID"]) == "id=1+1"
    assert set((_asked(arrived, kept)["NOTIFY"] or "").split(",")) == {"SUCCESS", "DELAY"}
    assert _decoded(_asked(arrived, kept)["ORCPT"]) == "rfc822;first+one@b.example"


# OpenSMTPD adds up what all recipients of a message want, and refuses NEVER beside anything.
@all_but("aiosmtpd", "opensmtpd")
def test_each_recipient_has_wishes_of_its_own(front: Front, real_server: RealServer) -> None:
    one, two = fresh_address(), fresh_address()
    people = [Recipient(one, notify="SUCCESS"), Recipient(two, notify="NEVER")]
    front.send(front.at(real_server.url), (Envelope("a@b.example", people), CONTENT))
    # Some servers part recipients that want different things.
    assert _asked(real_server.received(one), one)["NOTIFY"] == "SUCCESS"
    assert _asked(real_server.received(two), two)["NOTIFY"] == "NEVER"


@only("aiosmtpd")
def test_reports_are_not_asked_of_a_server_that_sends_none(
    front: Front, real_server: RealServer
) -> None:
    envelope = Envelope("a@b.example", [Recipient(fresh_address(), notify="NEVER")])
    with pytest.raises(NotOffered, match="DSN"):
        front.send(front.at(real_server.url), (envelope, CONTENT))


def test_smtp_server_hears_that_every_hop_must_use_tls(
    front: Front, smtp_server: SMTPServer
) -> None:
    kept = fresh_address()
    envelope = Envelope("a@b.example", [kept], requiretls=True)
    front.send(front.at(smtp_server.url), (envelope, CONTENT))
    assert "REQUIRETLS" in smtp_server.received(kept).parameters


@all_but("smtp_server")
def test_tls_on_every_hop_is_not_asked_of_a_server_that_cannot_promise(
    front: Front, real_server: RealServer
) -> None:
    envelope = Envelope("a@b.example", [fresh_address()], requiretls=True)
    with pytest.raises(NotOffered, match="REQUIRETLS"):
        front.send(front.at(real_server.url), (envelope, CONTENT))


def test_exim_says_who_is_known_and_who_is_on_a_list(front: Front, exim: Exim) -> None:
    smtp = front.at(exim.url)
    assert f"one@{KEPT}" in front.run(smtp.verify(f"one@{KEPT}"))
    with pytest.raises(CommandRefused, match="No such user"):
        front.run(smtp.verify(REFUSED))
    assert [one.strip("<>") for one in front.run(smtp.expand(f"list@{KEPT}"))] == [
        f"one@{KEPT}",
        f"two@{KEPT}",
    ]


def _asked(arrived: Arrived, recipient: str) -> Mapping[str, str | None]:
    return arrived.recipient_parameters[arrived.recipients.index(recipient)]


def _decoded(value: str | None) -> str:
    """Read xtext; a server may have done so before."""
    assert value is not None
    return re.sub(r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), value)
