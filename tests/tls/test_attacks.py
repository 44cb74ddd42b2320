"""Attacks on the way into TLS: nothing that matters is ever said in clear text."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

import pytest

from smtps import (
    ConnectionLost,
    Envelope,
    MessageRefused,
    ProtocolError,
    SMTPSError,
    TimedOut,
    TLSError,
)
from smtps.testing import Fault, Sink
from tests.support.chains import Chains
from tests.support.fronts import Front
from tests.support.secured import WAYS, client, fails
from tests.support.servers import free_port

pytestmark = pytest.mark.usefixtures("resolves")

EHLO = b"250-relay\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"


def shown(chains: Chains) -> Any:
    return chains.serve(chains.leaf("relay.example"))


@pytest.mark.parametrize("way", WAYS)
def test_starttls_that_was_stripped_ends_the_connection(
    front: Front, chains: Chains, way: str
) -> None:
    stripped = Fault(on="EHLO", reply=b"250-relay\r\n250 AUTH PLAIN LOGIN\r\n")
    with Sink(tls="starttls", certificate=shown(chains), faults=[stripped]) as sink:
        smtp = client(front, sink, "relay.example", chains, way)
        assert "does not offer STARTTLS" in str(fails(front, smtp, sink))


@pytest.mark.parametrize("answer", ["454 4.7.0 not now", "501 no", "250 ok", "530 no", "354 go"])
def test_starttls_that_is_refused_ends_the_connection(
    front: Front, chains: Chains, answer: str
) -> None:
    refusal = Fault(on="STARTTLS", reply=answer)
    with Sink(tls="starttls", certificate=shown(chains), faults=[refusal]) as sink:
        error = fails(front, client(front, sink, "relay.example", chains), sink)
        assert isinstance(error, TLSError)
        assert error.reply is not None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "injected", [EHLO, b"250-evil\r\n", b"x", b"220 again\r\n", b"235 welcome\r\n" * 1000, b"\0"]
)
def test_what_is_injected_behind_the_220_ends_the_connection(
    front: Front, chains: Chains, way: str, injected: bytes
) -> None:
    evil = Fault(on="STARTTLS", reply=b"220 go ahead\r\n", inject=injected)
    with Sink(tls="starttls", certificate=shown(chains), faults=[evil]) as sink:
        error = fails(front, client(front, sink, "relay.example", chains, way), sink)
        assert isinstance(error, ProtocolError)


def test_capabilities_of_the_clear_text_are_forgotten(front: Front, chains: Chains) -> None:
    evil = Fault(on="EHLO", nth=1, reply=EHLO.replace(b"250 AUTH", b"250-CHUNKING\r\n250 AUTH"))
    plain = Fault(on="EHLO", nth=2, reply=b"250-relay\r\n250 AUTH PLAIN\r\n")
    with Sink(tls="starttls", certificate=shown(chains), faults=[evil, plain]) as sink:
        smtp = client(front, sink, "relay.example", chains)
        front.connect(smtp)
        assert not smtp.capabilities.chunking
        assert [line for line in sink.commands if line.startswith("EHLO")] != []


def test_clear_text_after_the_220_is_no_handshake(front: Front, chains: Chains) -> None:
    with scripted(
        [b"220 relay\r\n", EHLO, b"220 go\r\n", b"250-evil\r\n250 AUTH PLAIN LOGIN\r\n"]
    ) as (port, heard):
        smtp = front.make(
            mail_server="127.0.0.1", mail_port=port, ssl_start_mode=2, user="u", password="secret"
        )
        with pytest.raises(SMTPSError):
            front.connect(smtp)
        assert not smtp.connected
    assert b"AUTH" not in b"".join(heard)
    assert b"MAIL" not in b"".join(heard)


def test_tls_on_a_port_in_clear_text_names_the_way_out(front: Front) -> None:
    with Sink() as sink:
        smtp = front.make(mail_server="127.0.0.1", mail_port=sink.port, ssl_start_mode=1)
        with pytest.raises(TLSError, match="STARTTLS"):
            front.connect(smtp)


@pytest.mark.parametrize(
    "ending", [Fault(on="handshake", drop=True), Fault(on="handshake", reset=True)]
)
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("way", WAYS)
def test_a_close_in_the_handshake_is_an_error(
    front: Front, chains: Chains, ending: Fault, tls: Any, way: str
) -> None:
    with Sink(tls=tls, certificate=shown(chains), faults=[ending]) as sink:
        error = fails(front, client(front, sink, "relay.example", chains, way), sink)
        # A reset can be so quick that no connection is seen to have been there.
        assert isinstance(error, (TLSError, ConnectionError))


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_handshake_without_end_times_out(front: Front, chains: Chains, tls: Any) -> None:
    stall = Fault(on="handshake", stall=True)
    with Sink(tls=tls, certificate=shown(chains), faults=[stall]) as sink:
        smtp = client(front, sink, "relay.example", chains, timeout=0.2)
        with pytest.raises(TimedOut):
            front.connect(smtp)
        assert not smtp.connected


def test_an_alert_is_told_in_its_words(front: Front, chains: Chains) -> None:
    certificate = shown(chains)
    certificate.context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    certificate.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Sink(tls="starttls", certificate=certificate) as sink:
        smtp = client(
            front, sink, "relay.example", chains, openssl_cipher_list="ECDHE-RSA-AES128-GCM-SHA256"
        )
        error = fails(front, smtp, sink)
        assert isinstance(error, TLSError)
        assert "alert" in str(error)


# --- the end of TLS -------------------------------------------------------------------------------

ITEM = (Envelope("a@b.example", ["c@d.example"]), b"Subject: x\r\n\r\nx\r\n")


def test_an_end_without_farewell_behind_the_final_reply_is_sent(
    front: Front, chains: Chains
) -> None:
    cut = Fault(on=".", reply="250 2.0.0 taken", drop=True)
    with Sink(tls="implicit", certificate=shown(chains), faults=[cut]) as sink:
        smtp = client(front, sink, "relay.example", chains)
        assert front.send(smtp, ITEM).ok


@pytest.mark.parametrize("words", [b"250 2.0.0 tak", b"250-2.0.0 taken\r\n", b"250"])
def test_an_end_inside_the_final_reply_is_not_taken_for_it(
    front: Front, chains: Chains, words: bytes
) -> None:
    cut = Fault(on=".", reply=words, drop=True)
    with Sink(tls="implicit", certificate=shown(chains), faults=[cut]) as sink:
        smtp = client(front, sink, "relay.example", chains)
        with pytest.raises(SMTPSError) as caught:
            front.send(smtp, ITEM)
        assert caught.value.receipt is not None
        assert caught.value.receipt.unknown == ("c@d.example",)


def test_an_end_inside_a_refusal_is_not_taken_for_it(front: Front, chains: Chains) -> None:
    cut = Fault(on=".", reply=b"554 no", drop=True)
    with Sink(tls="implicit", certificate=shown(chains), faults=[cut]) as sink:
        smtp = client(front, sink, "relay.example", chains)
        with pytest.raises(SMTPSError) as caught:
            front.send(smtp, ITEM)
        assert not isinstance(caught.value, MessageRefused)


@pytest.mark.parametrize(
    ("order", "version"), [("k", "TLSv1.3"), ("K", "TLSv1.3"), ("r", "TLSv1.2"), ("R", "TLSv1.2")]
)
def test_new_keys_are_taken_and_a_renegotiation_is_not(
    front: Front, chains: Chains, order: str, version: str
) -> None:
    """The orders of `openssl s_server`: KeyUpdate, also of the client's keys; renegotiate."""
    path = chains.serve(chains.leaf("relay.example", by=chains.root)).pem_file
    with OpenSSLServer(path, "-no_tls1_3" if version == "TLSv1.2" else "-tls1_3") as server:
        smtp = front.make(
            mail_server="relay.example",
            mail_port=server.port,
            ssl_start_mode=1,
            openssl_ca_file=chains.ca_file,
            timeout=10,
            hello="client.example",
        )
        server.answer("", "220 relay")
        server.answer("EHLO", f"{order}\n250 relay")
        server.answer("QUIT", "221 bye")
        if version == "TLSv1.3":
            front.connect(smtp)
            front.disconnect(smtp)
            assert server.said("QUIT")
        else:
            # OpenSSL's server gives up on a client that does not renegotiate.
            with pytest.raises(ConnectionLost):
                front.connect(smtp)


