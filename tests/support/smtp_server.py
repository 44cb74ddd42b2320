"""smtp-server, a server in JavaScript that knows XOAUTH2 and REQUIRETLS."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smtps.testing.certificates import default_certificate

from .servers import (
    DEFERRED,
    REFUSED,
    Arrived,
    RealServer,
    Shelf,
    await_greeting,
    free_port,
    require,
    unpacked,
)

__all__ = ["SMTPServer"]

_USER, _PASSWORD, _TOKEN = "user", "secret", "a-token"
_PACKAGE = "smtp-server-3.18.5"


class SMTPServer(RealServer):
    """A running smtp-server, which keeps what comes byte for byte.

    A wrong token gets a challenge that holds the error as JSON, and then 535.
    """

    name = "smtp-server"
    host = "127.0.0.1"
    user = _USER
    password = _PASSWORD
    #: The token that XOAUTH2 takes.
    token = _TOKEN
    discarded = None
    implicit_port: int

    def __init__(self) -> None:
        node = require("node", "nodejs")
        module = unpacked(_PACKAGE) / "node_modules/smtp-server"
        certificate = default_certificate()
        self.ca_file = certificate.ca_file
        self.port, self.implicit_port = free_port(), free_port()
        given = {
            "module": str(module),
            "certificate": certificate.pem_file,
            "port": self.port,
            "implicit_port": self.implicit_port,
            "size": 20_480_000,
            "user": _USER,
            "password": _PASSWORD,
            "token": _TOKEN,
            "refused": REFUSED,
            "deferred": DEFERRED,
        }
        self._process = subprocess.Popen(
            [node, str(Path(__file__).with_suffix(".js")), json.dumps(given)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        self._shelf = Shelf()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            await_greeting(self.host, self.port, process=self._process)
        except BaseException:
            self.stop()
            raise

    def arrivals(
        self, wanted: Callable[[Arrived], bool], count: int, timeout: float
    ) -> list[Arrived]:
        """Wait until there are so many of the wanted messages, and give all of them."""
        return self._shelf.arrivals(wanted, count, timeout)

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(10)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._shelf.put(_arrived(json.loads(line)))


def _arrived(message: dict[str, Any]) -> Arrived:
    people = message["recipients"]
    return Arrived(
        message["sender"]["address"] or "",
        tuple(one["address"] for one in people),
        base64.b64decode(message["content"]),
        parameters=_parameters(message["sender"]),
        recipient_parameters=tuple(map(_parameters, people)),
    )


def _parameters(one: dict[str, Any]) -> dict[str, str | None]:
    # What has no value is `true` here.
    return {
        keyword: None if value is True else value for keyword, value in one["parameters"].items()
    }
