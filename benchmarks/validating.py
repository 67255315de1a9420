"""Reading and checking many pair files."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import data
from benchmarks.lab import Lab
from benchmarks.measure import medians
from benchmarks.row import Row, timed


def rows(lab: Lab) -> Iterator[Row]:
    """`validate` of everything."""
    directory = lab.folder("validate")
    size = lab.size
    data.pair_files(directory, size.files, size.limits_per_file)
    (run,) = medians([lab.reconciler("validate", directory=directory)], size.runs)
    what = f"validate, {size.limits:,} limits in {size.files} files"
    yield timed(what, run, "(wanted: under 1.2 s and 150 MiB)")