def test_damaged_records_are_an_error_of_decryption(front: Front, chains: Chains) -> None:
    with Sink(tls="implicit", certificate=shown(chains)) as sink, damaging(sink.port) as port:
        smtp = client(front, sink, "relay.example", chains)
        smtp.mail_port = port
        with pytest.raises(ConnectionLost) as caught:
            front.connect(smtp)
        assert caught.value.code == 284
        assert sink.connections[0].commands == []


# --- servers of their own -------------------------------------------------------------------------


class OpenSSLServer:
    """`openssl s_server`, which answers lines by lines."""

    def __init__(self, pem_file: str, *options: str) -> None:
        self.port = free_port()
        self._answers: list[tuple[str, str]] = []
        self._heard = ""
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-crlf"]
        self._process = subprocess.Popen(
            [*command, "-cert", pem_file, "-key", pem_file, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        while self._process.stdout.readline().strip() != "ACCEPT":
            pass
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._thread.join(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    def answer(self, heard: str, say: str) -> None:
        """Say this once that was heard; the first answer is given to the connection itself."""
        self._answers.append((heard or "-----BEGIN SSL SESSION", say))

    def said(self, text: str) -> bool:
        return text in self._heard

    def _talk(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        for line in self._process.stdout:
            self._heard += line
            if self._answers and self._answers[0][0] in line:
                _, say = self._answers.pop(0)
                for order in say.split("\n"):
                    # An order is one that fills a read of its own.
                    with suppress(BrokenPipeError):
                        self._process.stdin.write(order + "\n")
                        self._process.stdin.flush()
                    time.sleep(0.05)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def scripted(replies: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Say one thing after another, each as the answer to whatever came."""
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(replies[0])
        for reply in replies[1:]:
            heard.append(connection.recv(65536))
            connection.sendall(reply)
        try:
            while data := connection.recv(65536):
                heard.append(data)
        except ConnectionError:
            pass

    with listening(serve) as port:
        yield port, heard


@contextmanager
def damaging(port: int) -> Iterator[int]:
    """Pass everything on, and turn one bit in the last byte of the second flight of the server."""

    def serve(client_side: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server_side:

            def upwards() -> None:
                try:
                    while data := client_side.recv(65536):
                        server_side.sendall(data)
                except OSError:
                    pass
                server_side.close()

            thread = threading.Thread(target=upwards, daemon=True)
            thread.start()
            flights = 0
            try:
                while data := server_side.recv(65536):
                    flights += 1
                    if flights > 1:
                        data = data[:-1] + bytes([data[-1] ^ 1])
                    client_side.sendall(data)
            except OSError:
                pass
            thread.join(10)

    with listening(serve) as own:
        yield own
