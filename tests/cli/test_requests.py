"""How many requests each command sends, and in how many round trips: pinned, and documented.

A round trip is counted by holding every answer back until as many requests are under way as the
table says. A request that waits for another one's answer never comes, and the test fails.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.sandbox.example import generated_portal
from reconciler.sandbox.portal import Category, Portal
from reconciler.sandbox.server import Server
from reconciler.sandbox.stand_in import Options, Sandbox
from reconciler.sandbox.wire import Request, Response
from tests.cli.running import Desk, git
from tests.project.command import ROOT

DIRECTIONS = 16
LABELS = 2
CHANGED = 3
OBJECT_LIMIT, LABEL_LIMIT = 1_001, 1
"""What the generated portal has."""

SECONDS = 20.0
"""How long a round trip waits for a request that does not come, before the test fails."""


class Gate(Server):
    """A sandbox that answers nothing until as many requests are under way as are expected."""

    def __init__(self, portal: Portal, others: Sequence[Sandbox]) -> None:
        super().__init__(portal, others=others)
        self._turn = threading.Condition()
        self._expected: list[int] = []
        self._round = 0
        self._under_way = 0
        self.is_open = True
        self.problem: str | None = None

    def close_for(self, round_trips: tuple[int, ...]) -> None:
        """From now on, these round trips of so many requests each are expected."""
        with self._turn:
            self._expected, self._round, self._under_way = list(round_trips), 0, 0
            self.is_open, self.problem = False, None

    def handle(self, request: Request) -> Response:
        if not self.is_open:
            self._wait(request)
        return super().handle(request)

    def _wait(self, request: Request) -> None:
        with self._turn:
            mine = self._round
            if mine >= len(self._expected):
                self.problem = self.problem or f"one more request: {request.path}"
                return
            self._under_way += 1
            if self._under_way == self._expected[mine]:
                self._round, self._under_way = mine + 1, 0
                self._turn.notify_all()
            elif not self._turn.wait_for(lambda: self._round > mine or self.problem, SECONDS):
                found = f"{self._under_way} of {self._expected[mine]} requests"
                self.problem = f"round trip {mine + 1}: {found}, the last one is {request.path}"
                self._turn.notify_all()

    def check(self) -> None:
        """Raise AssertionError unless all that was expected came, and nothing else."""
        assert self.problem is None, self.problem
        left = self._expected[self._round :]
        assert not left, f"requests that did not come: {left}"


@contextmanager
def gate(portal: Portal, *others: Sandbox) -> Iterator[Gate]:
    """The same, listening."""
    server = Gate(portal, others)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.is_open = True
        server.stop()
        thread.join()
        server.close()


# ---------------------------------------------------------------- what is run


def pairs(count: int) -> list[tuple[str, str]]:
    """The directions that the sandbox generates."""
    found = generated_portal(count, LABELS).directions
    return sorted((each.from_id, each.to_id) for each in found)


def declare(desk: Desk, count: int = DIRECTIONS, *, moved: int = 0, by: int = 0) -> None:
    """A pair file for each direction, as the portal has it but for the labels of the first ones."""
    for number, (from_id, to_id) in enumerate(pairs(count)):
        limit = LABEL_LIMIT + (by if number < moved else 0)
        lines = [f"from: {from_id}", f"to: {to_id}", f"max: {OBJECT_LIMIT}", "labels:"]
        lines += [f"  Label {each}: {limit}" for each in range(1, LABELS + 1)]
        desk.write(f"configs/{from_id}_{to_id}.yaml", "\n".join(lines) + "\n")


def set_labels(server: Gate, directions: list[tuple[str, str]], to: int) -> None:
    """Somebody sets the label limits of these directions in HubSpot."""
    for direction in directions:
        for category, type_id in server.limits(*direction):
            if category == Category.USER_DEFINED:
                server.edit(*direction, type_id, to)


def named(desk: Desk, moved: int, by: int) -> None:
    """Protected limits, raised in some directions, in files that name the custom objects."""
    declare(desk, moved=moved, by=by)
    for path in (desk.folder / "configs").iterdir():
        text = re.sub(r"2-900(\d)", r"thing\1", path.read_text())
        path.write_text(re.sub(r"(Label \d): (\d)", r"\1: {max: \2, protect: true}", text))


def by_name(desk: Desk, _: Gate) -> None:
    """Files and portal are equal."""
    named(desk, 0, 0)


def saved_by_name(desk: Desk, _: Gate) -> None:
    """A reviewed plan that raises protected limits of three directions."""
    named(desk, CHANGED, 1)
    assert desk.run_here("plan", "--out", "plan.json").code == 0


def steady(desk: Desk, _: Gate) -> None:
    """Files and portal are equal."""
    declare(desk)


def raising(desk: Desk, _: Gate) -> None:
    """The files raise the labels of three directions."""
    declare(desk, moved=CHANGED, by=1)


def lowering(count: int, all_of: int = DIRECTIONS) -> Callable[[Desk, Gate], None]:
    """The files lower the labels of so many directions."""

    def prepare(desk: Desk, server: Gate) -> None:
        set_labels(server, pairs(all_of)[:count], LABEL_LIMIT + 5)
        declare(desk, all_of)

    return prepare


def drifted(desk: Desk, _: Gate) -> None:
    """Somebody lowered the labels of three directions in HubSpot."""
    declare(desk, moved=CHANGED, by=3)
    git(desk, "init", "-q", "-b", "main")
    git(desk, "add", ".")
    git(desk, "commit", "-q", "-m", "limits")


def raised_by_hand(desk: Desk, server: Gate) -> None:
    """Somebody raised the labels of three directions in HubSpot."""
    drifted(desk, server)
    set_labels(server, pairs(DIRECTIONS)[:CHANGED], LABEL_LIMIT + 5)


def saved(desk: Desk, server: Gate) -> None:
    """A reviewed plan that raises the labels of three directions."""
    raising(desk, server)
    assert desk.run_here("plan", "--out", "plan.json").code == 0


def nothing(_: Desk, __: Gate) -> None:
    """There is no file."""


SECOND_TOKEN = "second-token"


def two_portals(desk: Desk, _: Gate) -> None:
    """Two portals with tokens of their own."""
    desk.variables["HUBSPOT_SECOND"] = SECOND_TOKEN
    desk.write(
        "reconciler.yaml",
        "version: 1\nportals:\n"
        "  a: {token: {env: HUBSPOT_ACCESS_TOKEN}}\n  b: {token: {env: HUBSPOT_SECOND}}\n",
    )


@dataclass(frozen=True)
class Row:
    """One command in one situation: what it is given, and the requests of each round trip."""

    command: str
    situation: str
    formula: str
    round_trips: tuple[int, ...]
    prepare: Callable[[Desk, Gate], None]
    directions: int = DIRECTIONS
    has_limits: bool = True

    @property
    def requests(self) -> int:
        return sum(self.round_trips)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as the documentation has it."""
        return (
            f"`{self.command}`",
            self.situation,
            self.formula,
            str(self.requests),
            str(len(self.round_trips)),
        )


