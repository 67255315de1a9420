"""Where the object types, directions and limits of a picture stand. The same input, the same picture.

A few object types stand on an ellipse as boxes, with the limits written on the arrows. An arrow
whose limits find no room carries counts. Where there are too many for that, the object types become
a ring of names, with the limits told on hover and in the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import cos, pi, sin

from reconciler.report.cells import cells
from reconciler.report.geometry import Box, Curve, Point, bounds
from reconciler.report.ring import ring_order

LINE_HEIGHT = 17.0
_CHARACTER = 6.5
_BOX_HEIGHT = 38.0
_RING_GAP = 27.0
_MARGIN = 14.0
_WIDEST = 460
_HUB_FROM = 4
_MOST_BOXES = 16
_MOST_LABELLED = 40
_SCALES = (1.0, 1.2, 1.45)
_PLACES = (0.5, 0.42, 0.58, 0.35, 0.65, 0.28, 0.72)
_LOOP_CONTROLS = 4
_SEEN = (0.1, 0.9)
"""A label leaves both ends of its curve to be seen."""
_ASIDE = (0.0, 14.0, -14.0)


Wordings = tuple[tuple[str, ...], ...]
"""Lines a label may have, the most telling first."""

Route = Callable[[Box, Box, float], Curve]
"""A curve between two nodes; 1.0 keeps aside of the way back, where there is one, 0.0 does not."""


class Shape(Enum):
    """How much of the limits the picture itself can tell."""

    BOXES = "boxes"
    RING = "ring"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A direction to draw: node numbers, the lines of its label, and the short form of it."""

    start: int
    end: int
    label: tuple[str, ...]
    counts: str


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node as a box, or on the ring as a dot whose name points away at `angle` in degrees."""

    box: Box
    angle: float | None


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """The lines of a label around a point."""

    lines: tuple[str, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class PlacedArrow:
    """A curve, and its label, None where none is drawn."""

    curve: Curve
    label: PlacedLabel | None


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole picture between two corners, nodes and arrows in the order they were given."""

    shape: Shape
    low: Point
    high: Point
    nodes: tuple[PlacedNode, ...]
    arrows: tuple[PlacedArrow, ...]


def layout(names: Sequence[str], arrows: Sequence[Arrow]) -> Layout:
    """The most telling picture there is room for."""
    order = ring_order(len(names), [(each.start, each.end) for each in arrows])
    for attempt in _attempts(names, arrows, order):
        if attempt is not None:
            return attempt
    return _ring(names, arrows, order)


def _attempts(
    names: Sequence[str], arrows: Sequence[Arrow], order: Sequence[int]
) -> Iterator[Layout | None]:
    if len(names) > _MOST_BOXES or len(arrows) > _MOST_LABELLED:
        return
    whole = [(each.label,) for each in arrows]
    whole_or_counts = [(each.label, (each.counts,)) for each in arrows]
    for scale in _SCALES:
        yield _boxes(names, arrows, order, whole, scale)
    for scale in _SCALES[1:]:
        yield _boxes(names, arrows, order, whole_or_counts, scale)


# ---------------------------------------------------------------- boxes on an ellipse


def _boxes(
    names: Sequence[str],
    arrows: Sequence[Arrow],
    order: Sequence[int],
    wordings: Sequence[Wordings],
    scale: float,
) -> Layout | None:
    hub = _hub(len(names), arrows)
    around = [node for node in order if node != hub]
    across = min((150 if hub is None else 230) + 45 * len(names), _WIDEST) * scale
    down = (90 + 28 * len(names)) * scale if len(around) > 2 else 0.0
    nodes = [
        PlacedNode(Box(Point(at.x * across, at.y * down), _box_width(name), _BOX_HEIGHT), None)
        for name, at in zip(names, _around(around, len(names)), strict=True)
    ]
    boxes = [node.box for node in nodes]
    curves = _curves(arrows, boxes, _bent, None if hub is None else boxes[hub])
    labels = None if _any_overlap(boxes) else _place_labels(curves, wordings, boxes)
    if labels is None:
        return None
    placed = [PlacedArrow(curve, label) for curve, label in zip(curves, labels, strict=True)]
    taken = (*boxes, *(label.box for label in labels))
    corners = [corner for box in taken for corner in box.corners]
    corners += [curve.at(step / 8) for curve in curves for step in range(9)]
    return _framed(Shape.BOXES, nodes, placed, corners)


def _hub(nodes: int, arrows: Sequence[Arrow]) -> int | None:
    """The node that most arrows start or end at, when it has its place in the middle."""
    if nodes < _HUB_FROM:
        return None
    ends = Counter(end for each in arrows for end in {each.start, each.end})
    hub, touched = min(ends.items(), key=lambda each: (-each[1], each[0]))
    return hub if touched * 3 >= len(arrows) * 2 else None


def _around(order: Sequence[int], nodes: int) -> list[Point]:
    """The unit circle from its left on, clockwise, as the ring's order says; others: its centre."""
    points = [Point(0.0, 0.0)] * nodes
    if len(order) > 1:
        for place, node in enumerate(order):
            angle = pi + 2 * pi * place / len(order)
            points[node] = Point(cos(angle), sin(angle))
    return points


def _box_width(name: str) -> float:
    return cells(name) * 7.6 + 34


