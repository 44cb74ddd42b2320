"""What one path was measured to take, as a table, as JSON and as a plot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from statistics import median
from typing import Any

from .measure import ratio
from .paths import Path

__all__ = ["MEMCPY", "OWN", "STDLIB", "Result", "as_json", "draw", "markdown", "table"]

MEMCPY, STDLIB, OWN = "memcpy", "standard library", "smtps, "

_TITLES = ("", "us a call", "GB/s", "of memcpy", "times stdlib", "asked")


@dataclass
class Result:
    """The nanoseconds a call of each contender, for each round."""

    path: Path
    times: dict[str, list[float]]

    def microseconds(self, name: str) -> float:
        """Give the median of a call."""
        return median(self.times[name]) / 1000

    def rate(self, name: str) -> float:
        """Give GB of input a second."""
        return len(self.path.data) / median(self.times[name])

    def against(self, name: str, other: str) -> float:
        """Give how many times as fast one is as another."""
        return ratio(self.times[name], self.times[other])

    def goal(self, name: str) -> tuple[float, float] | None:
        """Give what was asked of an implementation, and what it reached."""
        of, wanted = self.path.goals.get(name.removeprefix(OWN), ("", 0.0))
        if not of:
            return None
        return wanted, self.against(name, MEMCPY if of == "memcpy" else STDLIB)


def table(result: Result) -> str:
    """Give the path in columns; what falls short of its goal says so."""
    rows = [_TITLES, *(_row(result, name) for name in result.times)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = [f"{result.path.title}, {len(result.path.data):,} bytes"]
    for name, *cells in rows:
        right = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append(f"  {name.ljust(widths[0])}  {right}".rstrip())
    return "\n".join(lines)


def _row(result: Result, name: str) -> tuple[str, ...]:
    goal = result.goal(name)
    asked = "" if goal is None else f"{goal[0]:g}{'' if goal[1] >= goal[0] else ', missed'}"
    return (
        name,
        f"{result.microseconds(name):,.2f}",
        f"{result.rate(name):.2f}",
        f"{result.against(name, MEMCPY):.3f}",
        f"{result.against(name, STDLIB):,.1f}",
        asked,
    )


def as_json(result: Result) -> dict[str, Any]:
    """Give what can be saved."""
    return {
        "path": result.path.title,
        "bytes": len(result.path.data),
        "contenders": {
            name: {
                "microseconds": round(result.microseconds(name), 4),
                "gigabytes_per_second": round(result.rate(name), 4),
                "of_memcpy": round(result.against(name, MEMCPY), 4),
                "times_stdlib": round(result.against(name, STDLIB), 2),
                "rounds": len(times),
            }
            for name, times in result.times.items()
        },
    }


def markdown(saved: dict[str, Any]) -> str:
    """Give a path that was saved as a Markdown table."""
    lines = [
        f"### {saved['path']}, {saved['bytes']:,} bytes",
        "",
        "|  | µs a call | GB/s | of memcpy | times standard library |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, one in saved["contenders"].items():
        shown = f"**{name}**" if name.startswith(OWN) else name
        lines.append(
            f"| {shown} | {one['microseconds']:,.2f} | {one['gigabytes_per_second']:.2f} |"
            f" {one['of_memcpy']:.3f} | {one['times_stdlib']:,.1f} |"
        )
    return "\n".join(lines)


def draw(results: list[Result], target: FilePath, *, dark: bool) -> None:
    """Draw a panel a path, a bar a contender, on a scale of powers of ten."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    heights = [len(result.times) + 1.6 for result in results]
    ink = "#e6edf3" if dark else "#1f2328"
    style: Any = {
        "text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": ink,
        "xtick.color": ink, "ytick.color": ink, "svg.hashsalt": "smtps", "font.size": 9,
    }  # fmt: skip
    with pyplot.rc_context(style):
        figure, panels = pyplot.subplots(
            len(results), 1, figsize=(8, 0.22 * sum(heights) + 0.4), squeeze=False,
            height_ratios=heights, layout="constrained",
        )  # fmt: skip
        for axes, result in zip(panels[:, 0], results, strict=True):
            _panel(axes, result)
        figure.savefig(target, transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def _panel(axes: Any, result: Result) -> None:
    names = list(reversed(result.times))
    rates = [result.rate(name) for name in names]
    colours = [
        "#868e96" if name == MEMCPY else "#d9480f" if name.startswith(OWN) else "#5c7cfa"
        for name in names
    ]
    axes.barh(names, rates, color=colours, log=True, height=0.7)
    for place, rate in enumerate(rates):
        axes.annotate(f" {rate:.3g}", (rate, place), va="center", fontsize=8)
    axes.set_title(f"GB of input a second: {result.path.title}", fontsize=9, loc="left")
    axes.set_xlim(min(rates) / 3, max(rates) * 4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.minorticks_off()
