"""How time and memory grow with limits and with portals, so that a bend in the curve is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import data
from benchmarks.applying import WORKSPACE
from benchmarks.lab import Lab, sandbox
from benchmarks.measure import Run, medians
from benchmarks.row import Row, timed


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement of a curve: how many limits or portals, and what the command took."""

    count: int
    run: Run


@dataclass(frozen=True, slots=True)
class Curve:
    """One command over growing input. `unit`: what is counted; `notes`: what it is held against."""

    name: str
    unit: str
    points: tuple[Point, ...]
    notes: tuple[Row, ...] = ()

    def rows(self) -> Iterator[Row]:
        """Each step with what one more costs there; the last also against the step before it."""
        costs: list[float] = []
        for smaller, point in zip((None, *self.points), self.points, strict=False):
            words = ""
            if smaller is not None:
                more = point.count - smaller.count
                costs.append((point.run.seconds - smaller.run.seconds) / more)
                words = f"{_small(costs[-1])} for one {self.unit} more"
            if point is self.points[-1] and len(costs) > 1:
                words += f", {costs[-1] / costs[-2] - 1:+.0%} against the step before"
            yield timed(f"{self.name}, {point.count:,} {self.unit}s", point.run, words)
        yield from self.notes


def _small(seconds: float) -> str:
    return f"{seconds * 1_000_000:.0f} µs" if seconds < 0.001 else f"{seconds * 1000:.1f} ms"


def limits(lab: Lab) -> Iterator[Curve]:
    """`validate`, and a plan in a steady state, of a hundred limits and more."""
    found: dict[str, list[Point]] = {"validate": [], "plan, steady": []}
    for count in lab.size.limits_to_grow:
        files = max(count // lab.size.limits_per_file, 1)
        each = count // files
        directory = lab.folder(f"growth-{count}")
        data.pair_files(directory, files, each)
        (directory / "reconciler.yaml").write_text(WORKSPACE, encoding="utf-8")
        with sandbox(lab, data.seed(files, each)) as portal:
            commands = [
                lab.reconciler("validate", directory=directory),
                lab.reconciler("plan", directory=directory, environment=portal),
            ]
            for name, run in zip(found, medians(commands, lab.size.runs_to_grow), strict=True):
                found[name].append(Point(count, run))
    for name, points in found.items():
        yield Curve(name, "limit", tuple(points))
