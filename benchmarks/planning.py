"""A plan over the sandbox beside octoDNS with as many records."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import data
from benchmarks.applying import WORKSPACE
from benchmarks.lab import Lab, sandbox, script
from benchmarks.measure import Command, Run, medians
from benchmarks.row import Row, timed, times_as_fast

_FEW = 100
"""One limit in so many is changed."""


def rows(lab: Lab) -> Iterator[Row]:
    """All new, which is all that octoDNS's YAML target knows; a steady state; a few changed."""
    size = lab.size
    directory, changed = lab.folder("plan"), lab.folder("changed")
    data.pair_files(directory, size.files, size.limits_per_file)
    data.pair_files(changed, size.files, size.limits_per_file, raised_by=1, every=_FEW)
    for each in (directory, changed):
        (each / "reconciler.yaml").write_text(WORKSPACE, encoding="utf-8")
    empty = data.seed(size.files, size.limits_per_file, with_limits=False)
    equal = data.seed(size.files, size.limits_per_file)
    with sandbox(lab, empty) as to_empty, sandbox(lab, equal) as to_equal:
        commands = [
            lab.reconciler("plan", directory=each, environment=environment)
            for each, environment in (
                (directory, to_empty),
                (directory, to_equal),
                (changed, to_equal),
            )
        ]
        create, steady, few, *beside = medians([*commands, *octodns(lab)], size.runs)
    _expect(create, f"Plan: {size.limits} to create")
    _expect(steady, "No changes.")
    _expect(few, f"Plan: 0 to create {-(-size.limits // _FEW)} to update")
    found = (
        (f"plan, {size.limits:,} limits, all new", create, 4),
        (f"plan, {size.limits:,} limits, nothing to change", steady, 7),
        (f"plan, {size.limits:,} limits, one in {_FEW} changed", few, None),
    )
    if not beside:
        yield Row("octodns", "not installed", "the bench group has it")
        for what, run, _ in found:
            yield timed(what, run)
        return
    validate, sync = beside
    yield timed(f"octodns-validate, {size.limits:,} records", validate)
    yield timed(f"octodns-sync, {size.limits:,} records to create", sync)
    both = validate.seconds + sync.seconds
    for what, run, wanted in found:
        compared = "" if wanted is None else times_as_fast(both, run.seconds, wanted)
        alone = f"; against octodns-sync alone: {sync.seconds / run.seconds:.1f}"
        yield timed(what, run, compared + alone if compared else "")


def octodns(lab: Lab) -> list[Command]:
    """Its validation, and its plan from file to file; nothing where it is not installed."""
    if not script("octodns-sync").exists():
        return []
    directory = lab.folder("octodns")
    config = data.zones(directory, lab.size.files, lab.size.limits_per_file)
    return [
        Command((str(script(name)), "--config-file", str(config)), directory)
        for name in ("octodns-validate", "octodns-sync")
    ]


def _expect(run: Run, words: str) -> None:
    if words not in run.output.replace(",", ""):
        raise AssertionError(f"expected {words!r} in:\n{run.output[-2000:]}")
