"""A run counts only if the server took every message, and nothing else."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization as serial

from benchmarks.comparison import affinity
from benchmarks.comparison.clients import CLIENTS, Client
from benchmarks.comparison.emails import compose as compose_email
from benchmarks.comparison.emails import signed
from benchmarks.comparison.figures import Run
from benchmarks.comparison.job import SENDER, Job, make_content, recipient
from benchmarks.comparison.measure import Failed, difference, prove, run_once
from benchmarks.comparison.orders import Order
from benchmarks.comparison.places import Place, Places, Taken
from benchmarks.comparison.plan import compare
from benchmarks.comparison.progress import Progress
from benchmarks.comparison.scenario import Scenario
from benchmarks.comparison.works import WORKS
from tests.support.servers import require

LOOPBACK = Scenario("sink", True, 1, 0)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with Places() as places:
        yield places.find(LOOPBACK)


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "message"
    path.write_bytes(make_content(1024))
    return path


def client(name: str) -> Client:
    (found,) = (one for one in CLIENTS if one.name == name)
    return found


def saying(text: str) -> Client:
    """Give a client that sends nothing and prints this."""
    command = [sys.executable, "-c", f"print({text!r})"]
    return Client("idle", lambda job: command, lambda: "")


@pytest.mark.parametrize("size", [100, 1023, 1024, 1025, 1088, 50_000])
def test_a_message_has_the_size_that_is_asked_for(size: int) -> None:
    content = make_content(size)
    assert len(content) == size
    assert content.endswith(b"\r\n")
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) < 998


def test_a_message_without_room_for_its_header_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least"):
        make_content(20)


def test_the_connections_share_the_messages() -> None:
    job = Job("", 0, True, "", connections=3, messages=8, content="")
    assert [list(share) for share in job.shares()] == [[0, 3, 6], [1, 4, 7], [2, 5]]
    assert recipient(7) != recipient(8) != SENDER


@pytest.mark.parametrize(
    ("after", "complaint"),
    [
        (Taken(14, 5000), "took 4 of 5 messages"),
        (Taken(16, 5000), "took 6 of 5 messages"),
        (Taken(15, 4999), "took 3999 octets instead of 4000"),
    ],
)
def test_a_server_that_took_anything_else_disproves_a_run(after: Taken, complaint: str) -> None:
    with pytest.raises(Failed, match=complaint):
        prove(Taken(10, 1000), after, sent=5, size=800)


def test_a_server_that_counts_messages_alone_proves_a_run() -> None:
    prove(Taken(10, None), Taken(15, None), sent=5, size=800)


def test_octets_are_not_counted_where_the_client_makes_its_own_message() -> None:
    prove(Taken(10, 1000), Taken(15, 1001), sent=5, size=None)


@pytest.mark.parametrize("name", ["smtplib", "smtps send", "smtps send, async", "C, DATA grouped"])
@pytest.mark.parametrize("connections", [1, 3])
def test_a_client_delivers_each_message(
    place: Place, content: Path, name: str, connections: int
) -> None:
    peer = client(name)
    peer.prepare()
    run = run_once(peer, Scenario("sink", True, connections, 0), place, content, 10)
    assert run.messages == 10
    assert run.seconds > 0
    assert run.cpu > 0


@pytest.mark.parametrize("work", ["letters", "mailing", "attachment", "rsa", "ed25519"])
def test_clients_compose_what_was_ordered(place: Place, tmp_path: Path, work: str) -> None:
    scenario = Scenario("sink", False, 1, 0, work)
    order = WORKS[work].prepare(tmp_path, 0)
    names = {"smtplib", "smtps send_many", "smtps Mailing"}
    fitting = (one for one in CLIENTS if one.fits(scenario))
    for peer in (one for one in fitting if one.name in names or "sign" in one.name):
        run = run_once(peer, scenario, place, order, 2)
        assert run.messages == 2
        assert run.peak > 1


def test_what_is_smaller_than_its_own_texts_disproves_a_run() -> None:
    with pytest.raises(Failed, match="texts alone have 4000"):
        prove(Taken(0, 0), Taken(4, 3999), sent=4, size=None, least=1000)


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_the_messages_of_the_standard_library_are_signed(tmp_path: Path, algorithm: str) -> None:
    order = Order(**json.loads(WORKS[algorithm].prepare(tmp_path, 0).read_text()))
    key = Path(order.key).read_bytes()
    data = signed(compose_email(order, 7), algorithm, key)
    public = serial.load_pem_private_key(key, None).public_key()
    if algorithm == "rsa":
        raw = public.public_bytes(serial.Encoding.DER, serial.PublicFormat.SubjectPublicKeyInfo)
    else:
        raw = public.public_bytes(serial.Encoding.Raw, serial.PublicFormat.Raw)
    record = b"v=DKIM1; k=%s; p=%s" % (algorithm.encode(), base64.b64encode(raw))
    assert dkim.verify(data, dnsfunc=lambda name, timeout=5: record)


def test_smtp_source_delivers_each_message(place: Place, content: Path) -> None:
    require("smtp-source", "postfix")
    peer = client("smtp-source")
    peer.prepare()
    before = place.taken(True).messages
    run = run_once(peer, Scenario("sink", False, 2, 0), place, content, 500)
    assert run.messages == 500
    # Two of them once more, to know what connecting takes.
    assert place.taken(True).messages - before == 2 + 502


def test_a_foreign_tool_is_measured_without_what_connecting_takes() -> None:
    run = difference(Run(messages=52, seconds=5.5, cpu=0.3), Run(messages=2, seconds=0.5, cpu=0.1))
    assert (run.messages, run.seconds) == (50, 5.0)
    assert run.cpu == pytest.approx(0.2)


def test_a_long_run_that_took_no_longer_than_a_short_one_says_nothing() -> None:
    with pytest.raises(Failed, match="no longer"):
        difference(Run(10, 1.0, 1.0), Run(2, 1.0, 1.0))


def test_a_client_that_claims_more_than_the_server_took_fails(place: Place, content: Path) -> None:
    claim = '{"messages": 10, "sent": 10, "seconds": 1.0, "cpu": 1.0}'
    with pytest.raises(Failed, match="took 0 of 10"):
        run_once(saying(claim), LOOPBACK, place, content, 10)


def test_a_client_that_ends_with_an_error_fails_with_its_words(place: Place, content: Path) -> None:
    broken = Client("x", lambda job: [sys.executable, "-c", "exit('no luck')"], lambda: "")
    with pytest.raises(Failed, match="no luck"):
        run_once(broken, LOOPBACK, place, content, 10)


def test_a_client_that_fails_is_named_and_the_others_go_on(place: Place, content: Path) -> None:
    broken = Client("x", lambda job: [sys.executable, "-c", "exit('no luck')"], lambda: "")
    bound = client("C, BDAT back to back")
    bound.prepare()
    results = compare(
        LOOPBACK, [broken, bound], place, content,
        rounds=2, seconds=0.001, progress=Progress(1),
    )  # fmt: skip
    assert results.failures == {"x": "no luck"}
    assert list(results.figures) == [bound.name]
    assert results.figures[bound.name].runs == 2


def test_the_server_has_a_processor_of_its_own_where_there_are_two() -> None:
    every = os.sched_getaffinity(0)
    shared = affinity.server_cpus() & affinity.client_cpus()
    assert affinity.server_cpus() | affinity.client_cpus() == every
    assert shared == (every if len(every) == 1 else set())


def test_what_is_started_on_some_processors_leaves_the_harness_where_it_was() -> None:
    before = os.sched_getaffinity(0)
    with affinity.on(affinity.server_cpus()):
        assert os.sched_getaffinity(0) == affinity.server_cpus()
    assert os.sched_getaffinity(0) == before
