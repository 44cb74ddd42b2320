"""Line ends in arguments: CVE-2015-9096, bpo-43124, GHSA-v3q9-hj7j-63hq and their like.

Every text that a program can give, with every control character at its start, in its middle and at
its end. What takes text is found by trying, so that a new option is tried too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from smtps import (
    SMTPS,
    BadValue,
    DkimSigner,
    Envelope,
    Firewall,
    Mailing,
    Message,
    MessageRecipient,
    Outbox,
    Recipient,
    SMTPSError,
    compat,
)
from smtps.address import Address
from smtps.mailboxes import parse_address, parse_address_list
from smtps.options import Option
from smtps.settings import Settings
from smtps.testing import Sink
from tests.support.fronts import Front

CONTROLS = [chr(code) for code in (*range(0x20), 0x7F)]
#: Text of many lines, or content: checked where it is used, and tried with its own grammar below.
LINES = {"other_headers", "message_text", "firewall_data"}
#: Paths and content of stores, which never come to the wire.
FILES = {"ssl_cert_store"}
#: What only some words are right for, so that a text is known to be refused for its control.
WORDS = {
    "charset": "utf-8",
    "channel_binding": "tls-exporter",
    "ssl_provider": "OpenSSL",
    "ssl_cert_subject": "*",
}
ITEM = (Envelope("a@b.example", ["c@d.example"]), b"Subject: x\r\n\r\nx\r\n")


def with_controls(text: str) -> Iterator[tuple[str, str]]:
    middle = len(text) // 2
    for control in CONTROLS:
        yield control, control + text
        yield control, text[:middle] + control + text[middle:]
        yield control, text + control


def takes_text(option: Option[Any], word: str) -> bool:
    try:
        option.check(option.attribute, word)
    except BadValue:
        return False
    return True


def texts(owner: Any) -> list[str]:
    return [
        name
        for name, option in owner.options.items()
        if name not in LINES | FILES and takes_text(option, WORDS.get(name, "relay.example"))
    ]


def is_refused(give: Callable[[str], object], text: str) -> None:
    """See that a text is refused for each control, and for nothing else; errors show none."""
    give(text)
    taken = []
    for control, value in with_controls(text):
        try:
            give(value)
        except (SMTPSError, ValueError) as error:
            words = str(error)
        else:
            words = "\ntaken"
        if not words.isprintable():
            taken.append(f"U+{ord(control):04X} in {value!r}: {words}")
    assert taken == []


OWNERS: dict[str, Callable[[Any], Any]] = {
    "component": lambda smtp: smtp,
    "settings": lambda smtp: smtp.settings,
    "firewall": lambda smtp: smtp.firewall,
}
SETTERS = [
    *(("component", name) for name in texts(SMTPS)),
    *(("settings", name) for name in texts(Settings)),
    *(("firewall", name) for name in texts(Firewall)),
]


def test_the_texts_are_found() -> None:
    assert ("component", "mail_server") in SETTERS
    assert ("settings", "hello") in SETTERS
    assert ("firewall", "user") in SETTERS
    assert len(SETTERS) > 30


@pytest.mark.parametrize(("owner", "name"), SETTERS)
def test_an_option_takes_no_control_character(front: Front, owner: str, name: str) -> None:
    target = OWNERS[owner](front.make())
    before = getattr(target, name)
    for control, value in with_controls(WORDS.get(name, "relay.example")):
        with pytest.raises(BadValue) as caught:
            setattr(target, name, value)
        assert f"{name}: control character U+{ord(control):04X}" in str(caught.value)
        assert "relay" not in str(caught.value)
    assert getattr(target, name) == before


@pytest.mark.parametrize(
    ("owner", "name"), [one for one in SETTERS if one[0] != "firewall"], ids=lambda one: str(one)
)
def test_no_other_way_to_an_option_takes_one(front: Front, owner: str, name: str) -> None:
    smtp = front.make()
    word = WORDS.get(name, "relay.example")
    for _, value in with_controls(word):
        with pytest.raises(BadValue):
            front.make(**{name: value})
        if owner == "component":
            with pytest.raises(BadValue):
                getattr(smtp, f"set_{name.rstrip('_')}")(value)
    classic = OWNERS[owner](smtp).options[name].name
    for control in CONTROLS:
        # In front of the value white space is not part of it.
        with pytest.raises(BadValue):
            smtp.config(f"{classic}=x{control}y")


def test_a_url_holds_no_control_character() -> None:
    for base in (
        "smtp://user:secret@host.example:25{}",
        "smtp://us{}er:secret@host.example",
        "smtp://user:sec{}ret@host.example",
        "smtp://host{}.example",
        "smtp://host.example?hello=a{}b",
        "smtp://host.example?firewall_user=a{}b",
        "lmtp:///run/so{}cket",
    ):
        for control in CONTROLS:
            for spelled in (control, f"%{ord(control):02X}"):
                url = base.format(spelled)
                if url.endswith(spelled) and spelled.startswith("%"):
                    continue  # A port is no place for a percent sign anyway.
                with pytest.raises(BadValue) as caught:
                    SMTPS.from_url(url)
                assert "secret" not in str(caught.value)


# --- values ---------------------------------------------------------------------------------------

VALUES: dict[str, tuple[str, Callable[[str], object]]] = {
    "envelope sender": ("a@b.example", lambda text: Envelope(text, ["c@d.example"])),
    "envelope recipient": ("a@b.example", lambda text: Envelope("", [text])),
    "envelope id": ("abcd", lambda text: Envelope("", ["c@d.example"], envid=text)),
    "recipient": ("a@b.example", Recipient),
    "named recipient": ("Ann <a@b.example>", Recipient),
    "quoted recipient": ('"a b"@b.example', Recipient),
    "literal recipient": ("a@[192.0.2.1]", Recipient),
    "notify": ("SUCCESS", lambda text: Recipient("a@b.example", notify=text)),
    "notify list": ("SUCCESS", lambda text: Recipient("a@b.example", notify=[text, "DELAY"])),
    "orcpt kind": ("rfc822", lambda text: Recipient("a@b.example", orcpt=f"{text};a@b")),
    "classic address": ("a@b.example", lambda text: MessageRecipient(text)),
    "classic name": ("Ann", lambda text: MessageRecipient("a@b.example", text)),
    "classic options": ("NOTIFY=NEVER", lambda text: MessageRecipient("a@b.example", options=text)),
    "local part": ("ab", lambda text: Address(text, "b.example")),
    "domain": ("b.example", lambda text: Address("a", text)),
    "display name": ("Ann", lambda text: Address("a", "b.example", text)),
    "address": ("a@b.example", lambda text: parse_address(text, field="x")),
    "address list": ("a@b.example, c@d.example", lambda text: parse_address_list(text, field="x")),
    "author": ("Ann <a@b.example>", lambda text: Message(from_=text)),
    "to": ("a@b.example", lambda text: Message(to=text)),
    "to in a list": ("a@b.example", lambda text: Message(to=[text])),
    "cc": ("a@b.example", lambda text: Message(cc=text)),
    "bcc": ("a@b.example", lambda text: Message(bcc=text)),
    "reply to": ("a@b.example", lambda text: Message(reply_to=text)),
    "subject": ("Hello", lambda text: Message(subject=text)),
    "date": ("Mon, 1 Jan 2024 00:00:00 +0000", lambda text: Message(date=text)),
    "message id": ("<a@b.example>", lambda text: Message(message_id=text)),
    "header name": ("X-One", lambda text: Message(headers={text: "1"})),
    "file name": ("a.txt", lambda text: Message().attach(b"", name=text)),
    "file type": ("text/plain", lambda text: Message().attach(b"", content_type=text)),
    "cid": ("a@b.example", lambda text: Message().embed(b"", cid=text)),
    "image type": ("image/png", lambda text: Message().embed(b"", content_type=text)),
    "unsubscribe url": ("https://b.example/x", lambda text: Message().unsubscribe(url=text)),
    "unsubscribe mailto": ("a@b.example", lambda text: Message().unsubscribe(mailto=text)),
    "row of a mailing": ("Ann", lambda text: _mail({"name": text})),
    "address of a row": ("a@b.example", lambda text: _mail({"to": text})),
    "signer domain": ("b.example", lambda text: DkimSigner(text, "s", _key())),
    "signer selector": ("sel", lambda text: DkimSigner("b.example", text, _key())),
    "signer headers": (
        "Subject",
        lambda text: DkimSigner("b.example", "s", _key(), headers=[text]),
    ),
    "firewall url": ("socks5://u:p@h.example:1080", Firewall.from_url),
}


def _mail(row: dict[str, str]) -> None:
    message = Message(
        from_="a@b.example", to="{{ to }}" if "to" in row else "c@d.example", subject="x"
    )
    message.subject = "Hello {{ name }}" if "name" in row else "x"
    (item,) = Mailing(message).for_each([row])
    with Sink() as sink, SMTPS.from_url(sink.url) as smtp:
        (receipt,) = smtp.send_many([item])
    if receipt.error is not None:
        raise receipt.error


def _key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


@pytest.mark.parametrize("place", VALUES)
def test_a_value_takes_no_control_character(place: str) -> None:
    text, give = VALUES[place]
    is_refused(give, text)


# --- methods --------------------------------------------------------------------------------------

METHODS: dict[str, tuple[str, Callable[[Front, Any, str], object]]] = {
    "sender of send": (
        "a@b.example",
        lambda front, smtp, text: front.send(smtp, ITEM, sender=text, recipients=["c@d.example"]),
    ),
    "recipient of send": (
        "a@b.example",
        lambda front, smtp, text: front.send(smtp, ITEM, sender="", recipients=[text]),
    ),
    "verify": ("a@b.example", lambda front, smtp, text: front.run(smtp.verify(text))),
    "expand": ("list", lambda front, smtp, text: front.run(smtp.expand(text))),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_refuses_one_before_the_network(front: Front, method: str) -> None:
    text, give = METHODS[method]
    with Sink() as sink:
        smtp = front.at(sink.url)
        is_refused(lambda value: give(front, smtp, value), text)
        # The one that is right was taken.
        assert len(sink.connections) == 1


def test_a_command_of_the_program_is_one_line(front: Front) -> None:
    with Sink() as sink:
        smtp = front.at(sink.url)
        front.connect(smtp)
        is_refused(lambda value: front.run(smtp.send_command(value)), "NOOP x")
        assert sink.connections[0].commands == [f"EHLO {sink.connections[0].hello}", "NOOP x"]


@pytest.mark.parametrize("field", ["address", "name", "options"])
def test_a_field_of_a_recipient_takes_none_by_its_index(front: Front, field: str) -> None:
    smtp = front.make(send_to="a@b.example")
    setter = getattr(smtp, f"set_message_recipient_{field}")
    is_refused(lambda value: setter(0, value), "c@d.example")
    assert getattr(smtp.message_recipients[0], field) == "c@d.example"


def test_a_queue_takes_no_such_envelope(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    is_refused(lambda value: outbox.put(ITEM, sender=value), "a@b.example")
    is_refused(lambda value: outbox.put(ITEM, recipients=[value]), "a@b.example")
    assert len(list(outbox.list())) == 2


COMPAT: dict[str, Callable[[compat.SMTP, str], object]] = {
    "helo": lambda smtp, text: smtp.helo(text),
    "ehlo": lambda smtp, text: smtp.ehlo(text),
    "mail": lambda smtp, text: smtp.mail(text),
    "mail options": lambda smtp, text: smtp.mail("a@b.example", [text]),
    "rcpt": lambda smtp, text: smtp.rcpt(text),
    "rcpt options": lambda smtp, text: smtp.rcpt("a@b.example", [text]),
    "verify": lambda smtp, text: smtp.verify(text),
    "expn": lambda smtp, text: smtp.expn(text),
    "help": lambda smtp, text: smtp.help(text),
    "docmd": lambda smtp, text: smtp.docmd("NOOP", text),
    "docmd itself": lambda smtp, text: smtp.docmd(text),
    "sendmail from": lambda smtp, text: smtp.sendmail(text, ["a@b.example"], b""),
    "sendmail to": lambda smtp, text: smtp.sendmail("a@b.example", [text], b""),
    "sendmail options": lambda smtp, text: smtp.sendmail("a@b.example", ["c@d"], b"", [text]),
}


@pytest.mark.parametrize("method", COMPAT)
def test_the_drop_in_for_smtplib_never_writes_a_second_line(method: str) -> None:
    for control in CONTROLS:
        if control == "\t":
            continue  # Between words smtplib's users write it, and it ends nothing.
        with Sink() as sink, compat.SMTP(sink.host, sink.port) as smtp:
            for value in (f"{control}a@b", f"a{control}@b", f"a@b{control}"):
                try:
                    COMPAT[method](smtp, value)
                except (SMTPSError, ValueError, compat.SMTPException):
                    continue
            smtp.close()
            for line in sink.connections[0].commands:
                assert control not in line
            assert sink.connections[0].bare_newlines == 0
