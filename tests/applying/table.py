"""How applies end under each fault, as cells of a table that a run fills and a document holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.model.plan import Status
from tests.applying.faults import Fault, Phase
from tests.applying.world import Ran

_CELL = re.compile(r"(?P<code>\d+)(?: \((?P<statuses>[^)]*)\))?")
NOWHERE = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """Exit codes, and what was not verified where the apply was incomplete."""

    codes: frozenset[int] = frozenset()
    statuses: frozenset[str] = frozenset()

    @classmethod
    def of(cls, runs: Iterable[Ran]) -> Cell:
        """The cell that these applies fill."""
        found = list(runs)
        return cls(
            frozenset(int(ran.code) for ran in found),
            frozenset(
                str(each.status).replace("_", " ")
                for ran in found
                if ran.code == 5
                for each in ran.result.changes
                if each.status is not Status.VERIFIED
            ),
        )

    @classmethod
    def read(cls, text: str) -> Cell:
        """The cell that a document shows."""
        codes: set[int] = set()
        statuses: set[str] = set()
        for found in _CELL.finditer(text):
            codes.add(int(found["code"]))
            statuses.update(found["statuses"].split(", ") if found["statuses"] else ())
        return cls(frozenset(codes), frozenset(statuses))

    def __str__(self) -> str:
        if not self.codes:
            return NOWHERE
        incomplete = f"5 ({', '.join(sorted(self.statuses))})"
        return " or ".join(incomplete if code == 5 else str(code) for code in sorted(self.codes))

    def __le__(self, other: Cell) -> bool:
        return self.codes <= other.codes and self.statuses <= other.statuses


@dataclass(frozen=True, slots=True)
class Row:
    """What one fault leads to, by what the apply is doing when it strikes."""

    name: str
    cells: tuple[Cell, ...]

    @classmethod
    def of(cls, fault: Fault, runs: Sequence[tuple[Phase, Ran]]) -> Row:
        """The row that these applies fill."""
        return cls(
            fault.name,
            tuple(Cell.of(ran for at, ran in runs if at is phase) for phase in Phase),
        )

    def __str__(self) -> str:
        return f"| {self.name} | {' | '.join(str(cell) for cell in self.cells)} |"

    def __le__(self, other: Row) -> bool:
        return all(mine <= theirs for mine, theirs in zip(self.cells, other.cells, strict=True))


def read_rows(section: str) -> dict[str, Row]:
    """The rows of one section of the document, by the fault's name."""
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return {name: Row(name, tuple(Cell.read(cell) for cell in cells)) for name, *cells in lines[2:]}
