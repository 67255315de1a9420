"""Whole processes, timed from start to exit, with the peak memory that the kernel saw."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Linux counts in KiB, macOS in bytes.
_RSS_UNITS_PER_MIB = 1024 * 1024 if sys.platform == "darwin" else 1024


class Failed(Exception):
    """A measured command did not do what it was to be measured at."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, and how it has to end."""

    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One run, or several: medians of time, and the largest peak.

    `seconds` from start to exit, `cpu` in seconds of all its processes, `peak` in MiB of the
    largest of them; `fastest` and `slowest` are the spread of `seconds`.
    """

    seconds: float
    cpu: float
    peak: float
    output: str
    fastest: float
    slowest: float


def run(command: Command) -> Run:
    """Run once. Raises Failed, with what the command said, if it ends otherwise than it should."""
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            cwd=command.directory,
            env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode != command.exit_code:
        said = f"{' '.join(command.arguments)} ended with {process.returncode}"
        raise Failed(f"{said}:\n{text[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu, usage.ru_maxrss / _RSS_UNITS_PER_MIB, text, seconds, seconds)


def medians(commands: Sequence[Command], times: int) -> list[Run]:
    """Run the commands in turn, so often each, so that all of them see the same machine."""
    rounds = [[run(command) for command in commands] for _ in range(times)]
    return [_median(runs) for runs in zip(*rounds, strict=True)]


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        statistics.median(each.seconds for each in runs),
        statistics.median(each.cpu for each in runs),
        max(each.peak for each in runs),
        runs[-1].output,
        min(each.fastest for each in runs),
        max(each.slowest for each in runs),
    )
