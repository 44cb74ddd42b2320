"""A private Postfix: its own folder and port, TLS with a throwaway certificate, mail to a sink."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import trustme

from smtps.testing import Sink

__all__ = ["Postfix"]

_POSTFIX = shutil.which("postfix") or "/usr/sbin/postfix"

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = smtp:[127.0.0.1]:{sink}
smtp_host_lookup = native
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/server.pem
smtpd_tls_key_file = {folder}/server.pem
smtpd_recipient_restrictions =
    check_recipient_access texthash:{folder}/access, permit_mynetworks
smtpd_tls_received_header = yes
in_flow_delay = 0
"""

_ACCESS = """
gone@y.example 550 5.1.1 no such user
later@y.example 450 4.2.1 come back later
"""

_SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Postfix with PIPELINING, CHUNKING and STARTTLS, which relays to a sink that records.

    It refuses gone@y.example and defers later@y.example. To what it relays it adds one Received
    header in front, and nothing else.
    """

    def __init__(self) -> None:
        self.sink = Sink()
        # Its daemons run as another user, who must reach the folder.
        self._folder = Path(tempfile.mkdtemp(prefix="postfix-"))
        self._folder.chmod(0o755)
        (self._folder / "queue").mkdir()
        (self._folder / "data").mkdir()
        shutil.chown(self._folder / "data", "postfix")
        self.port = _free_port()
        names = {"folder": self._folder, "port": self.port, "sink": self.sink.port}
        _make_certificate(self._folder / "server.pem", self._folder / "ca.pem")
        self.ca_file = str(self._folder / "ca.pem")
        (self._folder / "access").write_text(_ACCESS)
        (self._folder / "main.cf").write_text(_MAIN.format(**names))
        (self._folder / "master.cf").write_text(_SERVICES.format(**names))
        self._command("start")
        _wait_for(self.port)

    @staticmethod
    def is_installed() -> bool:
        return Path(_POSTFIX).exists()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}?openssl_ca_file={self.ca_file}"

    def stop(self) -> None:
        self._command("stop")
        self.sink.close()
        shutil.rmtree(self._folder)

    def _command(self, verb: str) -> None:
        done = subprocess.run(
            [_POSTFIX, "-c", str(self._folder), verb], capture_output=True, text=True, check=False
        )
        log = self._folder / "log"
        assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")


def _make_certificate(path: Path, ca_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(path))
    path.chmod(0o600)
    authority.cert_pem.write_to_path(str(ca_path))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    end = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < end, "Postfix did not start"
            time.sleep(0.02)
        else:
            return
