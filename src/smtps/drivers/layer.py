"""TLS over a non-blocking socket, with many records for each call of the system.

Python's `SSLSocket` makes a call for each record that it writes and two for each that it reads, and
a server that is near answers every one of them by itself. Here a piece of many records is encrypted
into memory and written at once, and all that has arrived is read at once.
"""

from __future__ import annotations

import socket
import ssl

__all__ = ["RECORD", "Layer"]

#: The most plain text of one TLS record. RFC 8446, section 5.1.
RECORD = 16384
# How much is encrypted before it is written, and the most that is read at a time.
_PIECE = 65536


class Layer:
    """The TLS of one connection.

    Args:
        connection: the socket, which stays the driver's to close and to wait for.
        session: one to resume, if there is one.
    """

    def __init__(
        self,
        connection: socket.socket,
        context: ssl.SSLContext,
        server_name: str,
        session: ssl.SSLSession | None,
    ) -> None:
        self._connection = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_name, session=session
        )
        self._room = memoryview(bytearray(_PIECE))
        # What is encrypted and not yet written.
        self._unsent = memoryview(b"")
        #: How many encrypted bytes the system took since somebody set this to 0.
        self.gone = 0
        self._has_ended = False
        # What broke behind bytes that are whole.
        self._broke: ssl.SSLError | None = None

    def shake_hands(self) -> None:
        """Go on with the handshake until it is done and the server was told.

        Raises:
            SSLWantReadError: it waits for the server.
            BlockingIOError: it waits until more can be written.
            OSError: it failed.
        """
        self.flush()
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                self._fetch()
            except OSError:
                # An alert tells the server why.
                self._flush_if_possible()
                raise
            else:
                break
        self.flush()

    @property
    def holds_data(self) -> bool:
        """Whether something is here to be read that the socket would not tell of."""
        return self._incoming.pending > 0 or self._has_ended or self._broke is not None

    def recv(self) -> bytes:
        """Take what has arrived; b"" when the server has closed.

        Raises:
            SSLWantReadError: nothing is here.
            OSError: the connection broke.
        """
        if self._broke is not None:
            raise self._broke
        data = self._decrypt() if self._incoming.pending or self._has_ended else None
        if data is None:
            self._fetch()
            data = self._decrypt()
        if data is None:
            raise ssl.SSLWantReadError
        return data

    @property
    def owes(self) -> bool:
        """Whether something that is encrypted is not yet written."""
        return bool(self._unsent)

    def send(self, data: memoryview) -> int:
        """Encrypt a piece of `data`, write what the system takes now, and tell how much that was.

        What it does not take is kept, and written before the next piece.

        Raises:
            BlockingIOError: not all of the last piece is written, and nothing of this was taken.
            OSError: the connection broke.
        """
        if self._unsent:
            self.flush()
        if not data:
            return 0
        taken = self.tls.write(data[:_PIECE])
        try:
            self.flush()
        except BlockingIOError:
            pass  # `owes` tells.
        return taken

    def flush(self) -> None:
        """Write what is encrypted.

        Raises:
            BlockingIOError: the system does not take all of it now.
        """
        while self._unsent or self._outgoing.pending:
            if not self._unsent:
                self._unsent = memoryview(self._outgoing.read())
            sent = self._connection.send(self._unsent)
            self.gone += sent
            self._unsent = self._unsent[sent:]

    def _flush_if_possible(self) -> None:
        try:
            self.flush()
        except OSError:
            pass  # It goes with the next write, or the connection is lost in any case.

    def _fetch(self) -> None:
        """Take encrypted bytes from the socket.

        Raises:
            SSLWantReadError: there are none.
        """
        try:
            size = self._connection.recv_into(self._room)
        except BlockingIOError:
            raise ssl.SSLWantReadError from None
        if size:
            self._incoming.write(self._room[:size])
        else:
            self._incoming.write_eof()

    def _decrypt(self) -> bytes | None:
        """Give what is whole of all that was fetched; None if nothing is."""
        tls = self.tls
        pieces = []
        try:
            while not self._has_ended:
                piece = tls.read(RECORD)
                if piece:
                    pieces.append(piece)
                    # To ask for more where nothing is would cost an exception.
                    if not self._incoming.pending and not tls.pending():
                        break
                else:
                    self._has_ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            if not pieces:
                raise
            # What was whole before an alert, or before an end without one, counts.
            self._broke = error
        finally:
            # The answer to a new key, or an alert that tells the server what broke.
            if self._outgoing.pending:
                self._flush_if_possible()
        if not pieces and not self._has_ended:
            return None
        return b"".join(pieces) if len(pieces) != 1 else pieces[0]
