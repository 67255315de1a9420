"""Many portals in one command: how its time grows, and what it is held against."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

from benchmarks import data
from benchmarks.beside_sdk import seconds_of_script
from benchmarks.growth import Curve, Point
from benchmarks.lab import TOKEN, Lab, sandbox
from benchmarks.measure import medians
from benchmarks.row import Row, duration, times_as_fast

_FEW = 10
"""Up to so many portals are measured several times over."""


def portals(lab: Lab) -> Curve:
    """A plan of all portals of a workspace in a steady state, at the latency of a network."""
    size, points = lab.size, []
    for count in size.portals_to_grow:
        directory = lab.folder(f"portals-{count}")
        data.pair_files(directory, size.directions_of_a_portal, size.limits_of_a_direction)
        tokens = write_workspace(directory, count)
        with many_portals(lab, count) as address:
            plan = lab.reconciler(
                *("plan", "--all-portals"), directory=directory, environment={**tokens, **address}
            )
            (found,) = medians([plan], size.runs_to_grow if count <= _FEW else 1)
        points.append(Point(count, found))
    name = f"plan, {size.directions_of_a_portal} directions each, {size.latency} ms latency"
    return Curve(name, "portal", tuple(points), tuple(_notes(lab, points[-1])))


def _notes(lab: Lab, most: Point) -> Iterator[Row]:
    """The largest run against what its CPU allows, and against the SDK script."""
    requests = most.count * (lab.size.directions_of_a_portal + 1)
    cores = os.cpu_count() or 1
    floor = most.run.cpu / cores
    yield Row(
        f"the same on {cores} cores, if nothing but its CPU counted",
        duration(floor),
        f"took {most.run.seconds / floor:.1f} times that, the sandbox on the same cores; "
        f"{most.run.cpu / requests * 1000:.2f} ms CPU for each of {requests:,} requests",
    )
    if find_spec("hubspot") is None:
        yield Row("HubSpot's SDK", "not installed", "the bench group has it")
        return
    with many_portals(lab, 1) as address:
        portal = {**address, "HUBSPOT_ACCESS_TOKEN": TOKEN}
        one = seconds_of_script(lab, "plan", lab.size.directions_of_a_portal, portal)
    script = one * most.count
    yield Row(
        f"SDK script, reads of {most.count} portals",
        duration(script),
        f"timed on one portal and scaled; {times_as_fast(script, most.run.seconds, 60)}",
    )


def many_portals(lab: Lab, count: int) -> AbstractContextManager[Mapping[str, str]]:
    """One sandbox that stands in for so many portals alike, answering as late as a network."""
    size = lab.size
    seed = data.seed(size.directions_of_a_portal, size.limits_of_a_direction)
    return sandbox(lab, seed, "--portals", str(count), "--latency", str(size.latency))


def write_workspace(directory: Path, count: int) -> dict[str, str]:
    """A workspace of so many portals; the variables that hold their tokens."""
    names = {f"portal-{n:03}": f"HUBSPOT_TOKEN_{n}" for n in range(1, count + 1)}
    lines = [f"  {name}: {{token: {{env: {variable}}}}}" for name, variable in names.items()]
    text = "\n".join(["version: 1", "configs: configs", "portals:", *lines])
    (directory / "reconciler.yaml").write_text(f"{text}\n", encoding="utf-8")
    tokens = [TOKEN, *(f"{TOKEN}-{n}" for n in range(2, count + 1))]
    return dict(zip(names.values(), tokens, strict=True))
