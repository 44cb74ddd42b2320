"""A private Kerberos realm with one user and the service of a mail server on this machine."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.support.servers import free_port, require

__all__ = ["PASSWORD", "Realm", "USER"]

USER, PASSWORD = "joe@REALM.EXAMPLE", "S3cr3t!pass"

_CLIENTS = """
[libdefaults]
  default_realm = REALM.EXAMPLE
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  REALM.EXAMPLE = {{
    kdc = 127.0.0.1:{port}
  }}
"""
_CENTRE = """
[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[realms]
  REALM.EXAMPLE = {{
    database_name = {folder}/principal
    key_stash_file = {folder}/stash
    acl_file = {folder}/acl
  }}
"""


class Realm:
    """A running key distribution centre; `environment` makes this process use it."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        (folder / "krb5.conf").write_text(_CLIENTS.format(port=port))
        (folder / "kdc.conf").write_text(_CENTRE.format(port=port, folder=folder))
        self.environment = {
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "KRB5_KTNAME": str(folder / "keytab"),
            "KRB5CCNAME": f"FILE:{folder}/cache",
        }
        self._run("kdb5_util", "create", "-s", "-P", "master")
        self._run("kadmin.local", "addprinc", "-pw", PASSWORD, USER)
        self._run("kadmin.local", "addprinc", "-randkey", "smtp/localhost")
        self._run("kadmin.local", "ktadd", "-k", str(folder / "keytab"), "smtp/localhost")
        # The folder keeps what it says.
        with (folder / "log").open("wb") as log:
            self._centre = subprocess.Popen(
                [require("krb5kdc", "krb5-kdc"), "-n"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._await_ticket()

    def stop(self) -> None:
        """Stop the centre."""
        self._centre.terminate()
        self._centre.wait()

    def log_in(self) -> None:
        """Get a ticket for the user into the cache, as `kinit` does."""
        subprocess.run(
            [require("kinit", "krb5-user"), USER],
            env=self.environment,
            input=f"{PASSWORD}\n".encode(),
            capture_output=True,
            check=True,
        )

    def _await_ticket(self) -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                self.log_in()
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline or self._centre.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return

    def _run(self, program: str, *arguments: str) -> None:
        path = require(program, "krb5-kdc krb5-admin-server")
        subprocess.run(
            [path, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
