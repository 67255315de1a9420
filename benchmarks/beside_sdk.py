"""The same reads and writes by a first script on HubSpot's own SDK, one request after another."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec

from benchmarks import data
from benchmarks.applying import WORKSPACE, save_plan, seed_to_change
from benchmarks.lab import Lab, sandbox
from benchmarks.measure import Command, medians, run
from benchmarks.row import Row, duration, timed, times_as_fast

_PART = 20
"""Directions that the script is timed on; the rest is reckoned at the same pace."""


def rows(lab: Lab) -> Iterator[Row]:
    """A plan in a steady state, and an apply of every limit, of one portal."""
    if find_spec("hubspot") is None:
        yield Row("HubSpot's SDK", "not installed", "the bench group has it")
        return
    size = lab.size
    directions = size.directions_to_change
    slow = ("--latency", str(size.latency))
    directory = lab.folder("steady")
    data.pair_files(directory, directions, size.changes_per_direction)
    (directory / "reconciler.yaml").write_text(WORKSPACE, encoding="utf-8")
    with sandbox(lab, seed_to_change(lab), *slow) as portal:
        reads = seconds_of_script(lab, "plan", directions, portal)
        plan = lab.reconciler("plan", directory=directory, environment=portal)
        (steady,) = medians([plan], size.runs_to_grow)
    what = f"{directions} directions, {size.latency} ms latency"
    yield Row(f"SDK script, reads of {what}", duration(reads), _scaled(directions))
    yield timed(f"plan, steady, {what}", steady, times_as_fast(reads, steady.seconds, 9))

    directory = lab.folder("changed")
    plan_file = save_plan(lab, directory)
    with sandbox(lab, seed_to_change(lab), *slow) as portal:
        writes = seconds_of_script(lab, "apply", directions, portal)
    with sandbox(lab, seed_to_change(lab), *slow) as portal:
        apply = ("apply", plan_file.name, "--settle", str(size.settle))
        applied = run(lab.reconciler(*apply, directory=directory, environment=portal))
    yield Row(f"SDK script, {size.changes:,} changes", duration(writes), _scaled(directions))
    yield timed(
        f"apply, {size.changes:,} changes", applied, times_as_fast(writes, applied.seconds, 9)
    )


def seconds_of_script(lab: Lab, what: str, directions: int, portal: Mapping[str, str]) -> float:
    """What the script would take for so many directions, reckoned from a part of them.

    The import of the SDK, 1 to 2 seconds, is left out in favour of the script.
    """
    part = min(directions, _PART)
    pairs = [f"{from_}:{to}" for from_, to in data.directions(directions)[:part]]
    command = Command(
        (sys.executable, "-m", "benchmarks.sdk", what, *pairs),
        lab.directory,
        {**portal, "PYTHONPATH": str(data.ROOT)},
    )
    said = json.loads(run(command).output.splitlines()[-1])
    return float(said["seconds"]) / part * directions


def _scaled(directions: int) -> str:
    part = min(directions, _PART)
    return "" if part == directions else f"timed on {part} directions and scaled"
