"""Run a client once, and prove that the server took every message."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from pathlib import Path

from . import affinity
from .clients import Client
from .figures import Run
from .job import Job
from .native import FOLDER
from .places import Place, Taken
from .scenario import Scenario
from .works import WORKS

__all__ = ["Failed", "difference", "prove", "run_once"]

_TIMEOUT = 100.0


class Failed(Exception):
    """A client did not deliver what it was asked to; the text says what it did."""


def run_once(client: Client, scenario: Scenario, place: Place, content: Path, messages: int) -> Run:
    """Let a client send so many messages.

    A foreign tool cannot leave out what it takes to connect, so it runs twice: once with one
    message for each connection, once with as many more as were asked for. The difference counts.

    Raises:
        Failed: it said so, took too long, or the server took another number of them.
    """
    if not client.is_foreign:
        return _run_proven(client, scenario, place, content, messages)
    few = scenario.connections
    short = _run_proven(client, scenario, place, content, few)
    long = _run_proven(client, scenario, place, content, few + messages)
    return difference(long, short)


def difference(long: Run, short: Run) -> Run:
    """Give what the longer run took for the messages that it has more.

    Raises:
        Failed: it took no longer, so that nothing can be said.
    """
    if long.seconds <= short.seconds:
        raise Failed("a long run took no longer than a short one")
    return Run(
        long.messages - short.messages,
        long.seconds - short.seconds,
        max(0.0, long.cpu - short.cpu),
    )


def _run_proven(
    client: Client, scenario: Scenario, place: Place, content: Path, messages: int
) -> Run:
    job = Job(
        host=place.host,
        port=place.port(scenario.tls, client.chunking),
        tls=scenario.tls,
        ca_file=place.ca_file,
        connections=scenario.connections,
        messages=messages,
        content=str(content),
        variant=client.variant,
        work=scenario.work,
    )
    before = place.taken(client.chunking)
    start, cpu = time.perf_counter(), _cpu_of_children()
    said = _run([*place.client, *client.command(job)])
    seconds, cpu = time.perf_counter() - start, _cpu_of_children() - cpu
    after = place.taken(client.chunking)
    if client.is_foreign:
        sent, run = messages, Run(messages, seconds, cpu)
    else:
        measured = json.loads(said.splitlines()[-1])
        sent = measured.get("sent", messages)
        peak = measured.get("peak", 0.0)
        run = Run(measured["messages"], measured["seconds"], measured["cpu"], peak)
    is_own = client.is_foreign or scenario.composes
    size = None if is_own else content.stat().st_size
    prove(before, after, sent, size, WORKS[scenario.work].octets)
    return run


def prove(before: Taken, after: Taken, sent: int, size: int | None, least: int = 0) -> None:
    """Check that the server took every message, and nothing else.

    Args:
        size: the octets of a message; None if the client makes its own.
        least: how many octets it has in any case.

    Raises:
        Failed: it took more or fewer messages or octets.
    """
    messages = after.messages - before.messages
    if messages != sent:
        raise Failed(f"the server took {messages} of {sent} messages")
    if after.bytes is None or before.bytes is None:
        return
    octets = after.bytes - before.bytes
    if octets < sent * least:
        raise Failed(f"the server took {octets} octets, and the texts alone have {sent * least}")
    if size is not None and octets != sent * size:
        raise Failed(f"the server took {octets} octets instead of {sent * size}")


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _run(command: list[str]) -> str:
    environment = {**os.environ, "PYTHONPATH": str(FOLDER)}
    with affinity.on(affinity.client_cpus()):
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    try:
        said, complaint = process.communicate(timeout=_TIMEOUT)
    except BaseException as error:
        process.kill()
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise Failed(f"not done after {_TIMEOUT:g} seconds") from None
        raise
    if process.returncode:
        lines = complaint.strip().splitlines() or [f"exit status {process.returncode}"]
        raise Failed(lines[-1])
    return said
