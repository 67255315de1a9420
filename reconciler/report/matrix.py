"""The picture of a plan: the object types from which, and to which, limits change.

A matrix needs no layout algorithm: it can be read with forty object types as with two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.plan import Origin
from reconciler.report.view import EFFECT_SYMBOLS, EFFECT_WORDS, Effect, Group, Role, Row, Section

MOST_CELLS = 6_400
"""A matrix of more cells, of eighty object types, is neither readable nor small."""

_ORIGIN_SYMBOLS = {Origin.DRIFT: "⚠", Origin.CONFLICT: "↯"}
_ORIGIN_WORDS = {Origin.DRIFT: "drift: ", Origin.CONFLICT: "conflict: "}
_STRONGEST_FIRST = (Role.REFUSED, Role.RESTRICTS, Role.RELAXES)


@dataclass(frozen=True, slots=True)
class Cell:
    """What changes in one direction: its strongest effect, a mark per origin, and all in words.

    `first` is the change of the direction that a reader of the tables meets first.
    """

    role: Role
    marks: tuple[str, ...]
    words: str
    first: Row


@dataclass(frozen=True, slots=True)
class Heading:
    """An object type as the heading of a row or a column; `spare`: nothing changes in it."""

    name: str
    spare: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """A row for each object type that limits are of, a column for each that they lead to."""

    columns: tuple[Heading, ...]
    rows: tuple[tuple[Heading, tuple[Cell | None, ...]], ...]

    @property
    def has_spare(self) -> bool:
        """Whether there are rows or columns in which nothing changes."""
        return any(each.spare for each in (*self.columns, *(row for row, _ in self.rows)))


def matrix(sections: Sequence[Section]) -> Matrix | None:
    """The matrix of all object types of a plan; only of those with changes where it is too big.

    None: nothing changes, or it has more than `MOST_CELLS` cells all the same.
    """
    groups = [group for section in sections for group in section.groups]
    froms = _sorted((each.direction.from_.id, each.from_name) for each in groups)
    tos = _sorted((each.direction.to.id, each.to_name) for each in groups)
    every = _sorted((froms | tos).items())
    rows, columns = (every, every) if len(every) ** 2 <= MOST_CELLS else (froms, tos)
    if not groups or len(rows) * len(columns) > MOST_CELLS:
        return None
    cells = _cells(sections)
    return Matrix(
        tuple(Heading(name, to not in tos) for to, name in columns.items()),
        tuple(
            (Heading(name, from_ not in froms), tuple(cells.get((from_, to)) for to in columns))
            for from_, name in rows.items()
        ),
    )


def _sorted(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names by object type ID, sorted as people sort them: `unit 9` before `unit 10`."""
    return dict(sorted(dict(names).items(), key=lambda each: (_natural(each[1]), each[0])))


def _natural(name: str) -> list[tuple[int, str]]:
    """Digits compare as numbers: by their length first, since their values may be huge."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.casefold())
    return [
        (len(each.lstrip("0")), each.lstrip("0")) if each.isdecimal() else (-1, each)
        for each in parts
    ]


def _cells(sections: Iterable[Section]) -> Mapping[tuple[str, str], Cell]:
    found: dict[tuple[str, str], list[tuple[Origin | None, Group]]] = {}
    first: dict[tuple[str, str], Row] = {}
    for section in sections:
        for group in section.groups:
            found.setdefault(group.direction.key, []).append((section.origin, group))
        for row in section.rows:
            first.setdefault(row.change.direction.key, row)
    return {key: _cell(parts, first[key]) for key, parts in found.items()}


def _cell(parts: Sequence[tuple[Origin | None, Group]], first: Row) -> Cell:
    roles = {row.role for _, group in parts for row in group.rows}
    role = next(each for each in _STRONGEST_FIRST if each in roles)
    said = [_words(origin, group) for origin, group in parts]
    if role is Role.REFUSED:
        said.append("apply will refuse it")
    return Cell(
        role,
        tuple(_mark(origin, group) for origin, group in parts),
        f"{parts[0][1].name}: {'; '.join(said)}",
        first,
    )


def _mark(origin: Origin | None, group: Group) -> str:
    symbol = "" if origin is None else _ORIGIN_SYMBOLS.get(origin, "")
    return symbol + " ".join(f"{EFFECT_SYMBOLS[each]}{count}" for each, count in _counts(group))


def _words(origin: Origin | None, group: Group) -> str:
    whose = "" if origin is None else _ORIGIN_WORDS.get(origin, "")
    return whose + ", ".join(f"{count} {EFFECT_WORDS[each]}" for each, count in _counts(group))


def _counts(group: Group) -> list[tuple[Effect, int]]:
    counts = Counter(row.effect for row in group.rows)
    return [(each, counts[each]) for each in Effect if counts[each]]
