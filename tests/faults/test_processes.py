"""Other processes, threads and interpreters: what is shared works or is refused, and all ends.

Each program runs by itself, as it is about how it begins and ends.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from smtps.testing import Fault, Sink

_HEAD = """
import asyncio, sys, threading
import smtps
from smtps import SMTPS, AsyncPool, AsyncSMTPS, Envelope, Outbox, Pool

url, folder = sys.argv[1:3]

def item(number=0):
    envelope = Envelope(f"s{number}@a.example", ["r@b.example"])
    return envelope, b"Subject: %d\\r\\n\\r\\nx\\r\\n" % number
"""


def run(program: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "program.py"
    path.write_text(_HEAD + program)
    return subprocess.run(
        [sys.executable, "-X", "dev", str(path), url, str(folder)],
        capture_output=True,
        text=True,
        timeout=110,
    )


# --- the end of the interpreter -------------------------------------------------------------------

#: What is under way when the main thread comes to its end; the server has stalled by then.
ENDS = {
    "a connection is open": "smtp = SMTPS.from_url(url); smtp.connect(); done.set()",
    "a pool is open": "pool = Pool(url); pool.send(item()); done.set()",
    "an iterator is left": "next(found := Pool(url).send_many(map(item, range(9)))); done.set()",
    "a daemon thread sends": """
def work():
    smtps.send(item(), url)
threading.Thread(target=work, daemon=True).start()
""",
    "a daemon thread sends many": """
def work():
    list(Pool(url).send_many(map(item, range(9))))
threading.Thread(target=work, daemon=True).start()
""",
    "a daemon thread runs a queue": """
outbox = Outbox(folder)
outbox.put(item())
def work():
    outbox.run(SMTPS.from_url(url))
threading.Thread(target=work, daemon=True).start()
""",
    "a loop in a daemon thread sends": """
async def send():
    async with AsyncPool(url) as pool:
        await pool.send(item())
threading.Thread(target=lambda: asyncio.run(send()), daemon=True).start()
""",
}
#: Those after which the server hears something; the others send before it stalls.
_STALLED = [name for name in ENDS if "daemon" in name]


@pytest.mark.parametrize("what", ENDS)
def test_an_interpreter_ends_at_once_whatever_is_under_way(what: str, tmp_path: Path) -> None:
    wait = "done = threading.Event()\n" + ENDS[what]
    faults = [Fault(on=".", stall=True)] if what in _STALLED else []
    # It says so itself when the server has the message and does not answer.
    look = "\nimport socket\nsocket.create_connection(('127.0.0.1', int(sys.argv[3]))).recv(1)\n"
    with Sink(faults=faults) as sink:
        program = _HEAD + wait + (look if what in _STALLED else "\ndone.wait()\n")
        path = tmp_path / "program.py"
        path.write_text(program)
        with _Bell() as bell:
            process = subprocess.Popen(
                [sys.executable, str(path), f"{sink.url}&timeout=600", str(tmp_path), bell.port],
                stderr=subprocess.PIPE,
                text=True,
            )
            if what in _STALLED:
                sink.wait_until(
                    lambda: any("BDAT" in one or "DATA" in one for one in sink.commands)
                )
                bell.ring()
            _, said = process.communicate(timeout=60)
    # A thread that Python itself stops in its tracks can say so; ours says nothing.
    assert (process.returncode, said) == (0, "")


class _Bell:
    """Lets a program go on."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self._listener.getsockname()[1])

    def ring(self) -> None:
        connection, _ = self._listener.accept()
        connection.sendall(b"!")
        connection.close()

    def __enter__(self) -> _Bell:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()


def test_threads_that_are_no_daemons_bring_their_work_to_its_end(tmp_path: Path) -> None:
    program = """
def work(begin):
    with Pool(url, connections=2) as pool:
        assert all(one.ok for one in pool.send_many(map(item, range(begin, begin + 50))))
for begin in (0, 50, 100):
    threading.Thread(target=work, args=(begin,)).start()
"""
    with Sink() as sink:
        done = run(program, sink.url, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        senders = sorted(message.sender for message in sink.messages)
    assert senders == sorted(f"s{number}@a.example" for number in range(150))


# --- other processes ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_messages_and_receipts_cross_to_processes_that_send(method: str, tmp_path: Path) -> None:
    program = """
import multiprocessing

def work(given):
    with Pool(url) as pool:
        return pool.send(given)

if __name__ == "__main__":
    # What is open here is not the child's, however that comes to be.
    pool = Pool(url)
    pool.send(item(99))
    with multiprocessing.get_context("METHOD").Pool(2) as workers:
        receipts = workers.map(work, [item(number) for number in range(6)])
    assert [one.sender for one in receipts] == [f"s{number}@a.example" for number in range(6)]
    assert all(one.ok for one in receipts)
    assert pool.send(item(100)).ok
    pool.close()
"""
    with Sink() as sink:
        done = run(program.replace("METHOD", method), sink.url, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        senders = sorted(int(message.sender[1:].partition("@")[0]) for message in sink.messages)
    assert senders == [*range(6), 99, 100]


@pytest.mark.parametrize("what", ["SMTPS.from_url(url)", "Pool(url)"])
def test_what_holds_a_connection_does_not_cross_and_says_so(what: str, tmp_path: Path) -> None:
    program = f"""
import multiprocessing

def work(given):
    return None

if __name__ == "__main__":
    held = {what}
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        try:
            workers.map(work, [held])
        except TypeError as error:
            print(error)
"""
    with Sink() as sink:
        done = run(program, sink.url, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is not pickled" in done.stdout
    assert "make one where it is used" in done.stdout


# --- other interpreters ---------------------------------------------------------------------------


def test_a_subinterpreter_sends_or_is_refused_and_the_main_one_goes_on(tmp_path: Path) -> None:
    program = '''
import warnings
warnings.simplefilter("ignore")
try:
    import _interpreters
except ImportError:
    try:
        import _xxsubinterpreters as _interpreters
    except ImportError:
        print("there are none")
        sys.exit()

inner = f"""
try:
    import smtps
    item = smtps.Envelope("a@b.example", ["c@d.example"]), b"Subject: x"
    print("sent", smtps.send(item, {url!r}).ok, flush=True)
except ImportError as error:
    print("refused:", error, flush=True)
"""
for _ in range(3):
    interpreter = _interpreters.create()
    assert not _interpreters.run_string(interpreter, inner)
    _interpreters.destroy(interpreter)
print("sent", smtps.send(item(), url).ok)
'''
    with Sink() as sink:
        done = run(program, sink.url, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    *inside, outside = done.stdout.splitlines()
    assert outside in ("sent True", "there are none")
    for line in inside:
        assert line == "sent True" or (line.startswith("refused: ") and "interpreter" in line)
