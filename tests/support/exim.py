"""A private Exim, which hands what it takes to a recording sink."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smtps.testing.certificates import default_certificate
from smtps.testing.extensions import ALL_EXTENSIONS

from .jail import Jail
from .relays import RelayingServer
from .servers import DEFERRED, KEPT, REFUSED, await_greeting, free_port, unpacked

__all__ = ["Exim"]

_USER, _PASSWORD = "user", "secret"

# Words in angle brackets are filled in.
_CONFIGURATION = """
primary_hostname = exim.example
spool_directory = /spool
log_file_path = /log/%s
pid_file_path = /spool/exim.pid
log_selector = +received_sender +received_recipients +smtp_protocol_error +tls_cipher
timezone = UTC

local_interfaces = <; 127.0.0.1
daemon_smtp_ports = <; <port> ; <implicit_port>
tls_on_connect_ports = <implicit_port>
tls_certificate = /etc/exim4/server.pem
tls_advertise_hosts = *
# A password never comes in clear text.
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
chunking_advertise_hosts = *
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
pipelining_advertise_hosts = *
prdr_enable = true

host_lookup =
rfc1413_hosts =
never_users =
message_size_limit = 20480000
smtp_accept_max = 0
smtp_accept_max_nonmail = 1000000
smtp_accept_max_per_connection = 0
# Without it the eleventh message of a connection waits for a queue runner.
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = 128
deliver_drop_privilege = true
ignore_bounce_errors_after = 0s

# Content stays as it came.
return_path_remove = false
delivery_date_remove = false
envelope_to_remove = false

acl_smtp_rcpt = rcpt
acl_smtp_data = accept
acl_smtp_vrfy = vrfy
acl_smtp_expn = accept

begin acl

rcpt:
  deny    message = 550 5.1.1 No such user
          recipients = <refused>
  defer   message = 450 4.2.1 Mailbox busy
          recipients = <deferred>
  accept

vrfy:
  deny    message = 550 5.1.1 No such user
          condition = ${if match{$smtp_command_argument}{^<?<refused>}}
  accept

begin routers

list:
  driver = redirect
  domains = <kept>
  local_parts = list
  data = one@<kept>, two@<kept>

kept:
  driver = manualroute
  domains = <kept>
  route_list = * 127.0.0.1 byname
  self = send
  transport = sink

# Nothing may leave this machine, and nothing comes back.
rest:
  driver = redirect
  data = :blackhole:

begin transports

sink:
  driver = smtp
  port = <sink>
  hosts_avoid_tls = *
  message_linelength_limit = 1000000000
  max_rcpt = 0

begin authenticators

plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{<user>}}{eq{$auth3}{<password>}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{<user>}}{eq{$auth2}{<password>}}}}
  server_set_id = $auth1

cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{<user>}{<password>}fail}
  server_set_id = $auth1
"""


class Exim(RelayingServer):
    """A running Exim 4; needs root, as Exim does.

    VRFY and EXPN work: `list@KEPT` is `one@KEPT` and `two@KEPT`.
    """

    name = "exim"
    host = "127.0.0.1"
    user = _USER
    password = _PASSWORD
    discarded = "any@discarded.example"
    implicit_port: int

    def __init__(self) -> None:
        root = unpacked("exim4-daemon-light")
        if os.geteuid() != 0:
            pytest.skip("Exim starts as root only")
        super().__init__(extensions=ALL_EXTENSIONS)
        certificate = default_certificate()
        self.ca_file = certificate.ca_file
        self.port, self.implicit_port = free_port(), free_port()
        self._jail = Jail(root, "/usr/sbin/exim4", ("Debian-exim",))
        for folder in ("spool", "log"):
            self._jail.make_folder(folder, "Debian-exim")
        pem = Path(certificate.pem_file).read_text()
        self._jail.write("etc/exim4/server.pem", pem, "Debian-exim", 0o600)
        self._jail.write("etc/exim4/exim4.conf", self._configuration())
        self._process = self._jail.start("-bdf")
        try:
            await_greeting(self.host, self.port, process=self._process, log=lambda: self.log)
        except BaseException:
            self.stop()
            raise

    @property
    def log(self) -> str:
        """What Exim had to say."""
        files = ("output", "log/main", "log/reject", "log/panic")
        return "".join(map(self._jail.read, files))

    def stop(self) -> None:
        """Stop it and remove its files."""
        self._jail.stop(self._process)
        super().stop()
        self._jail.remove()

    def _configuration(self) -> str:
        text = _CONFIGURATION
        for word, value in {
            "port": self.port,
            "implicit_port": self.implicit_port,
            "sink": self._sink.port,
            "kept": KEPT,
            "refused": REFUSED,
            "deferred": DEFERRED,
            "user": _USER,
            "password": _PASSWORD,
        }.items():
            text = text.replace(f"<{word}>", str(value))
        return text
