"""What every command costs before it does anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.lab import Lab
from benchmarks.measure import Command, medians
from benchmarks.row import Row, timed


def rows(lab: Lab) -> Iterator[Row]:
    """`reconciler --help` beside a bare import of click."""
    click = Command((sys.executable, "-c", "import click"), lab.directory)
    helping = lab.reconciler("--help", directory=lab.directory)
    bare, ours = medians([click, helping], lab.size.runs * 3)
    yield timed("python -c 'import click'", bare)
    yield timed(
        "reconciler --help",
        ours,
        f"{ours.seconds / bare.seconds:.2f} times as long (wanted: at most 1.5)",
    )
