"""`python -m benchmarks [--small] [NAME…]`: run all measurements or the named ones."""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from benchmarks import adopting, applying, planning, rendering, start_up, validating
from benchmarks.lab import SMALL, WHOLE, Lab, Size
from benchmarks.measure import Failed

MEASUREMENTS = {
    "help": start_up.rows,
    "validate": validating.rows,
    "plan": planning.rows,
    "render": rendering.rows,
    "apply": applying.rows,
    "adopt": adopting.rows,
}


def main() -> int:
    parser = ArgumentParser(prog="benchmarks", description="Measure side by side.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--small", action="store_true", help="little data, to see that all works")
    given = parser.parse_args()
    unknown = set(given.names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no measurement named {', '.join(sorted(unknown))}")
    try:
        for name in given.names or MEASUREMENTS:
            _measure(name, SMALL if given.small else WHOLE)
    except Failed as failure:
        print(f"benchmarks: {failure}", file=sys.stderr)
        return 1
    return 0


def _measure(name: str, size: Size) -> None:
    print(name, flush=True)
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as directory:
        for row in MEASUREMENTS[name](Lab(Path(directory), size)):
            print(row, flush=True)


if __name__ == "__main__":
    sys.exit(main())