WRITES = (CHANGED, CHANGED, CHANGED)
"""The steps, a read of what came of them, and one more after the settling time."""

ROWS = (
    Row("validate", "", "0", (), steady),
    Row("plan", "nothing differs", "D + 1", (16, 1), steady),
    Row("plan", "custom objects by name", "D + 2", (2, 16), by_name),
    Row("plan", "limits are raised", "D + 1", (16, 1), raising),
    Row("plan", "limits are lowered", "D + 1 + R", (16, 1, 3), lowering(CHANGED)),
    Row("plan --no-usage", "limits are lowered", "D + 1", (16, 1), lowering(CHANGED)),
    Row("plan --base main", "drift is put back", "D + 1 + C", (16, 1, 3), drifted),
    Row("plan --base main", "drift, limits lowered", "D + 1 + C + R", (16, 1, 6), raised_by_hand),
    Row("plan", "20 directions lowered", "D + 2", (16, 5, 1), lowering(20, 20), directions=20),
    Row(
        "plan --no-usage",
        "labels without a limit yet",
        "2 D + 1",
        (16, 16, 1),
        steady,
        has_limits=False,
    ),
    Row("plan", "labels without a limit yet", "3 D + 1", (16, 16, 1, 16), steady, has_limits=False),
    Row("apply plan.json --dry-run", "", "C + 1", (4,), saved),
    Row(
        "apply plan.json --dry-run",
        "protected, custom objects by name",
        "C + 2",
        (2, 3),
        saved_by_name,
    ),
    Row("apply plan.json", "", "1 + 4 C", (4, *WRITES), saved),
    Row("apply --auto-approve", "nothing differs", "D + 1", (16, 1), steady),
    Row("apply --auto-approve", "", "D + 2 + 4 C", (16, 1, 4, *WRITES), raising),
    Row("apply --expect-digest", "", "D + 2 + 4 C", (16, 1, 4, *WRITES), saved),
    Row("status", "", "D + 4", (3, 12, 1), nothing, directions=12),
    Row("import", "", "2 D + 3", (1, 2, 12, 12), nothing, directions=12),
    Row("compare a b", "", "2 D + 6", (3, 12, 3, 12), two_portals, directions=12),
    Row("doctor", "", "6", (1, 1, 1, 1, 1, 1), nothing),
)


