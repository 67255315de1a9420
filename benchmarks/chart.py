"""The curves as a picture: time over limits and over portals, both axes logarithmic.

A line that is straight and rises by one decade in a decade is growth in proportion; a bend upwards
is the wall to look for. Drawn by hand, since what draws charts brings numpy along, which deepdiff
imports where it is installed: it would be measured with every plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.growth import Curve

_COLOURS = ("#1f6feb", "#bf8700", "#8250df")
_WIDTH, _HEIGHT = 430, 340  # of a panel, in pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 48, 44  # around what is drawn in it


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Write the curves as SVG, one panel for each unit; the same curves give the same bytes."""
    units = tuple(dict.fromkeys(curve.unit for curve in curves))
    width = _WIDTH * len(units)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" '
            f'width="{width}" height="{_HEIGHT}" font-family="sans-serif" font-size="11" role="img">'
        ),
        "<title>Time over the number of limits and of portals</title>",
        f'<rect width="{width}" height="{_HEIGHT}" fill="#ffffff"/>',
    ]
    for number, unit in enumerate(units):
        panel = _Panel(unit, [curve for curve in curves if curve.unit == unit])
        lines += [f'<g transform="translate({number * _WIDTH} 0)">', *panel.lines(), "</g>"]
    path.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Panel:
    """The curves of one unit between their axes."""

    unit: str
    curves: Sequence[Curve]

    def lines(self) -> Iterator[str]:
        """The elements of the panel."""
        counts = [point.count for curve in self.curves for point in curve.points]
        times = [point.run.seconds for curve in self.curves for point in curve.points]
        across = _Axis(min(counts), max(counts), _LEFT, _WIDTH - _RIGHT)
        up = _Axis(min(times) / 1.5, max(times) * 1.2, _HEIGHT - _BOTTOM, _TOP)
        for at in across.ticks():
            x = across.place(at)
            yield _line(x, _TOP, x, _HEIGHT - _BOTTOM)
            yield _text(x, _HEIGHT - _BOTTOM + 16, f"{at:,.0f}", "middle")
        for at in up.ticks():
            y = up.place(at)
            yield _line(_LEFT, y, _WIDTH - _RIGHT, y)
            yield _text(_LEFT - 6, y + 4, f"{at:g} s", "end")
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        yield _text(middle, _HEIGHT - 10, f"{self.unit}s (dotted: in proportion)", "middle")
        for number, (curve, colour) in enumerate(zip(self.curves, _COLOURS, strict=False)):
            last = curve.points[-1]
            proportion = [
                (count, last.run.seconds * count / last.count)
                for count in (max(min(counts), last.count * up.low / last.run.seconds), last.count)
            ]
            measured = [(point.count, point.run.seconds) for point in curve.points]
            yield _path(across, up, proportion, f'stroke="{colour}" stroke-dasharray="1 3"')
            yield _path(across, up, measured, f'stroke="{colour}" stroke-width="2"')
            for count, seconds in measured:
                x, y = across.place(count), up.place(seconds)
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            legend = 16 + 15 * number
            yield f'<circle cx="{_LEFT + 6}" cy="{legend - 4}" r="4" fill="{colour}"/>'
            yield _text(_LEFT + 16, legend, curve.name, "start")


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic scale from `low` to `high`, drawn from pixel `begin` to pixel `end`."""

    low: float
    high: float
    begin: float
    end: float

    def place(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> Iterator[float]:
        """The powers of ten within the scale."""
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        yield from (10.0**each for each in range(first, last + 1))


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="#d0d7de" fill="none"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#1f2328">{escape(words)}</text>'


def _path(across: _Axis, up: _Axis, points: Sequence[tuple[float, float]], style: str) -> str:
    places = "L".join(f"{across.place(x):.1f} {up.place(y):.1f}" for x, y in points)
    return f'<path d="M{places}" fill="none" {style}/>'
