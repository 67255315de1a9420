"""The picture of an HTML report: object types, directions and their limits as an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model import Action, Plan, count_actions
from reconciler.report.cells import cells
from reconciler.report.escape import html_quoted, html_text, one_way, visible
from reconciler.report.geometry import Curve, Point
from reconciler.report.layout import (
    LINE_HEIGHT,
    Arrow,
    Layout,
    PlacedArrow,
    PlacedNode,
    Shape,
    layout,
)
from reconciler.report.view import (
    SYMBOLS,
    Group,
    Row,
    all_groups,
    before_after,
    gravest,
    object_names,
    object_types,
    plural,
    short_counts,
)

CLASSES = {Action.CREATE: "c", Action.UPDATE: "u", Action.DELETE: "d"}
_LINES = 3
_LABEL_CELLS = 26
_NODE_CELLS = 22
_RING_CELLS = 21
_TITLE_LINES = 12
_TITLE_CELLS = 80
_TABBABLE_ARROWS = 40
_WIDTHS = (480, 640, 800, 1000, 1300, 1700)


def plan_svg(plan: Plan) -> str:
    """Every change of the plan on the arrow of its direction; empty without changes.

    Nodes and arrows link to the tables, whose anchors are `d` and the number of the direction,
    counted from 0 in the order of `all_groups`, and rows' `c` and the number of the change.
    """
    groups = all_groups(plan)
    if not groups:
        return ""
    ids = [each.id for each in object_types(plan)]
    numbers = {id_: number for number, id_ in enumerate(ids)}
    raw_names = object_names(plan)
    names = [_cut(raw_names[id_], _NODE_CELLS) for id_ in ids]
    arrows = [
        Arrow(
            numbers[group.direction.from_.id],
            numbers[group.direction.to.id],
            tuple(_label_lines(group.rows)),
            _counts(group.rows),
        )
        for group in groups
    ]
    drawn = layout(names, arrows)
    parts = [
        *_arrows(groups, arrows, drawn),
        *_nodes([raw_names[id_] for id_ in ids], groups, arrows, drawn),
    ]
    return _frame(drawn, parts, len(ids), len(groups))


def _frame(drawn: Layout, parts: Sequence[str], types: int, directions: int) -> str:
    size = drawn.high - drawn.low
    words = (
        f"{plural(types, 'object type')} and {plural(directions, 'direction')} "
        "whose limits change. The tables below tell the same."
    )
    needed = size.x * 0.78
    width = next((width for width in reversed(_WIDTHS) if width <= needed), 0)
    view = " ".join(_number(each) for each in (drawn.low.x, drawn.low.y, size.x, size.y))
    return (
        f'<svg class="{drawn.shape.value} w{width}" viewBox="{view}" '
        f'width="{_number(size.x)}" height="{_number(size.y)}" role="group" '
        f'aria-label="{words}">{_markers()}{"".join(parts)}</svg>'
    )


def _markers() -> str:
    heads = "".join(
        f'<marker id="m{name}" class="{name}" viewBox="0 0 10 10" refX="8.5" refY="5" '
        'markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" '
        'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z"/></marker>'
        for name in CLASSES.values()
    )
    return f"<defs>{heads}</defs>"


# ---------------------------------------------------------------- arrows


def _arrows(groups: Sequence[Group], arrows: Sequence[Arrow], drawn: Layout) -> Iterator[str]:
    tabbable = len(groups) <= _TABBABLE_ARROWS
    for number, (group, arrow, placed) in enumerate(zip(groups, arrows, drawn.arrows, strict=True)):
        path = _path(placed.curve)
        label = _label(arrow, placed, drawn.shape, group)
        yield (
            f'<a class="e {CLASSES[gravest(group.rows)]}" href="#d{number}" data-d="{number}" '
            f'data-f="{arrow.start}" data-t="{arrow.end}"{"" if tabbable else _NO_TAB}>'
            f"<title>{_title(group)}</title>"
            f'<path class="hit" d="{path}"/><path class="line" d="{path}" '
            f'marker-end="url(#m{CLASSES[gravest(group.rows)]})"/>{label}</a>'
        )


_NO_TAB = ' tabindex="-1"'


def _title(group: Group) -> str:
    lines = [visible(group.name), *(_line(row, _TITLE_CELLS) for row in group.rows[:_TITLE_LINES])]
    rest = len(group.rows) - _TITLE_LINES
    if rest > 0:
        lines.append(f"and {rest} more")
    return "\n".join(map(html_quoted, lines))


def _label(arrow: Arrow, placed: PlacedArrow, shape: Shape, group: Group) -> str:
    if placed.label is None:
        return ""
    centre = placed.label.centre
    lines = arrow.label if shape is Shape.LABELLED else (arrow.counts,)
    top = centre.y - (len(lines) - 1) * LINE_HEIGHT / 2
    classes = [CLASSES[row.change.action] for row in group.rows[:_LINES]]
    spans = "".join(
        f'<tspan x="{_number(centre.x)}" y="{_number(top + index * LINE_HEIGHT)}"'
        f"{_line_class(classes, index, shape)}>{html_quoted(line)}</tspan>"
        for index, line in enumerate(lines)
    )
    return f"<text>{spans}</text>"


def _line_class(classes: Sequence[str], index: int, shape: Shape) -> str:
    if shape is Shape.LABELLED and index < len(classes):
        return f' class="{classes[index]}"'
    return ""


def _label_lines(rows: Sequence[Row]) -> Iterator[str]:
    shown = rows if len(rows) <= _LINES else rows[: _LINES - 1]
    yield from (_line(row, _LABEL_CELLS) for row in shown)
    if len(shown) < len(rows):
        yield f"and {len(rows) - len(shown)} more"


def _line(row: Row, width: int) -> str:
    name = "object limit" if row.name.label is None else f"“{_cut(row.name.label, width)}”"
    return f"{SYMBOLS[row.change.action]} {name} {before_after(row.change)}"


def _counts(rows: Sequence[Row]) -> str:
    counts = count_actions(row.change for row in rows)
    return " ".join(f"{SYMBOLS[action]}{count}" for action, count in counts.items() if count)


def _path(curve: Curve) -> str:
    first, *rest = (f"{_number(each.x)} {_number(each.y)}" for each in curve.controls)
    return f"M{first}{'Q' if len(rest) == 2 else 'C'}{' '.join(rest)}"


# ---------------------------------------------------------------- nodes


def _nodes(
    names: Sequence[str], groups: Sequence[Group], arrows: Sequence[Arrow], drawn: Layout
) -> Iterator[str]:
    touching: list[list[int]] = [[] for _ in names]
    for number, arrow in enumerate(arrows):
        for node in {arrow.start, arrow.end}:
            touching[node].append(number)
    for node, (name, placed) in enumerate(zip(names, drawn.nodes, strict=True)):
        rows = [row for number in touching[node] for row in groups[number].rows]
        title = html_text(name)
        told = f"{title}: {short_counts(rows)}"
        yield (
            f'<a class="n" href="#d{touching[node][0]}" data-n="{node}">'
            f"<title>{told}</title>{_node(name, placed)}</a>"
        )


def _node(name: str, placed: PlacedNode) -> str:
    centre = placed.box.centre
    if placed.angle is None:
        corner = placed.box.corners[0]
        return (
            f'<rect x="{_number(corner.x)}" y="{_number(corner.y)}" '
            f'width="{_number(placed.box.width)}" height="{_number(placed.box.height)}" rx="9"/>'
            f'<text x="{_number(centre.x)}" y="{_number(centre.y)}">'
            f"{html_quoted(_cut(name, _NODE_CELLS))}</text>"
        )
    outward = centre + centre.unit * 13
    turned = 90 < placed.angle < 270
    angle = placed.angle - 180 if turned else placed.angle
    return (
        f'<circle cx="{_number(centre.x)}" cy="{_number(centre.y)}" r="5"/>'
        f'<text{_END if turned else ""} transform="translate({_pair(outward)}) '
        f'rotate({_number(angle)})">{html_quoted(_cut(name, _RING_CELLS))}</text>'
    )


_END = ' class="end"'


def _cut(name: str, width: int) -> str:
    """Made visible, and short enough for the picture; more of it stands in title and table."""
    shown = visible(name, 200)
    if cells(shown) > width:
        shown = shown[: width - 1]
        while cells(shown) > width - 1:
            shown = shown[:-1]
        shown += "…"
    return one_way(shown)


def _pair(point: Point) -> str:
    return f"{_number(point.x)} {_number(point.y)}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