def arguments(row: Row, desk: Desk) -> list[str]:
    """The command line, with the digest that was reviewed."""
    given = row.command.split()
    if given[0] == "apply" and "--expect-digest" in given:
        given.append(json.loads((desk.folder / "plan.json").read_text())["digest"])
    if given[0] in {"apply", "plan"}:
        given += ["--settle", "0.1"]
    return [*given, "--format", "json"] if given[0] == "apply" else given


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.command} {row.situation}".strip())
def test_a_command_sends_no_more_requests_than_documented(row: Row, tmp_path: Path) -> None:
    """And waits for no answer before a request that does not need it."""
    portal = generated_portal(row.directions, LABELS, limit=LABEL_LIMIT if row.has_limits else None)
    second = replace(portal, portal_id=portal.portal_id + 1)
    with gate(portal, Sandbox(second, Options(token=SECOND_TOKEN))) as server:
        desk = Desk(tmp_path, server)
        row.prepare(desk, server)
        given = arguments(row, desk)
        server.close_for(row.round_trips)
        ran = desk.run_here(*given, "--timeout", "60") if row.requests else desk.run_here(*given)
        server.check()
    assert ran.code == 0, ran.err
    if row.command.startswith("apply"):
        assert ran.json["requests"] == row.requests


# ---------------------------------------------------------------- what is documented


HEADER = ("Command", "Where", "Requests", "Here", "Round trips")


def table() -> str:
    """The rows as docs/performance.md has them."""
    lines = [HEADER, ("---",) * len(HEADER), *(row.cells for row in ROWS)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def test_the_documentation_has_this_table() -> None:
    """Paste what the failure prints where the documentation differs."""
    documented = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert table() in documented, f"docs/performance.md needs this table:\n{table()}"
    for number in (DIRECTIONS, CHANGED):
        assert f"= {number}" in documented


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.command} {row.situation}".strip())
def test_the_formula_gives_the_number(row: Row) -> None:
    """`D + 2 + 4 C` with the directions, and those that change, of the row."""
    values = {"D": row.directions, "C": CHANGED, "R": CHANGED}
    total = 0
    for term in row.formula.split(" + "):
        factor, _, name = term.rpartition(" ")
        total += int(factor or 1) * values[name] if name in values else int(name)
    assert total == row.requests
