"""A plan over the sandbox beside octoDNS with as many records."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import data
from benchmarks.applying import WORKSPACE
from benchmarks.lab import Lab, sandbox, script
from benchmarks.measure import Command, Run, medians
from benchmarks.row import Row, timed, times_as_fast


def rows(lab: Lab) -> Iterator[Row]:
    """Everything to be created, which is all that octoDNS's YAML target knows; and a steady state."""
    size = lab.size
    directory = lab.folder("plan")
    data.pair_files(directory, size.files, size.limits_per_file)
    (directory / "reconciler.yaml").write_text(WORKSPACE, encoding="utf-8")
    empty = data.seed(size.files, size.limits_per_file, with_limits=False)
    equal = data.seed(size.files, size.limits_per_file)
    with sandbox(lab, empty) as to_empty, sandbox(lab, equal) as to_equal:
        commands = [
            lab.reconciler("plan", directory=directory, environment=environment)
            for environment in (to_empty, to_equal)
        ]
        create, steady, *octodns = medians([*commands, *_octodns(lab)], size.runs)
    _expect(create, f"Plan: {size.limits} to create")
    _expect(steady, "No changes.")
    if not octodns:
        yield timed(f"plan, {size.limits:,} limits to create", create)
        yield timed(f"plan, {size.limits:,} limits, nothing to change", steady)
        yield Row("octodns", "not installed", "the bench group has it")
        return
    validate, sync = octodns
    yield timed(f"octodns-validate, {size.limits:,} records", validate)
    yield timed(f"octodns-sync, {size.limits:,} records to create", sync)
    both = validate.seconds + sync.seconds
    for what, run in (("to create", create), ("nothing to change", steady)):
        compared = times_as_fast(both, run.seconds, 5)
        alone = f"; against octodns-sync alone: {sync.seconds / run.seconds:.1f}"
        yield timed(f"plan, {size.limits:,} limits, {what}", run, compared + alone)


def _octodns(lab: Lab) -> list[Command]:
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
