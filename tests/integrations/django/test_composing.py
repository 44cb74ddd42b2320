"""What is composed here says what Django's own composition says."""

from __future__ import annotations

import email
from collections.abc import Callable
from email import policy
from email.message import EmailMessage as Parsed
from email.message import MIMEPart
from pathlib import Path
from typing import Any

import django
import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test import override_settings
from django.utils.translation import gettext_lazy

from smtps import Message
from smtps.integrations.django.composing import item_of
from smtps.testing import Sink

from .conftest import STOCK, mail, mailer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def plain(**more: Any) -> EmailMessage:
    more.setdefault("to", ["Bob <bob@b.example>"])
    return EmailMessage("Hi", "Hello\n", "Ann <ann@a.example>", **more)


def rich(**more: Any) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives("Hi", "Hello\n", "ann@a.example", ["bob@b.example"], **more)
    message.attach_alternative("<p>Hello</p>\n", "text/html")
    return message


def html() -> EmailMessage:
    message = plain()
    message.content_subtype = "html"
    return message


def attached(*files: Any) -> EmailMessage:
    message = plain()
    for one in files:
        message.attach(*one)
    return message


def part() -> MIMEPart:
    inner = MIMEPart(policy=policy.SMTP)
    inner.set_content("inner\n", subtype="csv", filename="a.csv")
    return inner


#: What is composed here.
OURS: dict[str, Callable[[], EmailMessage]] = {
    "plain": plain,
    "html": html,
    "two texts": rich,
    "no body": lambda: EmailMessage("Hi", "", "ann@a.example", ["bob@b.example"]),
    "cc, bcc, reply-to": lambda: plain(
        cc=["c1@c.example", "Ç <c2@c.example>"], bcc=["d@d.example"], reply_to=["r@a.example"]
    ),
    "names and a domain in other letters": lambda: EmailMessage(
        "Grüße, 世界 " * 12, "Grüße\n", "Zoë <zoe@bücher.example>", ["世界 <bob@bücher.example>"]
    ),
    "headers": lambda: plain(
        headers={
            "X-Campaign": "spring",
            "X-Grüße".encode("ascii", "ignore").decode(): "Grüße",
            "Date": "Mon, 02 Jan 2006 15:04:05 +0000",
            "Message-ID": "<1@a.example>",
            "List-Unsubscribe": "<https://a.example/leave>",
        }
    ),
    "a translated subject": lambda: EmailMessage(
        gettext_lazy("Yes"), "Hello\n", "ann@a.example", ["bob@b.example"]
    ),
    "a file": lambda: attached(("logo.png", PNG, "image/png")),
    "a file without a type": lambda: attached(("données.bin", PNG)),
    "a file beside two texts": lambda: rich(attachments=[("a.pdf", b"%PDF", "application/pdf")]),
}
#: What Django composes.
DJANGOS: dict[str, Callable[[], EmailMessage]] = {
    "a text file": lambda: attached(("a.txt", "Grüße\n", "text/plain")),
    "a message in a message": lambda: attached(("a.eml", plain(), "message/rfc822")),
    "headers that differ from the envelope": lambda: plain(
        headers={"From": "List <list@a.example>", "To": "all@a.example"}
    ),
    "several alternatives": lambda: rich(alternatives=[("a,b\n", "text/csv")]),
    "a file alone": lambda: EmailMessage(
        "Hi", "", "ann@a.example", ["bob@b.example"], attachments=[("a.png", PNG, "image/png")]
    ),
    "what looks like a field": lambda: plain(headers={"X-Template": "{{ name }}"}),
}
if django.VERSION >= (6,):
    DJANGOS["a part"] = lambda: attached((part(),))


def arrived(message: EmailMessage, **options: Any) -> tuple[tuple[str, ...], Parsed]:
    with Sink() as sink, mail(host=sink.host, port=sink.port, **options):
        assert mailer().send_messages([message]) == 1
        (taken,) = sink.messages
    # Django's own sends bytes above 127 without a word.
    assert "path" in options or sink.violations == []
    parsed = email.message_from_bytes(taken.content, policy=policy.default)
    assert isinstance(parsed, Parsed)
    return (taken.sender, *taken.recipients), parsed


