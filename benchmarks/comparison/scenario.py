"""What is compared: which messages, which server, and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass

from .works import FINISHED, WORKS

__all__ = ["QUICK", "SCENARIOS", "Scenario", "matching"]


@dataclass(frozen=True, order=True)
class Scenario:
    """One table.

    Args:
        server: "sink", the discarding server in C, or "postfix", a real one.
        round_trip: the delay of a round trip in milliseconds; 0 is the loopback as it is.
        work: the name of what is sent.
    """

    server: str
    tls: bool
    connections: int
    round_trip: float
    work: str = FINISHED

    @property
    def key(self) -> str:
        """Its name in files and on the command line."""
        security = "tls" if self.tls else "plain"
        if self.composes:
            return f"{self.work}-{security}"
        return f"{self.server}-{security}-{self.connections}-{self.round_trip:g}ms"

    @property
    def composes(self) -> bool:
        """Whether clients make the messages themselves."""
        return WORKS[self.work].composes

    @property
    def title(self) -> str:
        """Its name for people."""
        work = WORKS[self.work]
        if self.composes:
            way = f", {'TLS' if self.tls else 'clear text'}" if work.varies else ""
            return f"{work.title}{way}"
        server = "a real Postfix" if self.server == "postfix" else "a discarding sink"
        connections = (
            "one connection" if self.connections == 1 else f"{self.connections} connections"
        )
        delay = f"{self.round_trip:g} ms of round trip" if self.round_trip else "loopback"
        return f"{connections}, {'TLS' if self.tls else 'clear text'}, {delay}, into {server}"


SCENARIOS = tuple(
    Scenario("sink", tls, connections, round_trip)
    for round_trip in (0, 1, 20, 50)
    for tls in (True, False)
    for connections in (1, 8)
) + tuple(Scenario("postfix", True, 1, round_trip) for round_trip in (0, 20))

SCENARIOS += tuple(
    Scenario("sink", tls, 1, 0, name)
    for name, work in WORKS.items()
    if work.composes
    for tls in (False, True)
    if work.varies or not tls
)

QUICK = (Scenario("sink", True, 1, 0), Scenario("sink", True, 1, 20))


def matching(names: list[str]) -> list[Scenario]:
    """Give the scenarios whose keys hold one of the names, or that are named by parts of it.

    "tls-1-0ms" names one of each server, "sink-plain" eight.

    Raises:
        ValueError: a name fits none; the message lists those there are.
    """
    found = []
    for name in names:
        fits = [one for one in SCENARIOS if f"-{name}-" in f"-{one.key}-"]
        if not fits:
            keys = ", ".join(one.key for one in SCENARIOS)
            raise ValueError(f"no scenario fits {name!r}; there are {keys}")
        found += fits
    return list(dict.fromkeys(found))
