"""The mail clients that are compared: how each is started, and whether it is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import smtps.compat

from .job import SENDER, Job
from .native import RESULTS
from .scenario import Scenario
from .source import SOURCE
from .works import FINISHED, WORKS

__all__ = ["Client", "CLIENTS", "BASE", "Missing"]

#: The client that all are compared with.
BASE = "smtplib"

_PEERS = Path(__file__).parent / "peers"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
# Newest when this was written; a comparison names what it ran.
_NODEMAILER = "10.6.1"


class Missing(Exception):
    """A client is not installed; the text says what would install it."""


@dataclass(frozen=True)
class Client:
    """One row of the comparison.

    Args:
        chunking: whether the server offers CHUNKING; only those that use it have a row for each.
        command: gives the program for a job, once `prepare` was called.
        prepare: builds or finds what is needed, and gives the version.
        speaks_tls: whether it can.
        is_foreign: whether it is a tool as it is, which adds to the content and says nothing: the
            harness takes its time.
        least: the fewest connections for which the row makes sense, and `most` the most.
        works: the names of what it sends.
        messages: how many make a run; 0 for as many as it sends in the time of one.
    """

    name: str
    command: Callable[[Job], list[str]]
    prepare: Callable[[], str]
    chunking: bool = True
    speaks_tls: bool = True
    is_foreign: bool = False
    is_peer: bool = True
    variant: str = ""
    least: int = 1
    most: int = 1_000_000
    works: tuple[str, ...] = (FINISHED,)
    messages: int = 0

    def fits(self, scenario: Scenario) -> bool:
        """Tell whether there is a row for this."""
        speaks = self.speaks_tls or not scenario.tls
        connects = self.least <= scenario.connections <= self.most
        if scenario.server == "postfix":
            # It offers CHUNKING, and its own speed is the bound: what C can do says nothing here.
            connects = connects and self.chunking and not self.name.startswith("C,")
        return speaks and connects and scenario.work in self.works


def _folder(job: Job) -> str:
    return "composing/" if WORKS[job.work].composes else ""


def _python(file: str) -> Callable[[Job], list[str]]:
    return lambda job: [sys.executable, str(_PEERS / f"{_folder(job)}{file}"), job.dump()]


def _prepare_python(distribution: str) -> Callable[[], str]:
    def prepare() -> str:
        try:
            return f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            raise Missing(f"pip install {distribution}") from None

    return prepare


def _prepare_smtplib() -> str:
    return f"Python {sys.version.split()[0]}"


def _prepare_smtps(method: str) -> Callable[[], str]:
    def prepare() -> str:
        owner, _, name = method.rpartition(".")
        found = getattr(smtps, owner or name, None)
        if found is None or (owner and not hasattr(found, name)):
            raise Missing(f"smtps has no {method}")
        from smtps import codec

        return f"smtps {version('smtps')} ({codec.implementation}, {codec.level})"

    return prepare


def _program(name: str, package: str) -> str:
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise Missing(f"apt-get install {package}")
    return path


def _output(*command: str, folder: Path | None = None, **environment: str) -> str:
    """Run a tool that builds or tells something.

    Raises:
        Missing: it failed; its own words say why.
    """
    result = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    if result.returncode:
        raise Missing(f"{command[0]} failed: {result.stderr.strip()}")
    return result.stdout.strip()


@cache
def _prepare_nodemailer() -> str:
    node, npm = _program("node", "nodejs"), _program("npm", "npm")
    folder = RESULTS / "node"
    if not (folder / "node_modules/nodemailer").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        package = f"nodemailer@{_NODEMAILER}"
        _output(npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), package)
    # Where they find the package.
    for source in _PEERS.rglob("*.cjs"):
        target = folder / source.relative_to(_PEERS)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(source, target)
    return f"nodemailer {_NODEMAILER} (node {_output(node, '--version')})"


def _run_nodemailer(job: Job) -> list[str]:
    program = RESULTS / "node" / f"{_folder(job)}with_nodemailer.cjs"
    return [_program("node", "nodejs"), str(program), job.dump()]


@cache
def _prepare_go() -> str:
    go = _program("go", "golang-go")
    target = RESULTS / "bin/with_go"
    target.parent.mkdir(parents=True, exist_ok=True)
    source = _PEERS / "with_go.go"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        cache_folder = str(RESULTS / "go")
        _output(go, "build", "-o", str(target), str(source), GOCACHE=cache_folder)
    return _output(go, "version").replace("go version ", "").split(" ")[0]


def _run_go(job: Job) -> list[str]:
    return [str(RESULTS / "bin/with_go"), job.dump()]


def _prepare_smtp_source() -> str:
    _program("smtp-source", "postfix")
    postconf = _program("postconf", "postfix")
    return f"smtp-source of Postfix {_output(postconf, '-d', '-h', 'mail_version')}"


def _run_smtp_source(job: Job) -> list[str]:
    # It ends the lines of the file by CRLF itself, and adds an empty one. It writes a command, or a
    # whole message, and then reads: Nagle's algorithm, which it leaves on, holds nothing back.
    text = Path(job.content).with_suffix(".lf")
    if not text.exists():
        text.write_bytes(job.read_content().replace(b"\r\n", b"\n"))
    command = [_program("smtp-source", "postfix"), "-d", "-N", "-4"]
    command += ["-s", str(job.connections), "-m", str(job.messages), "-F", str(text)]
    command += ["-f", SENDER, "-t", "reader@reader.example", f"inet:{job.host}:{job.port}"]
    return command


def _prepare_source() -> str:
    SOURCE.build()
    return f"benchmarks/{SOURCE.sources[0]}"


def _run_source(job: Job) -> list[str]:
    command = [SOURCE.build(), "--host", job.host, "--port", str(job.port)]
    command += ["--count", str(job.messages), "--connections", str(job.connections)]
    command += ["--size", str(WORKS[job.work].octets or len(job.read_content()))]
    command += ["--tls"] if job.tls else []
    return [*command, *job.variant.split()]


def _own(name: str, variant: str, needs: str, file: str = "with_smtps.py", **more: Any) -> Client:
    return Client(
        name,
        _python(file),
        _prepare_smtps(needs),
        variant=variant,
        is_peer=False,
        **more,
    )


def _alone(name: str, variant: str, distribution: str) -> Client:
    """Give a row of what signs a finished message again and again, and sends nothing."""
    return Client(
        name,
        _python("with_signatures.py"),
        _prepare_python(distribution),
        variant=variant,
        is_peer=False,
        works=_SIGNED,
    )


def _composing(name: str, variant: str) -> Client:
    """Give a row of what composes messages and sends none of them."""
    return _own(name, variant, "Message", "with_composition.py", works=("composing",))


_SENT = (FINISHED, "letters", "attachment")
_SIGNED = ("rsa", "ed25519")

#: In the order of the table.
CLIENTS = (
    _own("smtps send_many", "send_many", "SMTPS.send_many", most=1, works=(*_SENT, *_SIGNED)),
    _own("smtps send_many, async", "async send_many", "AsyncSMTPS.send_many", most=1, works=_SENT),
    _own("smtps Mailing", "mailing", "Mailing", works=("mailing",), messages=100_000),
    _own("smtps send_many, no CHUNKING", "send_many", "SMTPS.send_many", most=1, chunking=False),
    _own(
        "smtps send_many, async, no CHUNKING", "async send_many", "AsyncSMTPS.send_many",
        most=1, chunking=False,
    ),
    _own("smtps Pool", "pool", "Pool", least=2),
    _own("smtps AsyncPool", "async pool", "AsyncPool", least=2),
    _own("smtps Pool, no CHUNKING", "pool", "Pool", least=2, chunking=False),
    _own("smtps send", "send", "SMTPS.send", works=_SENT),
    _own("smtps send, async", "async send", "AsyncSMTPS.send"),
    _own("smtps.compat", "smtps.compat", "compat.SMTP", "with_smtplib.py"),
    Client(
        "smtplib", _python("with_smtplib.py"), _prepare_smtplib, variant="smtplib",
        works=(*_SENT, "composing", "mailing", *_SIGNED),
    ),
    Client(
        "aiosmtplib", _python("with_aiosmtplib.py"), _prepare_python("aiosmtplib"),
        works=(*_SENT, "mailing"),
    ),
    Client(
        "pycurl", _python("with_pycurl.py"), _prepare_python("pycurl"), works=(*_SENT, "mailing")
    ),
    # It signs with RSA only.
    Client(
        "nodemailer", _run_nodemailer, _prepare_nodemailer, works=(*_SENT, "mailing", "rsa")
    ),
    Client("Go net/smtp", _run_go, _prepare_go),
    Client(
        "smtp-source", _run_smtp_source, _prepare_smtp_source,
        speaks_tls=False, is_foreign=True,
    ),
    _composing("smtps, only composing", "7 bits"),
    _composing("smtps, only composing, 8BITMIME", "8 bits"),
    _alone("smtps, only signing", "smtps", "smtps"),
    _alone("dkimpy, only signing", "dkimpy", "dkimpy"),
    _alone("signatures alone", "bare", "cryptography"),
    Client("C, BDAT back to back", _run_source, _prepare_source, is_peer=False,
           variant="--window 8192"),
    Client("C, the same message again", _run_source, _prepare_source, is_peer=False,
           variant="--window 16", works=("letters", "mailing", "attachment")),
    Client("C, DATA grouped", _run_source, _prepare_source, is_peer=False,
           variant="--data", chunking=False),
)  # fmt: skip