def told(parsed: Parsed) -> dict[str, Any]:
    """What a reader of the message sees."""
    headers = {
        # Django 5 puts a blank before a long subject.
        name.lower(): str(value).strip()
        for name, value in parsed.items()
        if name.lower() not in ("message-id", "date", "mime-version")
        and not name.lower().startswith("content-")
    }
    parts = [
        (
            one.get_content_type(),
            one.get_filename(),
            one.get_content_disposition(),
            content(one),
        )
        for one in parsed.walk()
        if not one.is_multipart()
    ]
    kinds = [one.get_content_type() for one in parsed.walk() if one.is_multipart()]
    return {"headers": headers, "parts": parts, "kinds": kinds}


def content(one: Any) -> Any:
    value = one.get_content()
    # Whether a text ends with a newline differs between Django's own versions.
    return value.rstrip("\r\n") if isinstance(value, str) else value


@pytest.mark.parametrize("name", [*OURS, *DJANGOS])
def test_a_message_says_what_it_says_with_djangos_own_backend(name: str) -> None:
    make = (OURS | DJANGOS)[name]
    people, ours = arrived(make())
    their_people, theirs = arrived(make(), path=STOCK)
    assert people == their_people
    assert told(ours) == told(theirs)


@pytest.mark.parametrize("name", OURS)
def test_a_plain_message_is_composed_here(name: str) -> None:
    assert isinstance(item_of(OURS[name]()), Message)


@pytest.mark.parametrize("name", DJANGOS)
def test_what_is_not_plain_is_composed_by_django(name: str) -> None:
    assert isinstance(item_of(DJANGOS[name]()), tuple)


def test_a_class_that_composes_its_messages_is_heard() -> None:
    class Stamped(EmailMessage):
        def message(self, **arguments: Any) -> Any:
            message = super().message(**arguments)
            message["X-Stamp"] = "1"
            return message

    _, parsed = arrived(Stamped("Hi", "Hello", "ann@a.example", ["bob@b.example"]))
    assert parsed["X-Stamp"] == "1"


def test_a_class_that_has_its_own_recipients_is_heard() -> None:
    class Diverted(EmailMessage):
        def recipients(self) -> list[str]:
            return ["trap@a.example"]

    people, parsed = arrived(Diverted("Hi", "Hello", "ann@a.example", ["bob@b.example"]))
    assert people == ("ann@a.example", "trap@a.example")
    assert parsed["To"] == "bob@b.example"


def test_a_class_that_changes_nothing_of_that_is_composed_here() -> None:
    class Named(EmailMessage):
        campaign = "spring"

    assert isinstance(item_of(Named("Hi", "Hello", "a@a.example", ["b@b.example"])), Message)


def test_another_charset_is_djangos_matter() -> None:
    message = plain()
    message.encoding = "iso-8859-1"
    assert isinstance(item_of(message), tuple)


def test_blind_copies_are_in_no_header() -> None:
    people, parsed = arrived(plain(bcc=["secret@d.example"]))
    assert "secret@d.example" in people
    assert b"secret" not in parsed.as_bytes()


def test_a_local_part_in_other_letters_goes_by_smtputf8() -> None:
    message = EmailMessage("Hi", "Hello", "ann@a.example", ["zoë@bücher.example"])
    people, _ = arrived(message)
    assert people == ("ann@a.example", "zoë@xn--bcher-kva.example")


@pytest.mark.parametrize(("local", "zone"), [(False, "+0000"), (True, "+0530")])
def test_the_date_is_in_the_zone_that_django_takes(local: bool, zone: str) -> None:
    with override_settings(EMAIL_USE_LOCALTIME=local, TIME_ZONE="Asia/Kolkata"):
        _, parsed = arrived(plain())
    assert parsed["Date"].endswith(zone)


def test_a_file_on_the_disk_goes_out_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(PNG)
    message = plain()
    message.attach_file(str(tmp_path / "a.bin"))
    _, parsed = arrived(message)
    (file,) = parsed.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("a.bin", PNG)