def _place_labels(
    curves: Sequence[Curve], wordings: Sequence[Wordings], nodes: Sequence[Box]
) -> list[PlacedLabel] | None:
    """A label on each curve that covers neither nodes nor other labels, or None.

    Short curves choose first: they have the fewest places.
    """
    taken = list(nodes)
    labels: dict[int, PlacedLabel] = {}
    for index in sorted(range(len(curves)), key=lambda each: (_reach(curves[each]), each)):
        label = next(_free_labels(curves[index], wordings[index], taken), None)
        if label is None:
            return None
        labels[index] = label
        taken.append(label.box)
    return [labels[index] for index in range(len(curves))]


def _reach(curve: Curve) -> float:
    return (curve.controls[-1] - curve.controls[0]).length


def _free_labels(curve: Curve, wordings: Wordings, taken: Sequence[Box]) -> Iterator[PlacedLabel]:
    for lines in wordings:
        width = max(map(cells, lines)) * _CHARACTER + 6
        height = len(lines) * LINE_HEIGHT + 4
        for point in _label_points(curve, width, height):
            box = Box(point, width, height)
            hidden = any(box.contains(curve.at(t)) for t in _SEEN)
            if not hidden and not any(box.overlaps(other, 3) for other in taken):
                yield PlacedLabel(lines, box)


def _label_points(curve: Curve, width: float, height: float) -> Iterator[Point]:
    """Beyond the end of a loop, on the curve, and beside it."""
    if len(curve.controls) == _LOOP_CONTROLS:
        middle = (curve.controls[0] + curve.controls[-1]) * 0.5
        out = (curve.at(0.5) - middle).unit
        yield curve.at(0.5) + Point(out.x * (width / 2 + 4), out.y * (height / 2 + 2))
    for aside in _ASIDE:
        for t in _PLACES:
            yield curve.at(t) + curve.across(t) * aside


def _any_overlap(boxes: Sequence[Box]) -> bool:
    return any(
        box.overlaps(other, 6) for index, box in enumerate(boxes) for other in boxes[index + 1 :]
    )


# ---------------------------------------------------------------- names around a ring


def _ring(names: Sequence[str], arrows: Sequence[Arrow], order: Sequence[int]) -> Layout:
    radius = max(170.0, len(names) * _RING_GAP / (2 * pi))
    nodes = [
        PlacedNode(Box(at * radius, 10.0, 10.0), _degrees(place, len(names)))
        for at, place in zip(_around(order, len(order)), _places(order), strict=True)
    ]
    curves = _curves(arrows, [node.box for node in nodes], _towards_centre, None)
    reach = radius + max(map(cells, names)) * _CHARACTER + 20
    corners = [Point(-reach, -reach), Point(reach, reach)]
    return _framed(Shape.RING, nodes, [PlacedArrow(curve, None) for curve in curves], corners)


def _places(order: Sequence[int]) -> list[int]:
    places = [0] * len(order)
    for place, node in enumerate(order):
        places[node] = place
    return places


def _degrees(place: int, count: int) -> float:
    return (180 + 360 * place / count) % 360


# ---------------------------------------------------------------- curves


def _curves(
    arrows: Sequence[Arrow], boxes: Sequence[Box], between: Route, hub: Box | None
) -> list[Curve]:
    """One for each arrow. What does not end at the hub keeps aside of it."""
    pairs = {(each.start, each.end) for each in arrows}
    curves = []
    for each in arrows:
        start, end = boxes[each.start], boxes[each.end]
        passes_hub = hub is not None and hub not in (start, end)
        aside = 1.0 if passes_hub or (each.end, each.start) in pairs else 0.0
        curves.append(between(start, end, aside))
    return curves


def _bent(start: Box, end: Box, aside: float) -> Curve:
    """Straight, or to the left of its way where there is a way back."""
    if start is end:
        return _loop(start, start.centre.unit)
    along = end.centre - start.centre
    middle = (start.centre + end.centre) * 0.5
    control = middle + along.unit.left * (max(60.0, along.length * 0.2) * aside)
    return Curve((start.centre, control, end.centre)).clipped(start, end)


def _towards_centre(start: Box, end: Box, aside: float) -> Curve:
    """Through near the ring's centre, so that bundles form and the names stay free."""
    if start is end:
        return _loop(start, start.centre.unit * -1)
    along = end.centre - start.centre
    control = (start.centre + end.centre) * 0.22 + along.unit.left * (14.0 * aside)
    return Curve((start.centre, control, end.centre)).clipped(start, end)


def _loop(box: Box, out: Point) -> Curve:
    """From a node to itself."""
    edge = box.centre + Point(out.x * box.width / 2, out.y * box.height / 2)
    side = out.left * max(8.0, min(box.width, box.height) * 0.4)
    far = out * max(30.0, box.height * 1.8)
    return Curve((edge - side, edge - side * 2.4 + far, edge + side * 2.4 + far, edge + side))


def _framed(
    shape: Shape,
    nodes: Iterable[PlacedNode],
    arrows: Sequence[PlacedArrow],
    corners: Iterable[Point],
) -> Layout:
    low, high = bounds(corners, _MARGIN)
    return Layout(shape, low, high, tuple(nodes), tuple(arrows))
