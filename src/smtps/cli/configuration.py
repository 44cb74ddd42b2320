"""The configuration of a run: arguments before the environment before a file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..client import SMTPS
from ..drivers.names import own_name
from ..enumerations import AuthMechanism
from ..errors import BadValue
from ..options import assign
from ..url import RelayURL
from .exits import CONFIG, Failure
from .passwords import password_from_command, password_from_file
from .sources import (
    OWN_NAMES,
    Given,
    candidates,
    from_arguments,
    from_environment,
    from_file,
    options,
)

__all__ = ["Configuration"]

_PASSWORDS = {"password", "password_command", "password_file"}
# What is said of one relay, and must not be told to another.
_OF_A_RELAY = {
    *("mail_server", "mail_port", "protocol", "ssl_start_mode", "user", "auth_mechanism"),
    *("authorization_identity", *_PASSWORDS),
}
# Where nothing was chosen, the best that both sides know is taken.
_BETTER = {"auth_mechanism"}
# These need no password.
_WITHOUT = {
    AuthMechanism.KERBEROS,
    AuthMechanism.EXTERNAL,
    AuthMechanism.XOAUTH2,
    AuthMechanism.OAUTHBEARER,
}
_UNPROVED, _SUBMISSION = 25, 587


class Configuration:
    """Every value with where it comes from, and the relay that they describe.

    A higher source replaces a lower one value by value. If both name a relay, nothing that the
    lower one says of its own is kept: its password must not reach another server.

    Args:
        layers: the values of each source, the lowest first.
        file: the file that was read, if there was one.

    Raises:
        Failure: a value cannot be used.
    """

    def __init__(self, *layers: Iterable[Given], file: Path | None = None) -> None:
        self.file = file
        #: Each value that was given and not replaced, by its name.
        self.given: dict[str, Given] = {}
        #: The names among them that were said together with a relay.
        self._of_relay: set[str] = set()
        for layer in layers:
            self._lay(_unfolded(layer))
        self._password: str | None = None
        # What is wrong is said now, and not when half of the work is done.
        self._sample = self._made()

    @classmethod
    def load(
        cls, arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ
    ) -> Configuration:
        """Collect the values of a run.

        Raises:
            Failure: a file cannot be read, or a name or value cannot be used.
        """
        path, asked_by = _file(arguments, environment)
        return cls(
            from_file(path, asked_by=asked_by) if path else [],
            from_environment(environment),
            from_arguments(arguments),
            file=path,
        )

    def own(self, name: str) -> str:
        """Give one of the values that only the command line knows, or "".

        Raises:
            Failure: it is not text.
        """
        given = self.given.get(name)
        if given is None:
            return ""
        if not isinstance(given.value, str):
            raise given.refusal(f"expected text, not {type(given.value).__name__}")
        return given.value

    @property
    def domain(self) -> str:
        """What is added to an address that has no domain."""
        return self.own("domain") or own_name() or "localhost"

    def shown(self, name: str) -> str:
        """Give the text of an option as it is now, its secrets as asterisks."""
        option = options().get(name)
        if option is None:
            return str(self.given[name].value) if name in self.given else ""
        target = self._sample if name in self._sample.options else self._sample.settings
        value = option.assigned(target)
        if option.secret:
            return "********" if value else ""
        if isinstance(value, IntEnum):
            # As it can be written, which tells more than the number that the classic has.
            return value.name.lower() if option.is_set(target) or name not in _BETTER else "best"
        return option.show(value)

    @property
    def names_relay(self) -> bool:
        """Whether it says where to send."""
        return bool(self._sample.mail_server)

    def relay(self, *, logs_in: bool = True) -> SMTPS:
        """Make a connection, not yet connected, with its password.

        Args:
            logs_in: whether it is to have a user at all.

        Raises:
            Failure: no relay is named, or the password cannot be had.
        """
        if not self.names_relay:
            raise Failure(
                "no relay is named; say --url smtp://host, or set SMTPS_URL, or write a"
                " configuration file (smtps config says where)",
                CONFIG,
            )
        smtp = self._made()
        if not logs_in:
            for name in ("user", "password", "authorization_identity", "auth_mechanism"):
                smtp.options[name].reset(smtp)
            return smtp
        if self._password is None:
            self._password = self._asked()
        if self._password:
            smtp.password = self._password
        _check_password(smtp)
        return smtp

    def _lay(self, layer: dict[str, Given]) -> None:
        """Put a layer over those that are there."""
        passwords = [layer[name] for name in _PASSWORDS if name in layer]
        if len(passwords) > 1:
            raise passwords[1].refusal(f"{passwords[0].name} is there too; choose one")
        gone: set[str] = set()
        if "mail_server" in layer:
            gone |= self._of_relay
            self._of_relay = set(layer) & _OF_A_RELAY
        if passwords:
            gone |= _PASSWORDS
        for name in gone:
            self.given.pop(name, None)
        self.given.update(layer)

    def _made(self) -> SMTPS:
        smtp = SMTPS()
        # In the order of their declaration, which some depend on: a store before its subject.
        for name in options():
            given = self.given.get(name)
            if given is None:
                continue
            try:
                assign((smtp, smtp.settings), name, given.value, parse=isinstance(given.value, str))
            except BadValue as error:
                raise given.refusal(error.reason) from error
        for name in OWN_NAMES:
            if name != "password_command":
                self.own(name)
        return smtp

    def _asked(self) -> str:
        if "password_command" in self.given:
            return password_from_command(self.given["password_command"])
        if "password_file" in self.given:
            return password_from_file(self.given["password_file"])
        return ""


def _check_password(smtp: SMTPS) -> None:
    """Refuse to log in with an empty password, which no one has.

    Raises:
        Failure: there is a user, and nothing to prove it with.
    """
    proves = smtp.password or smtp.authorization_identity or smtp.auth_mechanism in _WITHOUT
    if smtp.user and not proves:
        raise Failure(
            f"user {smtp.user}: there is no password; set SMTPS_PASSWORD, or say --password-file"
            " or --password-command",
            CONFIG,
        )


def _file(arguments: argparse.Namespace, environment: Mapping[str, str]) -> tuple[Path | None, str]:
    """Give the file to read, and what named it."""
    named: Any = getattr(arguments, "config", None)
    if named is not None:
        return Path(named).expanduser(), "--config"
    if environment.get("SMTPS_CONFIG"):
        return Path(environment["SMTPS_CONFIG"]).expanduser(), "SMTPS_CONFIG"
    return next((path for path in candidates(environment) if path.exists()), None), ""


def _unfolded(layer: Iterable[Given]) -> dict[str, Given]:
    """Take a URL apart into the options that it stands for; what is given beside it goes first.

    Raises:
        Failure: it is no relay URL.
    """
    values = {given.name: given for given in layer}
    given = values.pop("url", None)
    if given is None:
        return values
    if not isinstance(given.value, str):
        raise given.refusal("expected text: smtp://user@host:port")
    try:
        parts = RelayURL.parse(given.value)
    except BadValue as error:
        raise given.refusal(f"{error.field}: {error.reason}") from error
    facts: dict[str, Any] = {
        "mail_server": parts.host,
        "mail_port": parts.port,
        "protocol": parts.protocol,
        "ssl_start_mode": parts.start_mode,
        **{name: value for name in ("user", "password") if (value := getattr(parts, name))},
        **dict(parts.query),
    }
    if "user" in values and urlsplit(given.value).port is None and parts.port == _UNPROVED:
        # Who logs in submits, whether the user stands in the URL or beside it.
        facts["mail_port"] = _SUBMISSION
    return {name: replace(given, name=name, value=value) for name, value in facts.items()} | values
