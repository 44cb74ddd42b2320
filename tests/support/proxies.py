"""Real proxies on loopback: microsocks, Dante, tinyproxy and Squid."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from smtps import FirewallType

from .servers import free_port, require

__all__ = ["PROXIES", "Proxies", "Proxy"]

_USER, _PASSWORD = "user", "secret word"

# A run that is killed stops nothing, so the system does it; but it forgets to where a program
# becomes another user, so it is one from the start.
_AS_NOBODY = ("--reuid=nobody", "--regid=nogroup", "--clear-groups")
_UNDER = (*(_AS_NOBODY if os.geteuid() == 0 else ()), "--pdeathsig=TERM")

_DANTE = """
logoutput: {folder}/log
internal: 127.0.0.1 port = {port}
external: lo
clientmethod: none
socksmethod: none
client pass {{
  from: 127.0.0.0/8 to: 127.0.0.0/8
}}
socks block {{
  from: 127.0.0.0/8 to: 127.0.0.66/32
}}
socks pass {{
  from: 127.0.0.0/8 to: 0/0
  command: connect
}}
"""
_TINYPROXY = """
Listen 127.0.0.1
Port {port}
Timeout 60
LogFile "{folder}/log"
{login}
"""
_SQUID = """
http_port 127.0.0.1:{port}
pid_filename {folder}/pid
cache_log {folder}/log
access_log none
cache deny all
coredump_dir {folder}
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname squid.example
{login}
acl blocked dst 127.0.0.66
http_access deny blocked
http_access allow {who}
http_access deny all
"""
_SQUID_LOGIN = """
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users
auth_param basic realm squid
auth_param basic children 1 startup=1
acl known proxy_auth REQUIRED
"""


class Kind(NamedTuple):
    """What a proxy speaks, its program, the package with it, and whether it wants a login."""

    kind: FirewallType
    program: str
    package: str
    login: bool


class Proxy:
    """A running proxy.

    Args:
        name: one of `PROXIES`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.host = "127.0.0.1"
        self.port = free_port()
        self.kind, program, package, login = PROXIES[name]
        self.user, self.password = (_USER, _PASSWORD) if login else ("", "")
        path = require(program, package)
        self._folder = Path(tempfile.mkdtemp(prefix=f"{program}-"))
        # They run as another user.
        self._folder.chmod(0o777)
        arguments = getattr(self, f"_{program}")()
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [require("setpriv", "util-linux"), *_UNDER, path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
            )
        try:
            self._await()
        except TimeoutError:
            self.stop()
            raise

    @property
    def options(self) -> dict[str, Any]:
        """What sends a component through it."""
        return {
            "firewall_type": self.kind,
            "firewall_host": self.host,
            "firewall_port": self.port,
            "firewall_user": self.user,
            "firewall_password": self.password,
        }

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _microsocks(self) -> list[str]:
        login = ["-u", self.user, "-P", self.password] if self.user else []
        return ["-i", self.host, "-p", str(self.port), *login]

    def _danted(self) -> list[str]:
        return ["-f", self._write(_DANTE), "-p", str(self._folder / "pid")]

    def _tinyproxy(self) -> list[str]:
        # Its configuration knows no spaces in a password.
        self.password = self.password.replace(" ", "")
        login = f"BasicAuth {self.user} {self.password}" if self.user else ""
        return ["-d", "-c", self._write(_TINYPROXY, login=login)]

    def _squid(self) -> list[str]:
        login = ""
        if self.user:
            hashed = subprocess.run(
                [require("openssl", "openssl"), "passwd", "-apr1", self.password],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            (self._folder / "users").write_text(f"{self.user}:{hashed}")
            login = _SQUID_LOGIN.format(folder=self._folder)
        who = "known" if self.user else "all"
        # Its name is that of its shared memory, which each needs for itself.
        configuration = self._write(_SQUID, login=login, who=who)
        return ["-N", "-n", f"squid{self.port}", "-f", configuration]

    def _write(self, template: str, **words: str) -> str:
        path = self._folder / "configuration"
        path.write_text(template.format(folder=self._folder, port=self.port, **words))
        return str(path)

    def _await(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        files = [self._folder / "output", self._folder / "log"]
        words = "\n".join(path.read_text(errors="replace") for path in files if path.exists())
        raise TimeoutError(f"{self.name} does not listen:\n{words[-2000:]}")


#: All of them, by name.
PROXIES = {
    "microsocks": Kind(FirewallType.SOCKS5, "microsocks", "microsocks", False),
    "microsocks with a password": Kind(FirewallType.SOCKS5, "microsocks", "microsocks", True),
    "dante 5": Kind(FirewallType.SOCKS5, "danted", "dante-server", False),
    "dante 4": Kind(FirewallType.SOCKS4, "danted", "dante-server", False),
    "tinyproxy": Kind(FirewallType.TUNNEL, "tinyproxy", "tinyproxy-bin", False),
    "tinyproxy with a password": Kind(FirewallType.TUNNEL, "tinyproxy", "tinyproxy-bin", True),
    "squid": Kind(FirewallType.TUNNEL, "squid", "squid", False),
    "squid with a password": Kind(FirewallType.TUNNEL, "squid", "squid", True),
}


class Proxies:
    """The proxies that run, by name."""

    def __init__(self) -> None:
        self._running: dict[str, Proxy] = {}

    def get(self, name: str) -> Proxy:
        if name not in self._running:
            self._running[name] = Proxy(name)
        return self._running[name]

    def stop(self) -> None:
        for proxy in self._running.values():
            proxy.stop()
