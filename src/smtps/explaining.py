"""What keeps a pool from being faster, from the time that its work took and where it went."""

from __future__ import annotations

from dataclasses import dataclass, field

from .meter import Meter
from .throttle import Throttle

__all__ = ["Explanation", "Gauge"]

# From this share of the time on, the own work is what everything else waits for.
_BUSY = 0.75
# Answers that take no longer than so many round trips say nothing of the server's own work.
_FEW_ROUND_TRIPS = 4.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """What keeps a pool from being faster."""

    #: "latency", "server", "limiter", "bandwidth", "own CPU", or "idle" before anything was sent.
    bottleneck: str
    #: A sentence with the figures.
    sentence: str

    def __str__(self) -> str:
        return f"{self.bottleneck}: {self.sentence}"


@dataclass(slots=True)
class Gauge:
    """The figures of one `send_many`. Times are those of `time.monotonic`."""

    connections: int = 1
    began: float = 0.0
    now: float = 0.0
    #: Seconds of work by the thread that drives the connections.
    cpu: float = 0.0
    #: Seconds that connections waited for the throttle.
    held_back: float = 0.0
    receipts: int = 0
    meter: Meter = field(default_factory=Meter)

    def explain(self, throttle: Throttle) -> Explanation:
        """Name what took most of the time."""
        seconds = self.now - self.began
        if not self.receipts or seconds <= 0:
            return Explanation("idle", "nothing was sent yet")
        rate = f"{self.receipts / seconds:,.0f} messages/s over {self.connections} connections"
        meter, cpu = self.meter, self.cpu / seconds
        if cpu >= _BUSY:
            return Explanation("own CPU", f"{rate}; this thread works {cpu:.0%} of the time")
        if self.held_back > max(meter.reading, meter.writing):
            limit = "" if throttle.rate is None else f" to {throttle.rate:,.1f} messages/s"
            return Explanation("limiter", f"{rate}; held back{limit}")
        if meter.writing > meter.reading:
            return Explanation(
                "bandwidth", f"{rate}; {meter.writing:,.1f} s passed until what was written left"
            )
        answer = meter.answering / max(1, meter.answered)
        sentence = (
            f"{rate}; a message is answered after {answer * 1000:,.1f} ms, EHLO after"
            f" {meter.round_trip * 1000:,.1f} ms"
        )
        is_far = answer <= _FEW_ROUND_TRIPS * meter.round_trip
        return Explanation("latency" if is_far else "server", sentence)
