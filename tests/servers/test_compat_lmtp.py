"""`compat.LMTP` at Dovecot, over TCP and its Unix socket."""

from __future__ import annotations

import smtplib

import pytest

from smtps import compat
from tests.support.dovecot import FULL, Dovecot
from tests.support.servers import fresh_address

CONTENT = b"Subject: x\n\nx\n"


@pytest.fixture(params=["tcp", "unix"])
def lmtp(request: pytest.FixtureRequest, dovecot: Dovecot) -> smtplib.SMTP:
    if request.param == "unix":
        return compat.LMTP(dovecot.lmtp_socket, timeout=30)
    return compat.LMTP(dovecot.host, dovecot.lmtp_port, timeout=30)


def test_each_mailbox_gets_the_message_but_the_full_one(
    lmtp: smtplib.SMTP, dovecot: Dovecot
) -> None:
    recipients = [fresh_address(), FULL, fresh_address()]
    with lmtp:
        refused = lmtp.sendmail("s@x.example", recipients, CONTENT)
        assert list(refused) == [FULL]
        assert refused[FULL][0] // 100 in (4, 5)
        another = fresh_address()
        assert lmtp.sendmail("s@x.example", another, CONTENT) == {}
    for recipient in (recipients[0], recipients[2], another):
        assert dovecot.mailbox(recipient).content.endswith(b"\r\nx\r\n")


def test_the_full_mailbox_alone_is_an_error_of_the_content(lmtp: smtplib.SMTP) -> None:
    with lmtp:
        with pytest.raises(smtplib.SMTPDataError):
            lmtp.sendmail("s@x.example", FULL, CONTENT)
        assert lmtp.noop()[0] == 250
