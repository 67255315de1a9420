"""Write docs/faults.md from a run: `python -m tests.applying.faults_table > docs/faults.md`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.model.plan import Status
from tests.applying.faults import LASTING, ONCE, Fault, Phase
from tests.applying.scenario import USUAL, phases, plan, play, positions
from tests.applying.world import SETTLE, TIMEOUT, VERIFY_TIMEOUT, Ran

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


# ---------------------------------------------------------------- the page

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"

ONCE_TITLE = "Faults that strike one request"
LASTING_TITLE = "Faults that last from one request on"

INTRODUCTION = """\
# What an apply does when something goes wrong

An apply of {changes} changes in {directions} directions sends {requests} requests. Each fault below was played at each
of these requests in turn, in each of its variants: {runs:,} applies against the stand-in that
`reconciler sandbox` runs, with `--timeout {timeout:g}`, `--verify-timeout {verify:g}` and `--settle {settle:g}`. This page was written by
`python -m tests.applying.faults_table > docs/faults.md`; `make test` plays a part of it again, and
`make torture` all of it.

A cell holds the exit codes that were seen, by what the apply was doing when the fault struck.

| exit | meaning |
|---|---|
| 0 | every change was written, and two reads of the portal agree on it |
| 1 | nothing was written |
| 4 | the plan was refused as stale; nothing was written |
| 5 | something was or may have been written; in brackets, what was not verified |

*Failed*: HubSpot refused it and its reads confirm that, or they show another value. *Uncertain*: it
was sent, and nobody can know yet whether it was written. *Not attempted*: it was never written,
because of what went wrong before it.

A write without a usable answer (a timeout, a broken connection, a 5xx, a 2xx that makes no sense) is
read back. What is not shown after a second is sent again, up to five times with growing pauses,
before the time is up: `update` and `purge` are idempotent. What was answered as written gets three
seconds. So one bad answer of any kind, at any request, ends in exit 0. A refusal (4xx, or an error
that names the limit) is an answer and is not asked for twice. Since a write may show late, its limits
are watched for 15 s before they count as failed, and the exit code is 5: a write had left.

After every one of these applies:

- the exit code and each change's status were true, compared with what the portal had done;
- HubSpot's rule held after every single write: no label limit above its object limit;
- no request named a limit or a value that the plan does not name, and none changed a limit twice;
- every write that reached the portal was in the journal before it left;
- the token was nowhere: not in the output, the journal, the result or the plan;
- one more apply put everything right, the plan after it was empty, and the first plan was refused.

Nothing that is shown changes any of this: a reader that left, a full disk, a closed stream or a
terminal that goes away leaves the exit code and the writes as they are.

A process that is killed leaves no report. What it wrote is in its journal:
[recovery](recovery.md).
"""


def document(once: Sequence[Row], lasting: Sequence[Row], runs: int) -> str:
    """The whole page."""
    made = plan(USUAL)
    introduction = INTRODUCTION.format(
        changes=len(made.changes),
        directions=len(made.by_direction),
        requests=len(phases(USUAL)),
        runs=runs,
        timeout=TIMEOUT,
        verify=VERIFY_TIMEOUT,
        settle=SETTLE,
    )
    return "\n".join([introduction, *_section(ONCE_TITLE, once), *_section(LASTING_TITLE, lasting)])


def _section(title: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| fault | {' | '.join(Phase)} |"
    yield "|---" * (len(Phase) + 1) + "|"
    yield from (str(row) for row in rows)
    yield ""


def committed() -> dict[str, dict[str, Row]]:
    """The rows of the page as it is, by section and by the fault's name."""
    _, once, lasting = DOCUMENT.read_text("utf-8").split("\n## ")
    return {ONCE_TITLE: read_rows(once), LASTING_TITLE: read_rows(lasting)}


def played(fault: Fault) -> tuple[Row, int]:
    """Every variant of a fault at every request; the row, and how many applies that took."""
    with TemporaryDirectory() as folder:
        runs: list[tuple[Phase, Ran]] = [
            (phases(USUAL)[number - 1], play(fault, number, variant, Path(folder)))
            for number in positions(fault, USUAL)
            for variant in range(len(fault.rules))
        ]
    return Row.of(fault, runs), len(runs)


def main() -> None:
    """Play everything, in several processes, and write the page to standard output."""
    with ProcessPoolExecutor() as pool:
        done = list(pool.map(_played, range(len(ONCE) + len(LASTING))))
    rows = [row for row, _ in done]
    runs = sum(count for _, count in done)
    sys.stdout.write(document(rows[: len(ONCE)], rows[len(ONCE) :], runs))


def _played(index: int) -> tuple[Row, int]:
    """By number, because a fault does not travel between processes."""
    return played((*ONCE, *LASTING)[index])


if __name__ == "__main__":
    main()
