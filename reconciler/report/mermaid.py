"""A plan as a mermaid flowchart: object types, and between them the limits that change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.errors import plural
from reconciler.model.plan import Origin, Plan
from reconciler.report.escape import mermaid_text
from reconciler.report.view import (
    EFFECT_SYMBOLS,
    Effect,
    Group,
    Role,
    Row,
    ShownName,
    Unplanned,
    all_groups,
    portal_name,
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
    return plans_mermaid([plan], directions=directions)


def plans_mermaid(
    plans: Sequence[Plan | Unplanned], *, directions: int = MAXIMUM_DIRECTIONS
) -> str:
    """The plans of several portals in one flowchart, a frame each; a single plan has none.

    Portals without changes are counted by a node of their own, as are those that there is no room
    for. At most `directions` are drawn in all.
    """
    worth_it = [each for each in plans if len(plans) == 1 or _has_something(each)]
    parts = [_Part.of(each) for each in worth_it[:directions]]
    framed = len(plans) != 1 or isinstance(plans[0], Unplanned)
    most = directions

    def drawn() -> str:
        kept = parts[: max(1, most)]
        lines, edges = ["flowchart LR", "    accTitle: Association limits that change"], _Edges({})
        room = most - len(kept) if framed else most
        for number, each in enumerate(kept):
            share = room // (len(kept) - number)
            nodes = _drawn(each, share, f"p{number}" if framed else "", edges)
            frame = [f'    subgraph p{number}["{mermaid_text(each.name)}"]', *nodes, "    end"]
            lines += frame if framed else nodes
            room -= min(share, len(each.groups))
        lines += edges.styles()
        if same := len(plans) - len(worth_it):
            lines.append(_note("same", f"{plural(same, 'portal')} without changes"))
        if rest := len(worth_it) - len(kept):
            lines.append(_note("rest", f"{plural(rest, 'portal')} more, not drawn"))
        return "\n".join(lines)

    text = drawn()
    while len(text) > MAXIMUM_TEXT:
        most = most * MAXIMUM_TEXT // (len(text) + 1)
        text = drawn()
    return text


def _has_something(each: Plan | Unplanned) -> bool:
    return not isinstance(each, Plan) or bool(each.changes or each.refusals)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is drawn of one portal: a node that says something, and the directions that change."""

    name: str
    node: str
    words: str
    groups: Sequence[Group]

    @classmethod
    def of(cls, each: Plan | Unplanned) -> _Part:
        """The part of a portal; with neither refusal nor change its words say so."""
        name = portal_name(each).strip() or "portal"
        match each:
            case Plan(refusals=()):
                groups = all_groups(each)
                return cls(name, "none", "" if groups else "No changes", groups)
            case Plan():
                codes = ", ".join(sorted({refusal.code for refusal in each.refusals}))
                words = f"apply will refuse this plan: {codes}"
                return cls(name, "refused", words, all_groups(each))
            case Unplanned():
                return cls(name, "none", f"no plan: {each.reason}", ())


@dataclass(frozen=True, slots=True)
class _Edges:
    """The numbers of the edges drawn so far, by how they look."""

    by_role: dict[Role, list[str]]

    def add(self, role: Role) -> None:
        """The two edges of a direction."""
        first = sum(map(len, self.by_role.values()))
        self.by_role.setdefault(role, []).extend((str(first), str(first + 1)))

    def styles(self) -> list[str]:
        """One line per role that occurs, with the numbers of its edges."""
        return [
            f"    linkStyle {','.join(self.by_role[role])} {style}"
            for role, style in _STYLES.items()
            if role in self.by_role
        ]


def _drawn(part: _Part, most: int, prefix: str, edges: _Edges) -> list[str]:
    """The nodes and edges of one portal. `prefix` is before the names of its nodes."""
    groups = part.groups
    lines = [_note(f"{prefix}{part.node}", part.words)] if part.words else []
    chosen = groups if len(groups) <= most else sorted(groups, key=_weight)[:most]
    nodes = _nodes(chosen, prefix)
    lines += [_note(id_, name) for id_, name in nodes.values()]
    for number, group in enumerate(chosen):
        lines += _direction(f"{prefix}d{number}", group, nodes)
        edges.add(min((row.role for row in group.rows), key=_ROLES.index))
    if len(chosen) < len(groups):
        rest = plural(len(groups) - len(chosen), "direction")
        lines.append(_note(f"{prefix}rest", f"{rest} more, not drawn"))
    return lines


def _note(id_: str, words: str) -> str:
    """A node that says something."""
    return f'    {id_}["{mermaid_text(words)}"]'


def _weight(group: Group) -> int:
    return list(Effect).index(strongest(group.rows))


def _nodes(groups: Sequence[Group], prefix: str) -> dict[str, tuple[str, str]]:
    """Node and name by object type ID. Nodes are numbered: no name can be taken for syntax."""
    names: dict[str, str] = {}
    for group in groups:
        names.setdefault(group.direction.from_.id, group.from_name)
        names.setdefault(group.direction.to.id, group.to_name)
    return {id_: (f"{prefix}t{index}", name) for index, (id_, name) in enumerate(names.items())}


def _direction(node: str, group: Group, nodes: dict[str, tuple[str, str]]) -> list[str]:
    shown, rest = group.rows[:_LINES_PER_DIRECTION], len(group.rows) - _LINES_PER_DIRECTION
    words = [_limit(row) for row in shown]
    if rest > 0:
        words.append(mermaid_text(f"and {rest} more"))
    from_node, to_node = (nodes[id_][0] for id_ in group.direction.key)
    arrow = _ARROWS[strongest(group.rows)]
    return [
        f'    {node}("{"<br/>".join(words)}")',
        f"    {from_node} {arrow} {node} {arrow} {to_node}",
    ]


def _limit(row: Row) -> str:
    origin = row.change.origin
    note = "" if origin in (None, Origin.CONFIG) else f" ({origin})"
    symbol = mermaid_text(EFFECT_SYMBOLS[row.effect])
    return f"{symbol} {_name(row.name)} {mermaid_text(row.value + note)}"


def _name(name: ShownName) -> str:
    words = "object limit" if name.label is None else f"“{mermaid_text(name.label)}”"
    return words if name.qualifier is None else f"{words} {mermaid_text(f'({name.qualifier})')}"
