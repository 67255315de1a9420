"""The curves as a picture: time over limits and over portals, both axes logarithmic.

A line that is straight and rises by one decade in a decade is growth in proportion; a bend upwards
is the wall to look for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from benchmarks.growth import Curve

_COLOURS = ("#1f6feb", "#bf8700", "#8250df", "#1a7f37", "#57606a")


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Write the curves as SVG, one panel for each unit; the same curves give the same bytes."""
    units = tuple(dict.fromkeys(curve.unit for curve in curves))
    settings: dict[Any, Any] = {
        "svg.hashsalt": "reconciler",
        "svg.fonttype": "none",
        "font.size": 9,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(4.2 * len(units), 3.6), layout="constrained")
        for number, unit in enumerate(units, start=1):
            _panel(
                figure.add_subplot(1, len(units), number),
                unit,
                [curve for curve in curves if curve.unit == unit],
            )
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _panel(axes: Axes, unit: str, curves: Sequence[Curve]) -> None:
    for curve, colour in zip(curves, _COLOURS, strict=False):
        counts = [point.count for point in curve.points]
        seconds = [point.run.seconds for point in curve.points]
        axes.loglog(counts, seconds, marker="o", markersize=4, color=colour, label=curve.name)
        proportion = [seconds[-1] * count / counts[-1] for count in counts]
        axes.loglog(counts, proportion, linestyle=":", linewidth=0.8, color=colour)
    axes.set_xlabel(f"{unit}s (dotted: in proportion)")
    axes.set_ylabel("seconds")
    axes.set_ylim(bottom=min(point.run.seconds for curve in curves for point in curve.points) / 2)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.grid(visible=True, which="major", linewidth=0.4, alpha=0.6)
    axes.legend(frameon=False, loc="upper left")
