"""`smtps probe`: show what a server offers, how it is secured, and how far it is."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from datetime import UTC, datetime
from statistics import median
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ..errors import BadValue, ConnectionFailed
from ..url import RelayURL
from ..wire.capabilities import Capabilities
from .configuration import Configuration
from .exits import NOHOST, USAGE, Failure, status_of
from .parsing import add_command, number
from .probing import Findings, look_at
from .terminal import complain, plain, say, say_json

__all__ = ["add_commands"]

_EXAMPLES = """
smtps probe relay.example            port 587, 465 or 25, whichever answers
smtps probe relay.example:2525
smtps probe smtps://relay.example --json
SMTPS_URL=smtp://me:password@relay.example smtps probe --login
"""
_NOTES = """
Nobody logs in without --login, and no mail is sent. The exit status is 76 where the
certificate cannot be trusted or there is no TLS.
"""
_PORTS = (587, 465, 25)
_IMPLICIT = 465
# Seconds; on the wrong port a server that awaits TLS is silent.
_PATIENCE = 10
# Longer lines are hard to read, however wide the terminal is.
_WIDTH = 80
_LABEL = 12


def add_commands(commands: Any) -> None:
    """Add the subcommand to the parser."""
    parser = add_command(
        commands,
        "probe",
        _probe,
        about="show what a server offers, its TLS and its distance",
        words="[HOST | URL]",
        examples=_EXAMPLES,
        notes=_NOTES,
        relay=True,
    )
    parser.add_argument(
        "target", nargs="?", metavar="HOST|URL", help="the server (the configured relay)"
    )
    parser.add_argument("--login", action="store_true", help="log in as well, as configured")
    parser.add_argument(
        "--count", type=number(1, 1000), default=5, metavar="N", help="round trips measured (5)"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _probe(arguments: argparse.Namespace) -> int:
    findings = _find(arguments)
    if arguments.json:
        say_json(_facts(findings))
    else:
        _show(findings)
    if findings.problem is not None:
        complain(str(findings.problem))
    elif findings.certificate not in ("", "OK"):
        complain(f"the certificate cannot be trusted: {findings.certificate}")
    return findings.status


def _find(arguments: argparse.Namespace) -> Findings:
    """Look at the first URL of the target that answers.

    Raises:
        ConnectionFailed: none does.
    """
    urls = _urls(arguments.target, arguments.url)
    for url in urls:
        arguments.url = url
        configuration = Configuration.load(arguments)
        smtp = configuration.relay(logs_in=arguments.login)
        if "timeout" not in configuration.given:
            smtp.timeout = _PATIENCE
        if arguments.login and not smtp.user:
            raise Failure("--login: no user is named; say --user, or in the URL", USAGE)
        try:
            return look_at(smtp, arguments.count, logs_in=arguments.login)
        except ConnectionFailed as error:
            if url == urls[-1] or status_of(error) == NOHOST:
                raise
            complain(str(error))
    raise AssertionError("there is always one")


def _urls(target: str | None, url: str | None) -> list[str | None]:
    if target is None:
        return [url]
    if url is not None:
        raise Failure("--url: the server is named already; leave one of them out", USAGE)
    if "://" in target:
        return [target]
    host, colon, port = target.rpartition(":")
    if colon and port.isdecimal() and ("]" in host or ":" not in host):
        return [_url(host, int(port), target)]
    bare = f"[{target}]" if target.count(":") > 1 and not target.startswith("[") else target
    return [_url(bare, port, target) for port in _PORTS]


def _url(host: str, port: int, target: str) -> str:
    url = f"{'smtps' if port == _IMPLICIT else 'smtp'}://{host}:{port}"
    try:
        RelayURL.parse(url)
    except BadValue as error:
        raise Failure(
            f"HOST {target!r}: write a name or an address, with :PORT (up to 65535) if it has one"
            " of its own, or a URL",
            USAGE,
        ) from error
    return url


# --- as text --------------------------------------------------------------------------------------


def _show(findings: Findings) -> None:
    where = f"{findings.host} port {findings.port}"
    times = f"connected in {_ms(findings.connecting)}, greeted {_ms(findings.greeted)} later"
    _line("server", f"{where}; {times}")
    _line("greeting", findings.greeting)
    if findings.before:
        _line("before TLS" if findings.after else "offers", _offers(findings.before))
    if findings.tls is not None:
        info = findings.tls
        agreed = f"{info.version}, {info.cipher}, {info.bits} bits"
        _line("TLS", f"{agreed}; shaken hands in {_ms(findings.handshake)}")
        trusted = (
            "trusted" if findings.certificate == "OK" else f"NOT TRUSTED: {findings.certificate}"
        )
        _line("certificate", trusted)
        for place, der in enumerate(info.chain or (info.certificate,)):
            _line(f"  {place}", _certificate(der)["text"])
    if findings.after:
        _line("after TLS" if findings.before else "offers", _offers(findings.after))
    found = findings.capabilities
    if found.raw:
        clear = ", ".join(findings.auth_in_clear)
        warning = f"; in CLEAR TEXT too: {clear}" if clear and findings.after else ""
        _line("login", (", ".join(found.auth) or "not offered") + warning)
        _line("limits", _limits(found))
    if findings.user:
        _line("logged in", f"as {findings.user}")
    if findings.round_trips:
        trips = findings.round_trips
        spread = f"{_ms(min(trips))} to {_ms(max(trips))}"
        _line("round trip", f"{_ms(median(trips))}, the median of {len(trips)} NOOPs: {spread}")
        _line("many mails", _form(found, median(trips)))


def _line(label: str, text: str) -> None:
    width = min(shutil.get_terminal_size().columns, _WIDTH) - _LABEL
    lines = textwrap.wrap(
        plain(text), max(width, _LABEL), break_on_hyphens=False, break_long_words=False
    )
    for place, line in enumerate(lines or [""]):
        say(f"{label if place == 0 else '':{_LABEL}}{line}")


def _offers(lines: list[str]) -> str:
    return ", ".join(lines[1:]) or "nothing (HELO only)"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.3g} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _limits(found: Capabilities) -> str:
    limits = found.limits
    parts = [f"messages of {found.size / 1e6:,.1f} MB"] if found.size else []
    parts += [f"{limits.rcpt:,} recipients of a message"] if limits.rcpt else []
    parts += [f"{limits.mail:,} messages a connection"] if limits.mail else []
    return ", ".join(parts) or "none announced"


def _form(found: Capabilities, round_trip: float) -> str:
    """Say how `send_many` works there, and what a connection can do at most for the distance."""
    if not found.pipelining:
        # MAIL, RCPT, DATA, and the end of the message.
        most = 1 / (4 * round_trip)
        return (
            "no PIPELINING: every command waits for its answer, 4 round trips a message,"
            f" so at most {most:,.0f} messages/s and connection"
        )
    if found.chunking:
        return (
            "PIPELINING and CHUNKING: whole messages follow each other and none waits for an"
            " answer, so that the distance does not count"
        )
    return (
        "PIPELINING without CHUNKING: one message waits for the answer to DATA of its own,"
        f" 1 round trip a message, so at most {1 / round_trip:,.0f} messages/s and connection"
    )


def _certificate(der: bytes) -> dict[str, str]:
    """Give what is to be known of a certificate, and the same as a sentence."""
    try:
        return _readable_certificate(x509.load_der_x509_certificate(der))
    except (ValueError, UnsupportedAlgorithm):
        # The server may have put anything there.
        facts = ("subject", "issuer", "not_before", "not_after", "key", "names")
        return {
            **dict.fromkeys(facts, ""),
            "text": f"{len(der):,} bytes that cannot be read as a certificate",
        }


def _readable_certificate(certificate: x509.Certificate) -> dict[str, str]:
    until = certificate.not_valid_after_utc
    days = (until - datetime.now(UTC)).days
    left = f"{days:,} days left" if days >= 0 else f"EXPIRED {-days:,} days ago"
    subject = certificate.subject.rfc4514_string() or "(no subject)"
    issuer = certificate.issuer.rfc4514_string()
    names = ", ".join(_names(certificate))
    by = "itself" if certificate.issuer == certificate.subject else issuer
    facts = {
        "subject": subject,
        "issuer": issuer,
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": until.isoformat(),
        "key": _key(certificate),
        "names": names,
    }
    text = f"{subject}, signed by {by}; until {until:%Y-%m-%d}, {left}; {facts['key']}"
    return {**facts, "text": text + (f"; for {names}" if names else "")}


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [str(name.value) for name in found.value]


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey")


# --- as JSON --------------------------------------------------------------------------------------


def _facts(findings: Findings) -> dict[str, Any]:
    found, info = findings.capabilities, findings.tls
    limits = found.limits
    chain = [_certificate(der) for der in (info.chain or (info.certificate,))] if info else []
    for one in chain:
        del one["text"]
    form = "BDAT" if found.chunking else "DATA"
    return {
        "host": findings.host,
        "port": findings.port,
        "implicit_tls": findings.implicit,
        "greeting": findings.greeting,
        "before_tls": findings.before[1:],
        "after_tls": findings.after[1:],
        "tls": info
        and {
            "version": info.version,
            "cipher": info.cipher,
            "bits": info.bits,
            "certificate": findings.certificate,
            "chain": chain,
        },
        "auth": list(found.auth),
        "auth_in_clear": list(findings.auth_in_clear),
        "limits": {"size": found.size, "recipients": limits.rcpt, "messages": limits.mail},
        "user": findings.user or None,
        "seconds": {
            "connect": findings.connecting,
            "greeting": findings.greeted,
            "handshake": findings.handshake if info else None,
            "round_trip": median(findings.round_trips) if findings.round_trips else None,
        },
        "window": form if found.pipelining else None,
        "problem": str(findings.problem) if findings.problem else None,
    }
