"""Points, boxes and curves of a picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import hypot


@dataclass(frozen=True, slots=True)
class Point:
    """A point or a vector, in pixels."""

    x: float
    y: float

    def __add__(self, other: Point) -> Point:
        return Point(self.x + other.x, self.y + other.y)

    def __sub__(self, other: Point) -> Point:
        return Point(self.x - other.x, self.y - other.y)

    def __mul__(self, factor: float) -> Point:
        return Point(self.x * factor, self.y * factor)

    @property
    def length(self) -> float:
        return hypot(self.x, self.y)

    @property
    def unit(self) -> Point:
        return self * (1 / self.length) if self.length else Point(0.0, -1.0)

    @property
    def left(self) -> Point:
        """The vector turned by a quarter, to the left of where it points on a screen."""
        return Point(self.y, -self.x)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a centre."""

    centre: Point
    width: float
    height: float

    def overlaps(self, other: Box, margin: float = 0.0) -> bool:
        across = abs(self.centre.x - other.centre.x) * 2 < self.width + other.width + margin * 2
        down = abs(self.centre.y - other.centre.y) * 2 < self.height + other.height + margin * 2
        return across and down

    def contains(self, point: Point) -> bool:
        off = point - self.centre
        return abs(off.x) * 2 <= self.width and abs(off.y) * 2 <= self.height

    @property
    def corners(self) -> tuple[Point, Point]:
        half = Point(self.width / 2, self.height / 2)
        return self.centre - half, self.centre + half


@dataclass(frozen=True, slots=True)
class Curve:
    """A Bézier curve by its control points: three of a quadratic one, four of a cubic one."""

    controls: tuple[Point, ...]

    def at(self, t: float) -> Point:
        """The point at `t` from 0 to 1."""
        if len(self.controls) == 3:
            a, b, c = self.controls
            u, v, w = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
            return Point(a.x * u + b.x * v + c.x * w, a.y * u + b.y * v + c.y * w)
        return self._split(t)[0][-1]

    def across(self, t: float) -> Point:
        """The unit vector across the curve, to its left, at `t`."""
        return (self.at(min(t + 0.02, 1.0)) - self.at(max(t - 0.02, 0.0))).unit.left

    def part(self, start: float, end: float) -> Curve:
        """The curve between two places of it."""
        rest = Curve(self._split(start)[1])
        return Curve(rest._split((end - start) / (1 - start))[0])

    def clipped(self, start: Box, end: Box) -> Curve:
        """What lies between the box it starts in and the box it ends in, at its two ends."""
        leaves = self._border(start, 0.0)
        enters = self._border(end, 1.0)
        return self.part(leaves, enters) if leaves < enters else self

    def _border(self, box: Box, inside: float) -> float:
        """Where the curve crosses a box that holds its end `inside`, by halving."""
        outside = 0.5
        for _ in range(9):
            middle = (inside + outside) / 2
            if box.contains(self.at(middle)):
                inside = middle
            else:
                outside = middle
        return outside

    def _split(self, t: float) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
        """De Casteljau: the controls of both parts."""
        rows = [self.controls]
        while len(rows[-1]) > 1:
            rows.append(tuple(a * (1 - t) + b * t for a, b in pairwise(rows[-1])))
        return tuple(row[0] for row in rows), tuple(row[-1] for row in reversed(rows))


def bounds(points: Iterable[Point], margin: float) -> tuple[Point, Point]:
    """The corners of what holds all points, with a margin."""
    found = list(points)
    low = Point(min(each.x for each in found) - margin, min(each.y for each in found) - margin)
    high = Point(max(each.x for each in found) + margin, max(each.y for each in found) + margin)
    return low, high
