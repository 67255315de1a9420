"""Instructions of a command, counted by valgrind's callgrind: they repeat on a noisy machine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

from benchmarks import data
from benchmarks.applying import WORKSPACE
from benchmarks.lab import Lab, sandbox
from benchmarks.measure import Command, run
from benchmarks.row import Row

_FOUND = re.compile(r"Collected : (\d+)")
_STEADY = {"PYTHONHASHSEED": "0"}
"""One order of every set, so that two counts of one command agree."""


def rows(lab: Lab) -> Iterator[Row]:
    """`validate` of one file and of all files, and a steady plan of a tenth of them."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        yield Row("instructions", "not counted", "valgrind is not installed")
        return
    size = lab.size
    for files in (1, size.files):
        directory = lab.folder(f"count-{files}")
        data.pair_files(directory, files, size.limits_per_file)
        what = f"validate, {files * size.limits_per_file:,} limits"
        yield _counted(valgrind, what, lab.reconciler("validate", directory=directory))
    files = max(size.files // 10, 1)
    directory = lab.folder("count-plan")
    data.pair_files(directory, files, size.limits_per_file)
    (directory / "reconciler.yaml").write_text(WORKSPACE, encoding="utf-8")
    with sandbox(lab, data.seed(files, size.limits_per_file)) as portal:
        plan = lab.reconciler(
            *("plan", "--concurrency", "1"), directory=directory, environment=portal
        )
        yield _counted(valgrind, f"plan, {files * size.limits_per_file:,} limits, steady", plan)


def _counted(valgrind: str, what: str, command: Command) -> Row:
    counted = Command(
        (valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *command.arguments),
        command.directory,
        {**command.environment, **_STEADY},
    )
    found = _FOUND.search(run(counted).output)
    millions = int(found[1]) / 1_000_000 if found else 0
    return Row(what, f"{millions:,.0f} million instructions")
