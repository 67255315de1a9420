"""Where things stand in the picture."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.report.geometry import Box, Curve, Point
from reconciler.report.layout import Arrow, Layout, Shape, layout
from reconciler.report.ring import ring_order

HUB = [(0, 1), (1, 0), (0, 2), (2, 0), (0, 3), (3, 0), (1, 3), (2, 2), (4, 1)]


def arrows(pairs: list[tuple[int, int]], lines: int = 2) -> list[Arrow]:
    """Arrows with labels of some lines."""
    return [Arrow(a, b, ("~ “Billing contact” 5 → 3",) * lines, f"~{lines}") for a, b in pairs]


def picture(pairs: list[tuple[int, int]], lines: int = 2) -> Layout:
    """A picture of as many nodes as the pairs name."""
    return layout(
        [f"object type {number}" for number in range(1 + max(max(pair) for pair in pairs))],
        arrows(pairs, lines),
    )


@pytest.mark.parametrize(
    "pairs",
    [[(0, 0)], [(0, 1)], [(0, 1), (1, 0)], [(0, 1), (1, 2), (2, 0)], HUB],
    ids=["loop", "one", "both ways", "triangle", "hub"],
)
def test_small_pictures_are_boxes_with_labels(pairs: list[tuple[int, int]]) -> None:
    """Nothing covers anything, every limit is written out, and all of it is in the frame."""
    drawn = picture(pairs)
    assert drawn.shape is Shape.BOXES
    labels = [each.label for each in drawn.arrows if each.label is not None]
    assert [len(label.lines) for label in labels] == [2] * len(pairs)
    boxes = [node.box for node in drawn.nodes] + [label.box for label in labels]
    for index, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])
        assert drawn.low.x < box.corners[0].x
        assert box.corners[1].y < drawn.high.y


def test_crowded_pictures_count() -> None:
    """Where whole labels find no room, counts do."""
    pairs = [(a, b) for a in range(6) for b in range(6) if a != b]
    drawn = picture(pairs, lines=3)
    assert drawn.shape is Shape.BOXES
    words = {each.label.lines[0] for each in drawn.arrows if each.label is not None}
    assert "~3" in words


def test_many_object_types_form_a_ring() -> None:
    """Sixty names, none above another, hundreds of arrows between them."""
    pairs = [(a, (a * 7 + step) % 60) for a in range(60) for step in range(6)]
    drawn = picture(pairs)
    assert drawn.shape is Shape.RING
    places = [node.box.centre for node in drawn.nodes]
    gaps = [
        (one - other).length for index, one in enumerate(places) for other in places[index + 1 :]
    ]
    assert min(gaps) > 20
    assert drawn == picture(pairs)


def test_neighbours_stand_side_by_side() -> None:
    """Two chains of object types are not woven into each other."""
    order = ring_order(8, [(0, 2), (2, 4), (4, 6), (1, 3), (3, 5), (5, 7)])
    around = [node % 2 for node in (*order, order[0])]
    assert sum(a != b for a, b in pairwise(around)) == 2


@settings(deadline=None)
@given(
    st.integers(1, 30).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))),
        )
    )
)
def test_the_order_names_every_node_once(graph: tuple[int, list[tuple[int, int]]]) -> None:
    """Whatever the graph."""
    count, pairs = graph
    assert sorted(ring_order(count, pairs)) == list(range(count))


def test_curves_are_clipped_at_boxes() -> None:
    """From border to border."""
    start, end = Box(Point(0, 0), 20, 20), Box(Point(100, 0), 20, 20)
    curve = Curve((start.centre, Point(50, 0), end.centre)).clipped(start, end)
    assert curve.controls[0].x == pytest.approx(10, abs=0.3)
    assert curve.controls[-1].x == pytest.approx(90, abs=0.3)
    assert curve.at(0.5).x == pytest.approx(50, abs=0.3)


def test_part_of_a_cubic() -> None:
    """A part starts and ends where the whole is at these places."""
    curve = Curve((Point(0, 0), Point(0, 10), Point(10, 10), Point(10, 0)))
    part = curve.part(0.25, 0.75)
    assert part.controls[0] == curve.at(0.25)
    assert part.at(1).x == pytest.approx(curve.at(0.75).x)
