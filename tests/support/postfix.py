"""A private Postfix in a temporary folder, which hands what it takes to a recording sink.

Mail to `KEPT` leaves Postfix by SMTP into the sink, as no mailbox format keeps line ends. Postfix
puts one `Received` field on top and leaves every other byte as it is: nothing is added, dropped or
folded by this configuration, and a bare newline is refused instead of repaired. All other mail,
bounces too, goes to `discard:`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from smtps.testing.certificates import LOCAL_NAMES, default_authority
from smtps.testing.extensions import ALL_EXTENSIONS

from .relays import RelayingServer, memory_folder
from .servers import DEFERRED, KEPT, REFUSED, await_greeting, free_port, require

__all__ = ["Postfix"]

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
mail_owner = postfix
setgid_group = postdrop

myhostname = postfix.example
mydestination =
mynetworks = 127.0.0.0/8 10.0.0.0/8
inet_interfaces = {host}
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
alias_database =
local_recipient_maps =

# Nothing may leave this machine, and nothing comes back.
default_transport = discard:
relay_transport = discard:
local_transport = discard:
transport_maps = texthash:{folder}/etc/transport
notify_classes =

smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/etc/access

# Content stays as it came.
local_header_rewrite_clients =
message_drop_headers =
smtp_line_length_limit = 0
smtpd_forbid_bare_newline = reject
smtpd_forbid_bare_newline_exclusions =

smtpd_tls_security_level = may
smtpd_tls_chain_files = {certificate}
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes

message_size_limit = 20480000
in_flow_delay = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_recipient_rate_limit = 0
"""

# service type private unprivileged chroot wakeup maxproc command
_MASTER = """
{host}:{port} inet n - n - - smtpd
{host}:{implicit_port} inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes
    -o smtpd_tls_security_level=encrypt
{more}
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# Where a client has to log in, and where it has to show its certificate.
_GUARDED = """
{host}:{auth_port} inet n - n - - smtpd
    -o smtpd_sasl_auth_enable=yes
    -o smtpd_tls_auth_only=yes
    -o smtpd_sasl_local_domain=postfix.example
    -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
{host}:{certificate_port} inet n - n - - smtpd
    -o smtpd_tls_ask_ccert=yes
    -o smtpd_tls_fingerprint_digest=sha256
    -o smtpd_relay_restrictions=check_ccert_access,texthash:{folder}/etc/known,reject
"""

_SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/etc/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 NTLM
"""

_TRANSPORT = f"{KEPT} smtp:[127.0.0.1]:{{sink}}\n"

_ACCESS = f"""
{REFUSED} 550 5.1.1 No such user
{DEFERRED} 450 4.2.1 Mailbox busy
"""


class Postfix(RelayingServer):
    """A running Postfix; needs root, as Postfix does.

    Args:
        host: the address that it listens on.
        within: a command that starts its programs, to put it into another network namespace.
        guarded: whether to open `auth_port`, where `auth_user` has to log in (Cyrus SASL, over TLS
            only), and `certificate_port`, where `client_certificate` has to be shown.
    """

    name = "postfix"
    user = None
    password = None
    discarded = "any@discarded.example"
    implicit_port: int
    auth_user, auth_password = "user", "secret"

    def __init__(
        self, host: str = "127.0.0.1", within: Sequence[str] = (), *, guarded: bool = False
    ) -> None:
        self.host = host
        self._program = require("postfix", "postfix")
        self._within = within
        if os.geteuid() != 0:
            pytest.skip("Postfix starts as root only")
        certificate = default_authority().issue(*LOCAL_NAMES, host)
        self.ca_file = certificate.ca_file
        self.port = free_port()
        self.implicit_port = free_port()
        self.auth_port, self.certificate_port = free_port(), free_port()
        self.client_certificate = default_authority().issue("client.example")
        super().__init__(extensions=ALL_EXTENSIONS)
        self._folder = memory_folder(self.name)
        more = self._guarded() if guarded else ""
        _configure(
            self._folder,
            host=host,
            port=self.port,
            implicit_port=self.implicit_port,
            sink=self._sink.port,
            certificate=certificate.pem_file,
            more=more,
        )
        try:
            # It returns when the ports are open; from here one elsewhere cannot be reached.
            self._run("start")
            if not within:
                await_greeting(self.host, self.port, log=lambda: self.log)
        except BaseException as error:
            error.add_note(self.log[-4000:])
            self.stop()
            raise

    @property
    def log(self) -> str:
        """What Postfix had to say."""
        path = self.log_file
        return path.read_text(errors="backslashreplace") if path.exists() else ""

    @property
    def log_file(self) -> Path:
        """Where it says it."""
        return self._folder / "log"

    def stop(self) -> None:
        """Stop it and remove its files."""
        if (self._folder / "queue/pid/master.pid").exists():
            self._run("stop")
        super().stop()
        shutil.rmtree(self._folder)

    def _guarded(self) -> str:
        """Write down who may come in, and give the services that want to know."""
        etc = self._folder / "etc"
        etc.mkdir()
        program = require("saslpasswd2", "sasl2-bin")
        subprocess.run(
            [program, "-p", "-c", "-f", "sasldb2", "-u", "postfix.example", self.auth_user],
            input=self.auth_password.encode(),
            check=True,
            cwd=etc,
            timeout=20,
        )
        shutil.chown(etc / "sasldb2", "postfix")
        # Debian's Postfix looks nowhere else.
        (etc / "sasl").mkdir()
        (etc / "sasl/smtpd.conf").write_text(_SASL.format(folder=self._folder))
        shown = load_pem_x509_certificate(Path(self.client_certificate.pem_file).read_bytes())
        fingerprint = shown.fingerprint(SHA256()).hex(":").upper()
        (etc / "known").write_text(f"{fingerprint} OK\n")
        return _GUARDED.format(
            folder=self._folder,
            host=self.host,
            auth_port=self.auth_port,
            certificate_port=self.certificate_port,
        )

    def _run(self, command: str) -> None:
        subprocess.run(
            [*self._within, self._program, "-c", str(self._folder / "etc"), command],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )


def _configure(folder: Path, **values: object) -> None:
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir(exist_ok=True)
    shutil.chown(folder / "data", "postfix")
    etc = folder / "etc"
    (etc / "main.cf").write_text(_MAIN.format(folder=folder, **values))
    (etc / "master.cf").write_text(_MASTER.format(**values))
    (etc / "transport").write_text(_TRANSPORT.format(**values))
    (etc / "access").write_text(_ACCESS)
