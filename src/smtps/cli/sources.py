"""Where values come from: the command line, the environment, and a TOML file."""

from __future__ import annotations

import argparse
import difflib
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadValue
from ..firewall import Firewall
from ..options import Option
from ..properties import ConnectionProperties
from ..settings import Settings
from ..url import RelayURL
from .exits import CONFIG, NOINPUT, USAGE, Failure
from .terminal import complain

__all__ = [
    "OWN_NAMES",
    "Given",
    "candidates",
    "find_option",
    "from_arguments",
    "from_environment",
    "from_file",
    "holds_secret",
    "options",
]

#: What only the command line knows, beside every property and setting.
OWN_NAMES = {
    "url": "the relay: smtp://user@host:587, smtps://host, lmtp:///path",
    "password_command": "a command that prints the password on its first line",
    "password_file": "a file whose first line is the password",
    "outbox": "a queue folder that `sendmail` and `run` use",
    "sender": "who a message is from where it says nothing else",
    "domain": "what an address without one gets (the host's own name)",
}
_PREFIX = "SMTPS_"
# What people write who come from elsewhere, and what it is called here.
_OTHER_WORDS = {
    "host": "mail_server",
    "server": "mail_server",
    "smtp_host": "mail_server",
    "port": "mail_port",
    "username": "user",
    "login": "user",
    "pass": "password",
    "passwordeval": "password_command",
    "tls": "ssl_start_mode",
    "starttls": "ssl_start_mode",
    "auth": "auth_mechanism",
    "ca_file": "openssl_ca_file",
    "tls_trust_file": "openssl_ca_file",
    "proxy": "firewall",
    "from": "sender",
    "queue": "outbox",
}


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody gave it."""

    #: The attribute of the option, or one of `OWN_NAMES`.
    name: str
    value: Any
    #: How the person would find it: an argument, a variable or a file.
    source: str
    #: The exit status if it cannot be used.
    status: int = CONFIG

    def refusal(self, reason: str) -> Failure:
        """Say in one line what is wrong, where it stands, and what it is."""
        shown = "********" if holds_secret(self.name, self.value) else repr(self.value)
        what = "" if shown in reason or shown == "''" else f" = {shown}"
        own = (f"--{self.name.replace('_', '-')}", f"{_PREFIX}{self.name.upper()}")
        if self.source in own or self.source.startswith("--set "):
            return Failure(f"{self.source}{what}: {reason}", self.status)
        return Failure(f"{self.source}: {self.name}{what}: {reason}", self.status)


def options() -> dict[str, Option[Any]]:
    """Give every option that a configuration can hold, by its attribute."""
    return {**ConnectionProperties.options, **Settings.options}


def find_option(name: str) -> Option[Any] | None:
    """Find an option by its attribute or classic name."""
    return ConnectionProperties.find_option(name) or Settings.find_option(name)


def holds_secret(name: str, value: Any) -> bool:
    """Tell whether a value must not be shown, nor stand where others can read it."""
    if name == "url":
        try:
            parts = RelayURL.parse(str(value))
        except BadValue:
            # What cannot be read may hold anything.
            return "@" in str(value)
        return bool(parts.password) or any(holds_secret(*pair) for pair in parts.query)
    option = find_option(name)
    if option is None:
        return False
    if option.attribute == "firewall":
        try:
            return bool(Firewall.from_url(str(value)).password)
        except BadValue:
            return "@" in str(value)
    return option.secret and bool(value)


# --- the command line -----------------------------------------------------------------------------


def from_arguments(arguments: argparse.Namespace) -> list[Given]:
    """Give what the command line says.

    Raises:
        Failure: a name is unknown, or a secret stands where every user of the machine can read it.
    """
    found = [
        Given(name, value, f"--{name.replace('_', '-')}", USAGE)
        for name in ("url", "user", "password_command", "password_file", "outbox", "sender")
        if (value := getattr(arguments, name, None)) is not None
    ]
    for text in getattr(arguments, "set", None) or ():
        name, equals, value = text.partition("=")
        source = f"--set {name}"
        if not equals:
            raise Failure(f"--set {text}: expected NAME=VALUE", USAGE)
        found.append(Given(_known(name, source, "", USAGE), value, source, USAGE))
    for given in found:
        if holds_secret(given.name, given.value):
            raise Failure(
                f"{given.source}: every user of this machine can read a password there; put it"
                " into SMTPS_URL or SMTPS_PASSWORD, a file (--password-file) or the output of a"
                " command (--password-command)",
                USAGE,
            )
    return found


# --- the environment ------------------------------------------------------------------------------


def from_environment(environment: Mapping[str, str]) -> list[Given]:
    """Give what variables such as SMTPS_URL and SMTPS_TIMEOUT say.

    A variable that is like none of ours is another program's and is left alone.

    Raises:
        Failure: a name looks like one of ours, and is misspelled.
    """
    found = []
    for variable, value in sorted(environment.items()):
        name = variable.removeprefix(_PREFIX).lower()
        if name == variable.lower() or name in _NO_OPTIONS:
            continue
        if name in OWN_NAMES or find_option(name) is not None or _nearest(name):
            found.append(Given(_known(name, variable, _PREFIX, CONFIG), value, variable))
    return found


# They choose the implementation (and its test servers), and where the configuration is.
_NO_OPTIONS = {"impl", "build", "cpu", "config", "traceback"}


# --- a file ---------------------------------------------------------------------------------------


def candidates(environment: Mapping[str, str]) -> list[Path]:
    """Name the files that are looked for, in this order, where no file was named."""
    home = environment.get("XDG_CONFIG_HOME") or "~/.config"
    # Without a home, as some daemons start programs, there is none to look in.
    own = Path(os.path.expanduser(home), "smtps/config.toml")
    return [*([own] if own.is_absolute() else []), Path("/etc/smtps.toml")]


def from_file(path: Path, *, asked_by: str = "") -> list[Given]:
    """Give what a TOML file says, and warn if it shows a password to everyone.

    Args:
        asked_by: the argument or variable that named it.

    Raises:
        Failure: it cannot be read, is no TOML, or has a name that is unknown.
    """
    who = f"{asked_by}: " if asked_by else ""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            facts = tomllib.load(file)
    except OSError as error:
        raise Failure(f"{who}{path}: cannot be read: {error.strerror}", NOINPUT) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: no TOML: {error}", CONFIG) from error
    found = [
        Given(_known(name, str(path), "", CONFIG), value, str(path))
        for name, value in facts.items()
    ]
    if mode & stat.S_IROTH and any(holds_secret(given.name, given.value) for given in found):
        complain(f"warning: {path} holds a password, and everyone can read it; chmod 600 {path}")
    return found


# --- names ----------------------------------------------------------------------------------------


def _known(name: str, source: str, prefix: str, status: int) -> str:
    """Give the name by which a value is known here.

    Raises:
        Failure: there is none; the nearest is suggested.
    """
    if name in OWN_NAMES:
        return name
    option = find_option(name)
    if option is not None:
        return option.attribute
    near = _nearest(name.lower())
    shown = f"{prefix}{near.upper()}" if prefix else near
    hint = f"did you mean {shown}?" if near else "smtps config --show lists all that there are"
    what = "" if prefix or source.startswith("--") else f" {name}:"
    raise Failure(f"{source}:{what} there is no such option; {hint}", status)


def _nearest(name: str) -> str:
    if name in _OTHER_WORDS:
        return _OTHER_WORDS[name]
    close = difflib.get_close_matches(name, [*OWN_NAMES, *options()], n=1, cutoff=0.75)
    return close[0] if close else ""
