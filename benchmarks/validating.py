"""Reading and checking pair files: the smallest run, and many beside octoDNS."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import data
from benchmarks.lab import Lab
from benchmarks.measure import medians
from benchmarks.planning import octodns
from benchmarks.row import Row, timed, times_as_fast


def rows(lab: Lab) -> Iterator[Row]:
    """`validate` of one limit, and of everything."""
    one, directory = lab.folder("one"), lab.folder("validate")
    size = lab.size
    data.pair_files(one, 1, 1)
    data.pair_files(directory, size.files, size.limits_per_file)
    ours = [lab.reconciler("validate", directory=each) for each in (one, directory)]
    single, run, *beside = medians([*ours, *octodns(lab)[:1]], size.runs)
    yield timed("validate, 1 limit", single)
    for validated in beside:
        yield timed(f"octodns-validate, {size.limits:,} records", validated)
    compared = times_as_fast(beside[0].seconds, run.seconds, 6) if beside else ""
    yield timed(f"validate, {size.limits:,} limits in {size.files} files", run, compared)
