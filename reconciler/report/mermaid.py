"""A plan as a mermaid flowchart: object types, and the limits that change on the edges."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.errors import plural
from reconciler.model.plan import Action, Origin, Plan
from reconciler.report.escape import mermaid_text
from reconciler.report.view import (
    ORIGIN_WORDS,
    SYMBOLS,
    Group,
    LimitName,
    Row,
    all_groups,
    before_after,
    gravest,
)

MAXIMUM_EDGES = 400
"""Mermaid refuses more than 500 edges where the page cannot raise it (documented)."""

MAXIMUM_TEXT = 48_000
"""Mermaid refuses more than 50,000 characters where the page cannot raise it (documented)."""

_LINES_PER_EDGE = 4
_ARROWS = {Action.CREATE: "-->", Action.UPDATE: "==>", Action.DELETE: "-.->"}
_STYLES = {
    Action.CREATE: "stroke:#2da44e,stroke-width:2px",
    Action.UPDATE: "stroke:#bf8700,stroke-width:3px",
    Action.DELETE: "stroke:#cf222e,stroke-width:3px",
}


def plan_mermaid(plan: Plan, *, edges: int = MAXIMUM_EDGES) -> str:
    """A left-to-right flowchart of the directions that change, those with deletes first to stay.

    An arrow is solid for a create, thick for an update, dotted for a delete; the gravest of its
    changes decides. At most `edges` directions are drawn, fewer where mermaid could not take the
    text; a node of its own says how many are not. The first node of a plan that apply will refuse
    says so.
    """
    groups = all_groups(plan)
    drawn = min(len(groups), edges)
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
    chosen = groups if drawn == len(groups) else _deletes_first(groups)[:drawn]
    nodes = _nodes(chosen)
    lines += [f'    {id_}["{mermaid_text(name)}"]' for id_, name in nodes.values()]
    lines += [_edge(group, nodes) for group in chosen]
    lines += _link_styles(chosen)
    if drawn < len(groups):
        rest = plural(len(groups) - drawn, "direction")
        lines.append(f'    rest["{mermaid_text(f"{rest} more, not drawn")}"]')
    return "\n".join(lines)


def _deletes_first(groups: Sequence[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: gravest(group.rows) is not Action.DELETE)


def _nodes(groups: Sequence[Group]) -> dict[str, tuple[str, str]]:
    """Node and name by object type ID. Nodes are numbered: no name can be taken for syntax."""
    names: dict[str, str] = {}
    for group in groups:
        names.setdefault(group.direction.from_.id, group.from_name)
        names.setdefault(group.direction.to.id, group.to_name)
    return {id_: (f"t{index}", name) for index, (id_, name) in enumerate(names.items())}


def _edge(group: Group, nodes: dict[str, tuple[str, str]]) -> str:
    shown, rest = group.rows[:_LINES_PER_EDGE], len(group.rows) - _LINES_PER_EDGE
    lines = [_limit(row) for row in shown]
    if rest > 0:
        lines.append(mermaid_text(f"and {rest} more"))
    from_node, to_node = (nodes[id_][0] for id_ in group.direction.key)
    arrow = _ARROWS[gravest(group.rows)]
    return f'    {from_node} {arrow}|"{"<br/>".join(lines)}"| {to_node}'


def _limit(row: Row) -> str:
    change = row.change
    origin = change.origin
    note = "" if origin in (None, Origin.CONFIG) else f" ({ORIGIN_WORDS[origin]})"
    symbol = mermaid_text(SYMBOLS[change.action])
    return f"{symbol} {_name(row.name)} {mermaid_text(before_after(change) + note)}"


def _name(name: LimitName) -> str:
    words = "object limit" if name.label is None else f"“{mermaid_text(name.label)}”"
    return words if name.qualifier is None else f"{words} {mermaid_text(f'({name.qualifier})')}"


def _link_styles(groups: Sequence[Group]) -> list[str]:
    """One line per action that occurs, with the numbers of its edges."""
    edges: dict[Action, list[str]] = {}
    for index, group in enumerate(groups):
        edges.setdefault(gravest(group.rows), []).append(str(index))
    return [
        f"    linkStyle {','.join(edges[action])} {style}"
        for action, style in _STYLES.items()
        if action in edges
    ]
