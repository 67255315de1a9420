"""The picture of an HTML report: object types, directions and their limits as an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.errors import plural
from reconciler.model.plan import Action, Plan, count_actions
from reconciler.report.cells import cells
from reconciler.report.escape import NAME_LIMIT, html_quoted, html_text, one_way, visible
from reconciler.report.geometry import Curve, Point
from reconciler.report.layout import (
    LINE_HEIGHT,
    Arrow,
    Layout,
    PlacedLabel,
    PlacedNode,
    Shape,
    layout,
)
from reconciler.report.view import (
    SIGNS,
    Group,
    Row,
    all_groups,
    before_after,
    gravest,
    object_names,
    object_types,
    short_counts,
)

CLASSES = {Action.CREATE: "c", Action.UPDATE: "u", Action.DELETE: "d"}
_LINES = 3
_LABEL_CELLS = 26
_NODE_CELLS = 22
_RING_CELLS = 21
_TITLE_LINES = 12
_TITLE_CELLS = 40
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
        f'aria-label="{words}">{_markers(drawn.shape)}{"".join(parts)}</svg>'
    )


def _markers(shape: Shape) -> str:
    size = 11 if shape is Shape.BOXES else 7
    heads = "".join(
        f'<marker id="m{name}" class="{name}" viewBox="0 0 10 10" refX="8.5" refY="5" '
        f'markerWidth="{size}" markerHeight="{size}" markerUnits="userSpaceOnUse" '
        'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z"/></marker>'
        for name in CLASSES.values()
    )
    return f"<defs>{heads}</defs>"


# ---------------------------------------------------------------- arrows


def _arrows(groups: Sequence[Group], arrows: Sequence[Arrow], drawn: Layout) -> Iterator[str]:
    """Lines first, so that none of them strikes a label out."""
    tab = "" if len(groups) <= _TABBABLE_ARROWS else _NO_TAB
    links = [
        f'<a class="e {CLASSES[gravest(group.rows)]}" href="#{_anchor(number, group)}" '
        f'data-d="{number}" data-f="{arrow.start}" data-t="{arrow.end}"'
        for number, (group, arrow) in enumerate(zip(groups, arrows, strict=True))
    ]
    for link, group, placed in zip(links, groups, drawn.arrows, strict=True):
        yield (
            f'{link}{tab}><title>{_title(group)}</title><path class="line" '
            f'd="{_path(placed.curve)}" marker-end="url(#m{CLASSES[gravest(group.rows)]})"/></a>'
        )
    for link, group, arrow, placed in zip(links, groups, arrows, drawn.arrows, strict=True):
        if placed.label is not None:
            yield f'{link}{_NO_TAB} aria-hidden="true">{_label(arrow, placed.label, group)}</a>'


_NO_TAB = ' tabindex="-1"'


def _anchor(number: int, group: Group) -> str:
    """The row of a direction's only change, or the direction's table."""
    return f"c{group.rows[0].index}" if len(group.rows) == 1 else f"d{number}"


def _title(group: Group) -> str:
    lines = [visible(group.name, NAME_LIMIT)]
    lines += [_line(row, _TITLE_CELLS) for row in group.rows[:_TITLE_LINES]]
    if len(group.rows) > _TITLE_LINES:
        lines.append(f"and {len(group.rows) - _TITLE_LINES} more")
    return "\n".join(map(html_quoted, lines))


def _label(arrow: Arrow, label: PlacedLabel, group: Group) -> str:
    lines, centre = label.lines, label.box.centre
    top = centre.y - (len(lines) - 1) * LINE_HEIGHT / 2
    classes = [""] * len(lines)
    if lines is arrow.label:
        kinds = [CLASSES[row.change.action] for row in group.rows]
        classes = [f' class="{kind}"' for kind in kinds[: _shown(group.rows)]] + [""]
    spans = "".join(
        f'<tspan x="{_number(centre.x)}" y="{_number(top + index * LINE_HEIGHT)}"{kind}>'
        f"{html_quoted(line)}</tspan>"
        for index, (line, kind) in enumerate(zip(lines, classes, strict=False))
    )
    low = label.box.corners[0]
    ground = (
        f'<rect x="{_number(low.x)}" y="{_number(low.y)}" width="{_number(label.box.width)}" '
        f'height="{_number(label.box.height)}" rx="4"/>'
    )
    return f"{ground}<text>{spans}</text>"


def _shown(rows: Sequence[Row]) -> int:
    """How many rows a label names; a line that counts the others takes the place of one."""
    return len(rows) if len(rows) <= _LINES else _LINES - 1


def _label_lines(rows: Sequence[Row]) -> Iterator[str]:
    shown = rows[: _shown(rows)]
    yield from (_line(row, _LABEL_CELLS) for row in shown)
    if len(shown) < len(rows):
        yield f"and {len(rows) - len(shown)} more"


def _line(row: Row, width: int) -> str:
    name = "object limit" if row.name.label is None else f"“{_cut(row.name.label, width)}”"
    return f"{SIGNS[row.change.action]} {name} {before_after(row.change)}"


def _counts(rows: Sequence[Row]) -> str:
    counts = count_actions(row.change for row in rows)
    return " ".join(f"{SIGNS[action]}{count}" for action, count in counts.items() if count)


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
        yield (
            f'<a class="n" href="#d{touching[node][0]}" data-n="{node}">'
            f"<title>{html_text(name)}\n{short_counts(rows)}</title>{_node(name, placed)}</a>"
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
