"""A large apply: against the same requests one by one, and against a rate limit's own floor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from benchmarks import data
from benchmarks.lab import Lab, sandbox
from benchmarks.measure import Failed, Run, run
from benchmarks.row import Row, duration, timed, times_as_fast

RATE = 100  # requests per window
WINDOW = 10.0  # seconds
WORKSPACE = """\
version: 1
configs: configs
safety: {max_changes: 100000}
portals:
  default: {token: {env: HUBSPOT_ACCESS_TOKEN}}
"""


def rows(lab: Lab) -> Iterator[Row]:
    """Every limit of every direction changes, the object limit among them: two steps each."""
    directory = lab.folder("apply")
    plan = save_plan(lab, directory)
    yield Row(f"{lab.size.changes:,} changes, {lab.size.directions_to_change} directions", "")
    one_by_one = _apply(lab, plan, "one-by-one", "--concurrency", "1")
    parallel = _apply(lab, plan, "parallel")
    yield timed(
        f"one by one, {lab.size.latency} ms latency, {one_by_one.sent} requests", one_by_one.run
    )
    yield timed(
        f"apply, {lab.size.latency} ms latency, {parallel.sent} requests",
        parallel.run,
        times_as_fast(one_by_one.run.seconds, parallel.run.seconds, 9),
    )
    once = _apply(lab, plan, "one-read", "--settle", "0")
    yield timed(
        f"the same with one read after the writes, {once.sent} requests",
        once.run,
        f"{parallel.run.seconds - once.run.seconds:.1f} s less (settling takes {lab.size.settle:g} s)",
    )
    paced = _apply(lab, plan, "paced", rate=RATE)
    floor = WINDOW * ((paced.accepted - 1) // RATE)
    yield Row(f"floor of {paced.accepted} requests at {RATE} in {WINDOW:g} s", duration(floor))
    over = f"{(paced.run.seconds / floor - 1) * 100:.1f} % over" if floor else "no floor"
    yield timed(f"apply, {RATE} in {WINDOW:g} s", paced.run, f"{over} (wanted: at most 10 %)")
    most = paced.most_refusals_in_a_window()
    yield Row(
        "answers 429", f"{len(paced.refused)}", f"{most} in a window at most (wanted: at most 1)"
    )


def save_plan(lab: Lab, directory: Path) -> Path:
    """A saved plan that raises every limit by one."""
    size = lab.size
    data.pair_files(directory, size.directions_to_change, size.changes_per_direction, raised_by=1)
    (directory / "reconciler.yaml").write_text(WORKSPACE, encoding="utf-8")
    with sandbox(lab, seed_to_change(lab)) as environment:
        run(
            lab.reconciler(
                "plan", "--out", "plan.json", directory=directory, environment=environment
            )
        )
    path = directory / "plan.json"
    planned = len(json.loads(path.read_text(encoding="utf-8"))["changes"])
    if planned != size.changes:
        raise Failed(f"{planned} changes were planned, not {size.changes}")
    return path


@dataclass(frozen=True, slots=True)
class Applied:
    """One apply, and the answers to its requests as its journal tells them."""

    run: Run
    answers: tuple[tuple[datetime, int], ...]

    @property
    def sent(self) -> int:
        return len(self.answers)

    @property
    def refused(self) -> tuple[datetime, ...]:
        return tuple(at for at, status in self.answers if status == 429)

    @property
    def accepted(self) -> int:
        return self.sent - len(self.refused)

    def most_refusals_in_a_window(self) -> int:
        return max(
            (
                sum(0 <= (other - at).total_seconds() < WINDOW for other in self.refused)
                for at in self.refused
            ),
            default=0,
        )


def _apply(lab: Lab, plan: Path, name: str, *options: str, rate: int | None = None) -> Applied:
    """Apply the plan to a fresh portal."""
    journal = plan.with_name(f"{name}.jsonl")
    limited = () if rate is None else ("--rate", str(rate))
    with sandbox(
        lab, seed_to_change(lab), "--latency", str(lab.size.latency), *limited
    ) as environment:
        done = run(
            lab.reconciler(
                *(
                    "apply",
                    plan.name,
                    "--journal",
                    journal.name,
                    "--settle",
                    str(lab.size.settle),
                    *options,
                ),
                directory=plan.parent,
                environment=environment,
            )
        )
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    answers = [
        (datetime.fromisoformat(line["at"]), int(line["status"]))
        for line in lines
        if line["event"] == "answer"
    ]
    return Applied(done, tuple(answers))


def seed_to_change(lab: Lab) -> object:
    """The portal before the apply."""
    return data.seed(lab.size.directions_to_change, lab.size.changes_per_direction)
