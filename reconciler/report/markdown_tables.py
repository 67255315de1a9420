"""The tables of a markdown report: one for each origin, with as much detail as there is room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from reconciler.report.escape import (
    NAME_LIMIT,
    markdown_cell,
    markdown_code,
    markdown_link,
    markdown_prose,
    prose_lines,
)
from reconciler.report.markdown_parts import REASON_LIMIT, Places, size, table
from reconciler.report.view import (
    EFFECT_SYMBOLS,
    EFFECT_WORDS,
    Effect,
    Role,
    Row,
    Section,
    ShownName,
    before_after,
)

_COLOURS = {Role.RESTRICTS: "🟠", Role.RELAXES: "🔵", Role.REFUSED: "🔴"}
_LISTED = 10
"""Changes on one line, where they share lines."""

_UNFOLDED_ROWS = 10
"""Rows of one origin and effect that are shown without a click."""

_FOLD = "<details><summary>{}</summary>\n\n{}\n\n</details>"


@dataclass(frozen=True, slots=True)
class Lines:
    """The changes of one effect: the head of their table, lines, and how many changes each has."""

    head: str
    lines: Sequence[str]
    changes: Sequence[int]


@dataclass(frozen=True, slots=True)
class Table:
    """The changes of one origin: a heading, and lines by effect. Equal heads are written once."""

    heading: str
    by_effect: Mapping[Effect, Lines]

    @property
    def fixed(self) -> int:
        """The room for all but lines."""
        folds = sum(len(each.lines) > _UNFOLDED_ROWS for each in self.by_effect.values())
        heads = sum(size(each.head) for each in self.by_effect.values())
        return size(self.heading) + 2 * heads + folds * 2 * size(_FOLD)

    @property
    def lines_size(self) -> int:
        return sum(size(line) for each in self.by_effect.values() for line in each.lines)

    def shown(self, taken: Mapping[Effect, int]) -> Mapping[Effect, int]:
        """How many changes the first lines of each effect have."""
        return {each: sum(self.by_effect[each].changes[:count]) for each, count in taken.items()}

    def text(self, taken: Mapping[Effect, int]) -> str:
        """The table with the first lines of each effect, those past ten folded away."""
        shown = {each: self.by_effect[each] for each in Effect if taken.get(each)}
        if not shown:
            return ""
        first: dict[str, list[str]] = {}
        folds = []
        for effect, each in shown.items():
            lines = each.lines[: taken[effect]]
            first.setdefault(each.head, []).extend(lines[:_UNFOLDED_ROWS])
            if len(lines) > _UNFOLDED_ROWS:
                more = sum(each.changes[_UNFOLDED_ROWS : len(lines)])
                title = f"{EFFECT_SYMBOLS[effect]} {more:,} more {EFFECT_WORDS[effect]}"
                body = "\n".join([each.head, *lines[_UNFOLDED_ROWS:]])
                folds.append(_FOLD.format(title, body))
        tables = ["\n".join([head, *lines]) for head, lines in first.items()]
        return "\n\n".join([self.heading, *tables, *folds])


class Detail(Enum):
    """How much of each change is shown: less where that makes room for more changes."""

    FULL = 0
    NO_REASONS = 1
    NO_LINES = 2
    LISTED = 3
    """Changes of one direction share a line."""


def section(of: Section, places: Places, detail: Detail) -> Table:
    """The changes of one origin in one table; columns without an entry are left out."""
    rows = of.rows
    if detail is Detail.LISTED:
        return _listed(of)
    columns = [
        ("", [effect(row) for row in rows]),
        ("Direction", [direction(row) for row in rows]),
        ("Limit", [limit(row.name) for row in rows]),
        ("Change", [_value(row, places, detail) for row in rows]),
        ("Who is affected", [row.affected for row in rows]),
        ("Line", [_line(row, places, detail) for row in rows]),
    ]
    kept = [each for each in columns if any(each[1])]
    head, lines = table(
        [title for title, _ in kept], zip(*(cells for _, cells in kept), strict=True)
    )
    return _table(of, head, [(row.effect, line, 1) for row, line in zip(rows, lines, strict=True)])


def _listed(of: Section) -> Table:
    """The changes of a direction, a few of them a line: all that is left to save room."""
    groups: list[list[Row]] = []
    for row in of.rows:
        last = groups[-1][-1] if groups else row
        alike = (last.effect, last.role) == (row.effect, row.role)
        same = alike and last.change.direction.key == row.change.direction.key
        if groups and same and len(groups[-1]) < _LISTED:
            groups[-1].append(row)
        else:
            groups.append([row])
    cells = [(effect(rows[0]), direction(rows[0]), _list(rows)) for rows in groups]
    head, lines = table(("", "Direction", "Limits"), cells)
    counted = zip(groups, lines, strict=True)
    return _table(of, head, [(rows[0].effect, line, len(rows)) for rows, line in counted])


def _list(rows: Sequence[Row]) -> str:
    words = [f"{limit(row.name)} {before_after(row.change)}" for row in rows]
    return "<br>".join([", ".join(words), *(row.affected for row in rows if row.affected)])


def _table(of: Section, head: str, lines: Sequence[tuple[Effect, str, int]]) -> Table:
    heading = f"**{of.title}** · {of.note}" if of.note else f"**{of.title}**"
    found: dict[Effect, Lines] = {}
    for effect in dict.fromkeys(effect for effect, _, _ in lines):
        own = [each[1:] for each in lines if each[0] is effect]
        found[effect] = Lines(head, [line for line, _ in own], [count for _, count in own])
    return Table(heading, found)


def effect(row: Row) -> str:
    """`🟠 ↓ lowered`: what a change does, and the colour of that."""
    words = f"{EFFECT_SYMBOLS[row.effect]} {EFFECT_WORDS[row.effect]}"
    return f"{_COLOURS[row.role]} {f'**{words}**' if _weighs(row) else words}"


def direction(row: Row) -> str:
    """`contacts → companies`."""
    return markdown_cell(f"{_object_type(row.from_name)} → {_object_type(row.to_name)}")


def _object_type(name: str) -> str:
    return markdown_code(name) if "→" in name else markdown_prose(name, NAME_LIMIT)


def limit(name: ShownName) -> str:
    """A limit's name: labels are code, the object limit is not."""
    words = "object limit" if name.label is None else markdown_code(name.label)
    if name.qualifier is not None:
        words += f" ({markdown_code(name.qualifier)})"
    return markdown_cell(words)


def _value(row: Row, places: Places, detail: Detail) -> str:
    """`5 → 6`, linked to its line, and the reason that the file gives below it."""
    words = row.value
    if _weighs(row):
        words = f"**{words}**"
    source = row.change.source
    if source is not None and detail is not Detail.NO_LINES:
        words = markdown_cell(markdown_link(words, places.links(source)))
    lines = prose_lines(row.change.reason or "", REASON_LIMIT) if detail is Detail.FULL else ()
    return words + "".join(
        f"<br><em>{markdown_cell(markdown_prose(line, REASON_LIMIT))}</em>" for line in lines
    )


def _line(row: Row, places: Places, detail: Detail) -> str:
    source = row.change.source
    if source is None or detail is Detail.NO_LINES:
        return ""
    return markdown_cell(places.link(source))


def _weighs(row: Row) -> bool:
    """Whether a change is written bold: all but a raise that nobody refuses."""
    return row.effect is not Effect.RAISED or row.role is Role.REFUSED
