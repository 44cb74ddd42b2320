"""Draw what was measured: a panel a scenario, a bar a client, on a scale of powers of ten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .clients import CLIENTS
from .record import Entry
from .table import in_digits
from .works import WORKS

__all__ = ["draw"]

_OWN, _PEER, _BOUND = "#d9480f", "#5c7cfa", "#868e96"


def draw(entries: list[Entry], target: Path, *, dark: bool) -> None:
    """Write a plot of these scenarios.

    Raises:
        SystemExit: matplotlib is missing.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise SystemExit("the plot needs matplotlib: pip install '.[bench]'") from None
    mpl.use("Agg")
    from matplotlib import pyplot

    ink = "#e6edf3" if dark else "#1f2328"
    style: Any = {
        "text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink,
        "xtick.color": ink, "ytick.color": ink, "svg.hashsalt": "smtps", "font.size": 9,
    }  # fmt: skip
    columns = min(2, len(entries))
    rows = -(-len(entries) // columns)
    bars = max(len(entry.figures) for entry in entries)
    with pyplot.rc_context(style):
        figure, panels = pyplot.subplots(
            rows, columns, figsize=(4.6 * columns, (0.19 * bars + 0.7) * rows),
            squeeze=False, layout="constrained",
        )  # fmt: skip
        units = dict.fromkeys(WORKS[entry.scenario.work].unit for entry in entries)
        figure.suptitle(", ".join(units), fontsize=10)
        for axes, entry in zip(panels.flat, entries, strict=False):
            _panel(axes, entry)
        for axes in panels.flat[len(entries) :]:
            axes.remove()
        # Without a date of its own the same figures make the same file.
        figure.savefig(target, transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def _panel(axes: Any, entry: Entry) -> None:
    clients = [one for one in reversed(CLIENTS) if one.name in entry.figures]
    scale = WORKS[entry.scenario.work].scale
    rates = [entry.figures[one.name].rate * scale for one in clients]
    colours = [
        _PEER if one.is_peer else _OWN if one.name.startswith("smtps") else _BOUND
        for one in clients
    ]
    axes.barh([one.name for one in clients], rates, color=colours, log=True, height=0.7)
    for place, rate in enumerate(rates):
        axes.annotate(f" {in_digits(rate)}", (rate, place), va="center", fontsize=8)
    axes.set_title(entry.scenario.title, fontsize=8, loc="right")
    axes.set_xlim(min(rates) / 3, max(rates) * 4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.minorticks_off()
