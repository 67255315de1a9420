"""`python -m benchmarks [--small] [--write] [NAME…]`: run all measurements or the named ones.

`--write` puts them into docs/performance.md, between its marks, and draws docs/images/growth.svg.
"""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    adopting,
    applying,
    beside_sdk,
    chart,
    counting,
    growth,
    planning,
    portals,
    rendering,
    requesting,
    start_up,
    validating,
)
from benchmarks.growth import Curve
from benchmarks.lab import SMALL, WHOLE, Lab, Size
from benchmarks.machine import describe
from benchmarks.measure import Failed
from benchmarks.row import Row

MEASUREMENTS = {
    "help": start_up.rows,
    "validate": validating.rows,
    "plan": planning.rows,
    "render": rendering.rows,
    "apply": applying.rows,
    "sdk": beside_sdk.rows,
    "adopt": adopting.rows,
    "request": requesting.rows,
    "instructions": counting.rows,
}
GROWTH = "growth"
DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
PICTURE = DOCUMENT.parent / "images" / "growth.svg"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->"


def main() -> int:
    names = [*MEASUREMENTS, GROWTH]
    parser = ArgumentParser(prog="benchmarks", description="Measure side by side.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--small", action="store_true", help="little data, to see that all works")
    parser.add_argument("--write", action="store_true", help="put all of it into docs/")
    given = parser.parse_args()
    unknown = set(given.names) - set(names)
    if unknown:
        parser.error(f"no measurement named {', '.join(sorted(unknown))}")
    if given.write and given.names:
        parser.error("--write takes all measurements")
    size = SMALL if given.small else WHOLE
    begin = time.monotonic()
    print(describe(), flush=True)
    measured: dict[str, list[Row]] = {}
    curves: list[Curve] = []
    try:
        for name in given.names or names:
            print(name, flush=True)
            measured[name] = list(_measure(name, size, curves))
    except Failed as failure:
        print(f"benchmarks: {failure}", file=sys.stderr)
        return 1
    print(f"measured in {(time.monotonic() - begin) / 60:.1f} minutes")
    if given.write:
        _write(measured, curves)
    return 0


def _measure(name: str, size: Size, curves: list[Curve]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as directory:
        lab = Lab(Path(directory), size)
        for row in _growth(lab, curves) if name == GROWTH else MEASUREMENTS[name](lab):
            print(row, flush=True)
            yield row


def _growth(lab: Lab, curves: list[Curve]) -> Iterator[Row]:
    for curve in (*growth.limits(lab), portals.portals(lab)):
        curves.append(curve)
        yield from curve.rows()


def _write(measured: Mapping[str, Sequence[Row]], curves: Sequence[Curve]) -> None:
    chart.draw(curves, PICTURE)
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_measured(text, describe(), measured), encoding="utf-8")


def with_measured(text: str, machine: str, measured: Mapping[str, Sequence[Row]]) -> str:
    """The document with a table of all rows in place of what is between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Failed(f"{DOCUMENT} has no marks to put the figures between")
    lines = [f"Measured on {machine}.", "", "| measured | median | beside it |", "|---|---|---|"]
    lines += [row.markdown for rows in measured.values() for row in rows]
    return "\n".join([f"{before}{begin}", *lines, "", end]) + after


if __name__ == "__main__":
    sys.exit(main())
