"""A large saved plan in every format."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.applying import save_plan
from benchmarks.lab import Lab
from benchmarks.measure import medians
from benchmarks.row import Row, timed

FORMATS = ("text", "markdown", "json", "html", "mermaid")


def rows(lab: Lab) -> Iterator[Row]:
    """`show` in each format that this version has."""
    directory = lab.folder("render")
    plan = save_plan(lab, directory)
    offered = [name for name in FORMATS if name in _offered(lab)]
    commands = [
        lab.reconciler("show", str(plan), "--format", name, directory=directory) for name in offered
    ]
    for name, run in zip(offered, medians(commands, lab.size.runs), strict=True):
        size = f"{len(run.output.encode()) / 1024:.0f} KiB"
        yield timed(f"show --format {name}, {lab.size.changes:,} changes", run, size)


def _offered(lab: Lab) -> str:
    (run,) = medians([lab.reconciler("show", "--help", directory=lab.directory)], 1)
    return run.output
