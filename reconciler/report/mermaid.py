"""A plan as a mermaid flowchart: object types, and between them the limits that change."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import plural
from reconciler.model.plan import Origin, Plan
from reconciler.report.escape import mermaid_text
from reconciler.report.view import (
    EFFECT_SYMBOLS,
    Effect,
    Group,
    LimitName,
    Role,
    Row,
    all_groups,
    strongest,
)

MAXIMUM_DIRECTIONS = 240
"""Each is drawn as two edges; mermaid refuses more than 500 where nobody raises it (documented)."""

MAXIMUM_TEXT = 48_000
"""Mermaid refuses more than 50,000 characters where the page cannot raise it (documented)."""

_LINES_PER_DIRECTION = 4
_ARROWS = {
    Effect.LOWERED: "==>",
    Effect.SET: "==>",
    Effect.REMOVED: "-.->",
    Effect.RAISED: "-->",
}
_STYLES = {
    Role.RESTRICTS: "stroke:#bf8700,stroke-width:3px",
    Role.RELAXES: "stroke:#0969da,stroke-width:2px",
    Role.REFUSED: "stroke:#cf222e,stroke-width:3px",
}
_ROLES = (Role.REFUSED, Role.RESTRICTS, Role.RELAXES)


def plan_mermaid(plan: Plan, *, directions: int = MAXIMUM_DIRECTIONS) -> str:
    """A left-to-right flowchart of the directions that change, those that restrict first to stay.

    What changes in a direction is a node on its way: mermaid puts labels of edges on top of each
    other, nodes never (observed). An arrow is thick for what restricts, dotted for a removal, solid
    for a raise; the strongest of its changes decides. At most `directions` are drawn, fewer where
    mermaid could not take the text; a node of its own says how many are not. The first node of a
    plan that apply will refuse says so.
    """
    groups = all_groups(plan)
    drawn = min(len(groups), directions)
    refused = _refused(plan)
    text = _flowchart(groups, drawn, refused)
    while len(text) > MAXIMUM_TEXT:
        drawn = drawn * MAXIMUM_TEXT // (len(text) + 1)
        text = _flowchart(groups, drawn, refused)
    return text


def _refused(plan: Plan) -> list[str]:
    """A node that says that apply will refuse the plan, where it will."""
    if not plan.refusals:
        return []
    codes = ", ".join(sorted({each.code for each in plan.refusals}))
    return [f'    refused["{mermaid_text(f"apply will refuse this plan: {codes}")}"]']


def _flowchart(groups: Sequence[Group], drawn: int, refused: Sequence[str]) -> str:
    lines = ["flowchart LR", "    accTitle: Association limits that change", *refused]
    if not groups:
        return "\n".join([*lines, '    none["No changes"]'])
    chosen = groups if drawn == len(groups) else sorted(groups, key=_weight)[:drawn]
    nodes = _nodes(chosen)
    lines += [f'    {id_}["{mermaid_text(name)}"]' for id_, name in nodes.values()]
    for number, group in enumerate(chosen):
        lines += _direction(number, group, nodes)
    lines += _link_styles(chosen)
    if drawn < len(groups):
        rest = plural(len(groups) - drawn, "direction")
        lines.append(f'    rest["{mermaid_text(f"{rest} more, not drawn")}"]')
    return "\n".join(lines)


def _weight(group: Group) -> int:
    return list(Effect).index(strongest(group.rows))


def _nodes(groups: Sequence[Group]) -> dict[str, tuple[str, str]]:
    """Node and name by object type ID. Nodes are numbered: no name can be taken for syntax."""
    names: dict[str, str] = {}
    for group in groups:
        names.setdefault(group.direction.from_.id, group.from_name)
        names.setdefault(group.direction.to.id, group.to_name)
    return {id_: (f"t{index}", name) for index, (id_, name) in enumerate(names.items())}


def _direction(number: int, group: Group, nodes: dict[str, tuple[str, str]]) -> list[str]:
    shown, rest = group.rows[:_LINES_PER_DIRECTION], len(group.rows) - _LINES_PER_DIRECTION
    words = [_limit(row) for row in shown]
    if rest > 0:
        words.append(mermaid_text(f"and {rest} more"))
    from_node, to_node = (nodes[id_][0] for id_ in group.direction.key)
    arrow = _ARROWS[strongest(group.rows)]
    return [
        f'    d{number}(["{"<br/>".join(words)}"])',
        f"    {from_node} {arrow} d{number} {arrow} {to_node}",
    ]


def _limit(row: Row) -> str:
    origin = row.change.origin
    note = "" if origin in (None, Origin.CONFIG) else f" ({origin})"
    symbol = mermaid_text(EFFECT_SYMBOLS[row.effect])
    return f"{symbol} {_name(row.name)} {mermaid_text(row.value + note)}"


def _name(name: LimitName) -> str:
    words = "object limit" if name.label is None else f"“{mermaid_text(name.label)}”"
    return words if name.qualifier is None else f"{words} {mermaid_text(f'({name.qualifier})')}"


def _link_styles(groups: Sequence[Group]) -> list[str]:
    """One line per role that occurs, with the numbers of its edges."""
    edges: dict[Role, list[str]] = {}
    for index, group in enumerate(groups):
        role = min((row.role for row in group.rows), key=_ROLES.index)
        edges.setdefault(role, []).extend((str(2 * index), str(2 * index + 1)))
    return [
        f"    linkStyle {','.join(edges[role])} {style}"
        for role, style in _STYLES.items()
        if role in edges
    ]
