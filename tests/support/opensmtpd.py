"""A private OpenSMTPD, which hands what it takes to a recording sink.

It takes clear text only, since TLS does not work in Debian 12's build (OpenSMTPD issue 1239), and
drops a client that pipelines, which it does not offer.
"""

from __future__ import annotations

import os

import pytest

from smtps.testing.certificates import default_certificate
from smtps.testing.extensions import ALL_EXTENSIONS

from .jail import Jail
from .relays import RelayingServer
from .servers import DEFERRED, KEPT, REFUSED, await_greeting, free_port, unpacked

__all__ = ["OpenSMTPD"]

_CONFIGURATION = """
smtp max-message-size "20480000"
smtp limit max-mails 1000000
smtp limit max-rcpt 100000
# Without these the first message waits for a second, and every hundredth for more.
mta limit session-mail-max 1000000
mta limit conn-delay-host 0
mta limit conn-delay-source 0
mta limit conn-delay-connector 0
mta limit conn-delay-relay 0
mta limit conn-delay-domain 0
mta limit reconn-delay-route 0

filter "refused" phase rcpt-to match rcpt-to {{ "{refused}" }} reject "550 5.1.1 No such user"
filter "deferred" phase rcpt-to match rcpt-to {{ "{deferred}" }} reject "450 4.2.1 Mailbox busy"
filter "people" chain {{ "refused", "deferred" }}

listen on {host} port {port} hostname opensmtpd.example filter "people"

action "sink" relay host smtp://127.0.0.1:{sink}
# Nothing else may leave this machine.
match from any for domain "{kept}" action "sink"
"""


class OpenSMTPD(RelayingServer):
    """A running OpenSMTPD; needs root, as OpenSMTPD does."""

    name = "opensmtpd"
    # On 127.0.0.1 it would add Date and Message-ID, as for mail that begins here.
    host = "127.0.0.2"
    offers_tls = False
    implicit_port = None
    user = None
    password = None
    discarded = None
    drops_bcc = True

    def __init__(self) -> None:
        root = unpacked("opensmtpd")
        if os.geteuid() != 0:
            pytest.skip("OpenSMTPD starts as root only")
        super().__init__(extensions=ALL_EXTENSIONS)
        self.ca_file = default_certificate().ca_file
        self.port = free_port()
        self._jail = Jail(root, "/usr/sbin/smtpd", ("opensmtpd", "opensmtpq"))
        self._make_folders()
        self._jail.write(
            "etc/smtpd.conf",
            _CONFIGURATION.format(
                host=self.host,
                port=self.port,
                sink=self._sink.port,
                kept=KEPT,
                refused=REFUSED,
                deferred=DEFERRED,
            ),
        )
        self._process = self._jail.start("-d", "-v")
        try:
            await_greeting(self.host, self.port, process=self._process, log=lambda: self.log)
        except BaseException:
            self.stop()
            raise

    @property
    def log(self) -> str:
        """What OpenSMTPD had to say."""
        return self._jail.read("output")

    def stop(self) -> None:
        """Stop it and remove its files."""
        self._jail.stop(self._process)
        super().stop()
        self._jail.remove()

    def _make_folders(self) -> None:
        self._jail.make_folder("var/lib/opensmtpd/empty")
        self._jail.make_folder("var/run")
        self._jail.make_folder("var/spool/smtpd", mode=0o711)
