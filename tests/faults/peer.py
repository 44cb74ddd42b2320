"""A server that does all right but for one fault at one place, once.

It notes what it took, so that what a client believes can be held against what happened.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import ssl
import struct
import threading
from typing import NoReturn, Self

from smtps.testing.certificates import default_certificate
from tests.faults.line import Gone, Line
from tests.faults.plan import Cell, Place

__all__ = ["Peer"]

_SO_ATTACH_FILTER = 26
# Only the message that is struck in its content has so many.
_SOME_LINES = 1000
# Codes that are positive and belong to other commands.
_WRONG = {
    Place.GREETING: 250,
    Place.EHLO: 220,
    Place.AUTH: 250,
    Place.MAIL: 354,
    Place.RCPT: 354,
    Place.FINAL: 354,
    Place.QUIT: 354,
}
# Whose turn it is, where the second is not the one.
_HITS = dict.fromkeys((*[one for one in Place if one.is_opening], Place.CONTENT, Place.QUIT), 1)
_used: set[int] = set()
_guard = threading.Lock()


class Peer:
    """Listen on a port that no other peer of this process had; `url` is where.

    Args:
        reply: what to say in place of the fault's own reply.
    """

    def __init__(self, cell: Cell, reply: str = "") -> None:
        self._cell = cell
        self._reply = reply or cell.fault.reply
        self._is_refused = False
        self._seen: dict[Place, int] = {}
        self._listener = _listen()
        self.port: int = self._listener.getsockname()[1]
        self._ending = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        #: Set when the fault has struck.
        self.struck = threading.Event()
        #: Set by the client when it has nothing under way.
        self.rest = threading.Event()
        #: What was taken: the recipients and the content of each message.
        self.taken: list[tuple[tuple[str, ...], bytes]] = []
        #: Commands that came in clear text, and so could be read by anybody.
        self.clear: list[str] = []
        self.connections = 0

    @property
    def url(self) -> str:
        """Where the peer is, as a client is to be told."""
        scheme = "lmtp" if self._cell.way.lmtp else "smtp"
        if self._cell.under_tls:
            trust = f"openssl_ca_file={default_certificate().ca_file}"
            return f"{scheme}://ann:secret@127.0.0.1:{self.port}?{trust}"
        return f"{scheme}://127.0.0.1:{self.port}?tls=none"

    def __enter__(self) -> Self:
        if self._cell.place is not Place.CONNECT:
            self._start(self._accept)
        elif self._cell.fault.name == "reset":
            self._listener.close()
        else:
            _deafen(self._listener)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), f"the peer hangs: {self._cell}"
        for one in self._sockets:
            _abandon(one)

    def _start(self, function: object, *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(connection)
        with contextlib.suppress(Gone, OSError, ssl.SSLError):
            self._talk(line)

    # --- the conversation -------------------------------------------------------------------------

    def _talk(self, line: Line) -> None:
        self._answer(line, Place.GREETING, "220 peer ESMTP\r\n")
        recipients: list[str] = []
        chunks = b""
        is_open = False
        while True:
            words = line.read_line()
            verb = words.split(" ")[0].upper()
            if not line.secured:
                self.clear.append(verb)
            match verb:
                case "EHLO" | "LHLO" | "HELO":
                    self._answer(line, Place.EHLO, self._offers(line))
                case "STARTTLS":
                    self._answer(line, Place.STARTTLS, "220 go\r\n")
                    if self._strikes(Place.HANDSHAKE):
                        line.hear_hello()
                        self._break(line, Place.HANDSHAKE, "")
                    line.secure()
                case "AUTH":
                    self._answer(line, Place.AUTH, "235 welcome\r\n")
                case "MAIL":
                    recipients, chunks, self._is_refused = [], b"", False
                    said = self._answer(line, Place.MAIL, "250 sender\r\n")
                    is_open = said.startswith("250 ")
                case "RCPT" if not is_open:
                    self._answer(line, Place.RCPT, "503 no sender\r\n")
                case "RCPT":
                    said = self._answer(line, Place.RCPT, "250 recipient\r\n")
                    if said.startswith("250 "):
                        recipients.append(words[words.index("<") + 1 : words.index(">")])
                case "DATA":
                    right = "354 go on\r\n" if recipients else "554 no recipients\r\n"
                    said = self._answer(line, Place.DATA, right)
                    if said.startswith("354"):
                        self._take(line, recipients, self._read_data(line))
                case "BDAT":
                    size = int(words.split()[1])
                    chunks += self._read_chunk(line, size)
                    if not recipients:
                        line.send("503 no recipients\r\n")
                    elif words.upper().endswith("LAST"):
                        self._take(line, recipients, chunks)
                    else:
                        line.send("250 chunk\r\n")
                case "RSET":
                    line.send("250 reset\r\n")
                case "QUIT":
                    self._answer(line, Place.QUIT, "221 bye\r\n")
                    line.farewell()
                    raise Gone
                case _:
                    line.send("500 what\r\n")

    def _offers(self, line: Line) -> str:
        way = self._cell.way
        offers = ["SIZE 100000000", "8BITMIME", "ENHANCEDSTATUSCODES"]
        offers += ["PIPELINING"] * way.pipelining + ["CHUNKING"] * way.chunking
        if self._cell.under_tls:
            offers.append("AUTH PLAIN" if line.secured else "STARTTLS")
        return "".join(f"250-{offer}\r\n" for offer in ["peer", *offers]) + "250 HELP\r\n"

    def _read_data(self, line: Line) -> bytes:
        lines = []
        while (one := line.read_line_bytes()) != b".\r\n":
            lines.append(one.removeprefix(b"."))
            if len(lines) == _SOME_LINES and self._strikes(Place.CONTENT):
                said = self._break(line, Place.CONTENT, "")
                self._is_refused = said[:1] in ("4", "5")
        return b"".join(lines)

    def _read_chunk(self, line: Line, size: int) -> bytes:
        if size > _SOME_LINES * 32:
            half = line.read(size // 2)
            if self._strikes(Place.CONTENT):
                said = self._break(line, Place.CONTENT, "")
                self._is_refused = said[:1] in ("4", "5")
            return half + line.read(size - len(half))
        return line.read(size)

    def _take(self, line: Line, recipients: list[str], content: bytes) -> None:
        """Answer the end of the content, and note the message if that says so, or may say so."""
        if self._is_refused:
            # That was the answer, only that it came early.
            self._is_refused = False
            return
        for recipient in recipients if self._cell.way.lmtp else [""]:
            whom = (recipient,) if recipient else tuple(recipients)
            # What is taken is so before anybody hears of it.
            self.taken.append((whom, content))
            place = len(self.taken) - 1
            said = self._answer(line, Place.FINAL, "250 taken\r\n", note=place)
            if said[:1] in ("4", "5"):
                self.taken[place] = ((), b"")
        if self._cell.place is Place.BETWEEN and not self.struck.is_set():
            self.rest.wait(10)
            self._break(line, Place.BETWEEN, "")

    # --- the fault --------------------------------------------------------------------------------

    def _strikes(self, place: Place) -> bool:
        """Count who comes by, and tell whether it is the one whom the fault strikes."""
        seen = self._seen[place] = self._seen.get(place, 0) + 1
        if self._cell.place is not place or self.struck.is_set():
            return False
        # The second message is struck, and of its two recipients the second.
        each = place is Place.RCPT or (place is Place.FINAL and self._cell.way.lmtp)
        return seen == (_HITS.get(place, 2) if not each else 4)

    def _answer(self, line: Line, place: Place, right: str, note: int | None = None) -> str:
        if not self._strikes(place):
            line.send(right)
            return right
        return self._break(line, place, right, note)

    def _break(self, line: Line, place: Place, right: str, note: int | None = None) -> str:
        try:
            return self._act(line, place, right, note)
        finally:
            # The client may be gone before the fault has come to its end.
            self.struck.set()

    def _act(self, line: Line, place: Place, right: str, note: int | None) -> str:
        """Do what the fault is, and give what was said instead.

        Raises:
            Gone: the conversation ends by it.
        """
        said = self._reply.format(
            right=right,
            half=right[: len(right) // 2],
            bare=right.replace("\r\n", "\n"),
            wrong=f"{_WRONG.get(place, 250)} wrong\r\n",
        )
        match self._cell.fault.name:
            case "drop":
                line.farewell()
                self._leave(line)
            case "no close_notify":
                self._leave(line)
            case "reply, then drop":
                line.send(said)
                line.farewell()
                self._leave(line, reads=True)
            case "reply, then TLS ends":
                line.send(said)
                self._leave(line, reads=True)
            case "cut TLS":
                line.send(said)
                self._leave(line, reads=True)
            case "reset":
                self.struck.set()
                _abandon(line.socket)
                raise Gone
            case "half-close":
                self._leave(line, reads=True)
            case "half a reply" | "421":
                if note is not None and said.startswith("421"):
                    self.taken[note] = ((), b"")
                line.send(said)
                line.farewell()
                self._leave(line, reads=True)
            case "TLS alert":
                line.alert()
                self._leave(line, reads=True)
            case "half-open":
                _deafen(line.socket)
                self._stay(line, reads=False)
            case "stall":
                self._stay(line, reads=place is not Place.CONTENT)
            case "byte by byte":
                for character in said:
                    line.send(character)
            case "drip":
                self.struck.set()
                for character in said[:-1]:
                    line.send(character)
                    if self._ending.wait(0.05):
                        break
                self._stay(line, reads=False)
            case "8-bit text":
                line.send_bytes(said.encode().replace(b"\r\n", b" \xff\xfe\r\n"))
            case "endless line" | "endless reply":
                self.struck.set()
                while True:
                    line.send(said)
            case _:
                line.send(said)
        return said

    def _leave(self, line: Line, *, reads: bool = False) -> NoReturn:
        """Close, at once or when the other side has closed too."""
        line.socket.shutdown(socket.SHUT_WR)
        self.struck.set()
        with contextlib.suppress(OSError):
            if not reads:
                # What is unread would make it a reset.
                line.socket.setblocking(False)
            while line.socket.recv(65_536):
                pass
        line.socket.close()
        raise Gone

    def _stay(self, line: Line, *, reads: bool) -> NoReturn:
        self.struck.set()
        with contextlib.suppress(OSError):
            while reads and line.socket.recv(65_536):
                pass
        self._ending.wait()
        raise Gone


def _listen() -> socket.socket:
    while True:
        listener = socket.socket()
        # What a client writes to one that reads no more is soon more than fits.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with _guard:
            if port not in _used:
                _used.add(port)
                listener.listen(16)
                return listener
        listener.close()


def _abandon(connection: socket.socket) -> None:
    """Close at once, with a reset."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _deafen(connection: socket.socket) -> None:
    """Let the system throw away whatever arrives, as if it did not."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(code))
    connection.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
