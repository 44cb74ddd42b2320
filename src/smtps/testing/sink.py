"""The embedded sink: an SMTP server in threads of this process, for tests and demos."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote, urlencode

from ..errors import BadValue
from .auth import MECHANISMS, Mechanism
from .certificates import Certificate, default_certificate
from .conversation import Conversation
from .extensions import ALL_EXTENSIONS, Extensions
from .faults import Fault, Script
from .listening import knock, listen
from .records import SinkConnection, SinkMessage
from .service import Service
from .stream import Gone, Stream

__all__ = ["Sink"]

_DEFAULT_USERS = {"user": "secret"}
_TLS = (None, "starttls", "implicit")


class Sink:
    """Take mail on a loopback port and keep it, or count it and throw it away.

    ```python
    refusal = Fault(on="RCPT", reply="550 5.1.1 no such user")
    with Sink(tls="starttls", faults=[refusal]) as sink:
        smtps.send(item, sink.url)
    ```

    It listens from the moment that it is made until `close`, and serves each client in a thread.
    It is strict about what it is told and says so in `violations` and `bare_newlines`, where real
    servers are lenient. It delivers nothing to anybody.

    Args:
        tls: None for clear text, "starttls" to offer it, "implicit" for TLS from the first byte.
        certificate: what it shows; by default one for localhost, 127.0.0.1 and ::1 that
            `ca_file` vouches for.
        client_ca: a PEM file of authorities, to ask clients for a certificate of theirs; it is
            in `connections[n].certificate`.
        require_client: refuse the handshake of a client that shows none.
        extensions: the lines that EHLO announces, in place of all. STARTTLS comes by `tls`, and
            AUTH is held back in clear text.
        users: who can log in, with their passwords; `url` then names the first. Without it "user"
            with the password "secret" can, and `url` names nobody.
        mechanisms: how they can log in, in place of what `extensions` says: names such as
            "SCRAM-SHA-256", or with each name a function of your own that is given an
            `AuthExchange`. For XOAUTH2 and OAUTHBEARER the passwords of `users` are tokens.
        auth_in_clear: offer AUTH without TLS too.
        require_auth: refuse MAIL to those who did not log in.
        faults: what goes wrong; more can be added by `add_fault`.
        record: keep messages and commands. Without it they are counted only, which is fast and
            takes little memory however large they are.
        on_message: called with each message in place of keeping it in `messages`, one at a time, on
            the thread of its client, who hears that it was taken afterwards, and not if an
            `OSError` is raised.
        split: send every reply byte by byte.
        name: what the sink calls itself.
        lmtp: speak LMTP: LHLO, and one last reply for each recipient, where a fault on "." looks
            at the recipient and is that recipient's own. RFC 2033.
        path: listen on a Unix socket here instead of a port, for LMTP.

    Raises:
        BadValue: an argument is not what it should be.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Literal["starttls", "implicit"] | None = None,
        certificate: Certificate | None = None,
        client_ca: str = "",
        require_client: bool = False,
        extensions: Iterable[str] = ALL_EXTENSIONS,
        users: Mapping[str, str] | None = None,
        mechanisms: Iterable[str] | Mapping[str, Mechanism] | None = None,
        auth_in_clear: bool = False,
        require_auth: bool = False,
        faults: Iterable[Fault] = (),
        record: bool = True,
        on_message: Callable[[SinkMessage], object] | None = None,
        split: bool = False,
        name: str = "sink.example",
        lmtp: bool = False,
        path: str | None = None,
    ) -> None:
        if tls not in _TLS:
            raise BadValue("tls", f"{tls!r} is none of None, 'starttls' and 'implicit'")
        self._tls = tls
        self._users = users
        self._split = split
        self._on_message = on_message
        self._certificate = certificate or default_certificate()
        self._service = Service(
            name=name,
            extensions=_with_mechanisms(Extensions(extensions), mechanisms),
            mechanisms=mechanisms if isinstance(mechanisms, Mapping) else MECHANISMS,
            users=_DEFAULT_USERS if users is None else users,
            auth_in_clear=auth_in_clear,
            require_auth=require_auth,
            context=self._context(client_ca, require_client) if tls else None,
            implicit_tls=tls == "implicit",
            lmtp=lmtp,
            end_point=self._certificate.end_point if tls else b"",
            keep=record,
            script=Script(faults),
            deliver=self._deliver,
            notice=self._notice,
        )
        self._changed = threading.Condition()
        self._count = 0
        self._messages: list[SinkMessage] = []
        self._connections: list[SinkConnection] = []
        self._streams: set[Stream] = set()
        self._threads: list[threading.Thread] = []
        self._path = path
        self._listener = listen(host, port, path)
        self.host = host
        self.port: int = port if path else self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name=f"sink:{self.port}")
        self._accepting.daemon = True
        self._accepting.start()

    def _context(self, client_ca: str, require_client: bool) -> ssl.SSLContext:
        if not client_ca:
            return self._certificate.context
        return self._certificate.make_context(client_ca=client_ca, requires=require_client)

    # --- where it is ------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The relay URL of this sink, with what makes a client trust it and log in."""
        scheme = "lmtp" if self._service.lmtp else "smtps" if self._tls == "implicit" else "smtp"
        if self._path:
            return f"{scheme}://{quote(self._path)}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        login = ""
        if self._users:
            user, password = next(iter(self._users.items()))
            login = f"{quote(user, safe='')}:{quote(password, safe='')}@"
        query = {"openssl_ca_file": self.ca_file} if self._tls else {"tls": "none"}
        if login and not self._tls and self._service.auth_in_clear:
            query["allow_plaintext_auth"] = "true"
        return f"{scheme}://{login}{host}:{self.port}?{urlencode(query)}"

    @property
    def ca_file(self) -> str:
        """The PEM file of the authority that a client has to trust."""
        return self._certificate.ca_file

    # --- what it saw ------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many messages were taken."""
        return self._count

    @property
    def messages(self) -> tuple[SinkMessage, ...]:
        """The messages, in the order in which they were taken; none with `record=False`."""
        with self._changed:
            return tuple(self._messages)

    @property
    def connections(self) -> tuple[SinkConnection, ...]:
        """What each client did, in the order in which they came."""
        with self._changed:
            return tuple(self._connections)

    @property
    def commands(self) -> list[str]:
        """The commands of every connection, one connection after another."""
        return [line for connection in self.connections for line in connection.commands]

    @property
    def violations(self) -> list[str]:
        """What clients must not have done by the RFCs."""
        return [text for connection in self.connections for text in connection.violations]

    @property
    def bare_newlines(self) -> int:
        """How many CR and LF came that are not part of a CRLF."""
        return sum(connection.bare_newlines for connection in self.connections)

    def wait_until(self, condition: Callable[[], object], timeout: float = 10.0) -> None:
        """Wait for something that the sink can see, such as a command or the end of a connection.

        Raises:
            TimeoutError: it did not happen.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"the sink did not see it in {timeout:g} s: {self.commands}")
                # Commands, messages and ends are announced; bytes are counted without a word.
                self._changed.wait(min(left, 0.02))

    def wait_for(self, count: int, timeout: float = 10.0) -> None:
        """Wait until so many messages were taken.

        Raises:
            TimeoutError: fewer were.
        """
        self.wait_until(lambda: self._count >= count, timeout)

    def add_fault(self, fault: Fault) -> None:
        """Let something go wrong from now on; faults by bytes begin with the next connection."""
        self._service.script.add(fault)

    # --- its life ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop listening and drop every client."""
        if self._service.stopping.is_set():
            return
        self._service.stopping.set()
        self._service.script.release()
        # A thread that waits in accept() is woken by a client on every system; by a close, not.
        with contextlib.suppress(OSError), knock(self.host, self.port, self._path):
            pass
        self._accepting.join()
        self._listener.close()
        if self._path:
            Path(self._path).unlink(missing_ok=True)
        with self._changed:
            streams = list(self._streams)
        for stream in streams:
            stream.stop()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # The client was gone before it was accepted.
                continue
            if self._service.stopping.is_set():
                client.close()
                return
            record = SinkConnection(len(self._connections) + 1)
            stream = Stream(client, record, split=self._split)
            thread = threading.Thread(target=self._serve, args=(stream, record), daemon=True)
            with self._changed:
                self._connections.append(record)
                self._streams.add(stream)
            self._threads.append(thread)
            thread.start()

    def _serve(self, stream: Stream, record: SinkConnection) -> None:
        try:
            Conversation(stream, record, self._service).run()
        except Gone:
            pass
        except OSError as error:
            record.error = error
        finally:
            stream.close()
            with self._changed:
                self._streams.discard(stream)
                record.closed = True
                self._changed.notify_all()

    def _deliver(self, message: SinkMessage | None) -> None:
        with self._changed:
            if message is not None and self._on_message is not None:
                self._on_message(message)
            elif message is not None:
                self._messages.append(message)
            self._count += 1
            self._changed.notify_all()

    def _notice(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _with_mechanisms(extensions: Extensions, mechanisms: Iterable[str] | None) -> Extensions:
    if mechanisms is None:
        return extensions
    names = [name.upper() for name in mechanisms]
    return extensions.without("AUTH").with_line(" ".join(("AUTH", *names)))
