"""Where the measurements take place: a folder to write to, the command, and its sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Command, Failed

TOKEN = "sandbox-token"  # noqa: S105 - opens the sandbox and nothing else


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure with. `latency`: milliseconds of an answer; `settle`: seconds."""

    runs: int
    files: int
    limits_per_file: int
    directions_to_change: int
    changes_per_direction: int
    latency: int
    settle: float
    requests: int
    runs_to_grow: int
    limits_to_grow: tuple[int, ...]
    portals_to_grow: tuple[int, ...]
    directions_of_a_portal: int
    limits_of_a_direction: int

    @property
    def limits(self) -> int:
        return self.files * self.limits_per_file

    @property
    def changes(self) -> int:
        return self.directions_to_change * self.changes_per_direction


WHOLE = Size(
    5, 200, 50, 200, 10, 100, 2.0, 2_000, 3, (100, 1_000, 10_000, 100_000), (1, 10, 100, 500), 20, 5
)
SMALL = Size(1, 4, 5, 4, 3, 5, 0.1, 50, 1, (10, 20), (1, 2), 3, 2)


@dataclass(frozen=True, slots=True)
class Lab:
    """A folder of its own and a size."""

    directory: Path
    size: Size

    def folder(self, name: str) -> Path:
        path = self.directory / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def reconciler(
        self, *arguments: str, directory: Path, environment: Mapping[str, str] | None = None
    ) -> Command:
        """A `reconciler` command of this interpreter's installation."""
        return Command((*COMMAND, *arguments), directory, environment or {})


def script(name: str) -> Path:
    """A console script of this interpreter's installation; it need not exist."""
    return Path(sys.executable).with_name(name)


COMMAND = (
    (str(script("reconciler")),)
    if script("reconciler").exists()
    else (sys.executable, "-m", "reconciler")
)
"""The words that `reconciler` is run by."""


@contextmanager
def sandbox(lab: Lab, seed: object, *options: str) -> Iterator[Mapping[str, str]]:
    """A sandbox in a process of its own; gives the environment that leads a command to it."""
    directory = lab.folder("sandbox")
    (directory / "seed.json").write_text(json.dumps(seed), encoding="utf-8")
    arguments = ("sandbox", "--port", "0", "--token", TOKEN, "--seed", "seed.json", *options)
    process = subprocess.Popen(
        (*COMMAND, *arguments),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield {"HUBSPOT_BASE_URL": _address(process), "HUBSPOT_ACCESS_TOKEN": TOKEN}
    finally:
        process.terminate()
        process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("http"):
        raise Failed("the sandbox did not start")
    return line.split()[0]
