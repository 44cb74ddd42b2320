"""A private Dovecot: submission, which hands what it takes to a recording sink, and LMTP."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from smtps.testing import Fault
from smtps.testing.certificates import default_certificate
from smtps.testing.extensions import ALL_EXTENSIONS

from .relays import RelayingServer, memory_folder
from .servers import DEFERRED, KEPT, REFUSED, Arrived, await_greeting, free_port, require

__all__ = ["FULL", "Dovecot"]

#: Over LMTP the mailbox of this address takes its recipient and then no message.
FULL = f"full@{KEPT}"

_USER, _PASSWORD = "user", "secret"
# An owner for mailboxes that owns nothing else.
_OWNER = 70_000

# Words in angle brackets are filled in.
_CONFIGURATION = """
protocols = submission lmtp
base_dir = <folder>/run
state_dir = <folder>/state
log_path = <folder>/log
instance_name = smtps-tests
hostname = dovecot.example
listen = 127.0.0.1

ssl = yes
ssl_cert = <(certificate)
ssl_key = <(certificate)
disable_plaintext_auth = yes
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
# A wrong password does not make the next client wait.
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}

passdb {
  driver = static
  args = password={PLAIN}<password>
}
userdb {
  driver = passwd-file
  args = username_format=%u <folder>/refused
  result_success = return-fail
  result_failure = continue
}
userdb {
  driver = passwd-file
  args = username_format=%u <folder>/deferred
  result_failure = continue
}
userdb {
  driver = passwd-file
  args = username_format=%u <folder>/full
  result_failure = continue
}
userdb {
  driver = static
  args = uid=<owner> gid=<owner> home=<folder>/mail/%u allow_all_users=yes
}

mail_location = maildir:~
mail_save_crlf = yes
first_valid_uid = 1
first_valid_gid = 1
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
}

service submission-login {
  inet_listener submission {
    port = <port>
  }
  inet_listener submissions {
    port = <implicit_port>
    ssl = yes
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = <sink>
submission_max_mail_size = 20480000
protocol submission {
  mail_max_userip_connections = 0
}

service lmtp {
  inet_listener lmtp {
    port = <lmtp_port>
  }
  unix_listener <folder>/lmtp {
    mode = 0666
  }
}
lmtp_add_received_header = no
lmtp_hdr_delivery_address = none
"""


class Dovecot(RelayingServer):
    """A running Dovecot; needs root, as Dovecot does.

    Its submission service knows the strong mechanisms of AUTH, and after AUTH it offers more than
    before. Its LMTP service keeps mail in mailboxes, see `mailbox`.
    """

    name = "dovecot"
    host = "127.0.0.1"
    user = _USER
    password = _PASSWORD
    discarded = None
    implicit_port: int

    def __init__(self) -> None:
        self._program = require("dovecot", "dovecot-core dovecot-submissiond dovecot-lmtpd")
        if os.geteuid() != 0:
            pytest.skip("Dovecot starts as root only")
        # It asks the relay behind it before it answers RCPT.
        super().__init__(
            extensions=ALL_EXTENSIONS,
            faults=(
                Fault(on="RCPT", when=f"<{REFUSED}>", reply="550 5.1.1 No such user"),
                Fault(on="RCPT", when=f"<{DEFERRED}>", reply="450 4.2.1 Mailbox busy"),
            ),
        )
        certificate = default_certificate()
        self.ca_file = certificate.ca_file
        self.port, self.implicit_port, self.lmtp_port = free_port(), free_port(), free_port()
        self._folder = memory_folder(self.name)
        self._configure(Path(certificate.pem_file))
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(self._folder / "conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            await_greeting(self.host, self.port, process=self._process, log=lambda: self.log)
        except BaseException:
            self.stop()
            raise

    @property
    def lmtp_socket(self) -> str:
        """The path of the Unix socket where it speaks LMTP."""
        return str(self._folder / "lmtp")

    def mailbox(self, address: str, timeout: float = 30.0) -> Arrived:
        """Wait for the message that came by LMTP to the mailbox of an address."""
        folder = self._folder / "mail" / address / "new"
        deadline = time.monotonic() + timeout
        while not (files := list(folder.glob("*"))):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no mail for {address} in {timeout:g} s:\n{self.log}")
            time.sleep(0.01)
        (file,) = files
        trace, _, content = file.read_bytes().partition(b"\r\n")
        sender = trace.decode().removeprefix("Return-Path: <").removesuffix(">")
        return Arrived(sender, (address,), content, trace + b"\r\n")

    @property
    def log(self) -> str:
        """What Dovecot had to say."""
        path = self._folder / "log"
        return path.read_text(errors="backslashreplace") if path.exists() else ""

    def stop(self) -> None:
        """Stop it and remove its files."""
        self._process.terminate()
        self._process.wait(20)
        super().stop()
        shutil.rmtree(self._folder)

    def _configure(self, certificate: Path) -> None:
        folder = self._folder
        for name in ("run", "state", "mail"):
            (folder / name).mkdir()
        os.chown(folder / "mail", _OWNER, _OWNER)
        pem = folder / "certificate.pem"
        pem.write_bytes(certificate.read_bytes())
        pem.chmod(0o600)
        line = f"{{}}::{_OWNER}:{_OWNER}::{folder}/mail/{{}}::{{}}\n"
        (folder / "refused").write_text(line.format(REFUSED, REFUSED, ""))
        (folder / "deferred").write_text(line.format(DEFERRED, DEFERRED, "userdb_tempfail=yes"))
        (folder / "full").write_text(line.format(FULL, FULL, "userdb_quota_rule=*:bytes=10"))
        text = _CONFIGURATION.replace("<(certificate)", f"<{pem}")
        for word, value in {
            "folder": folder,
            "port": self.port,
            "implicit_port": self.implicit_port,
            "lmtp_port": self.lmtp_port,
            "sink": self._sink.port,
            "password": _PASSWORD,
            "owner": _OWNER,
        }.items():
            text = text.replace(f"<{word}>", str(value))
        (folder / "conf").write_text(text)
