"""One line of the printed table, which docs/performance.md shows as well."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.measure import Run


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, what came out, and what it is held against."""

    what: str
    measured: str
    compared: str = ""

    def __str__(self) -> str:
        return f"  {self.what:<52} {self.measured:>46}   {self.compared}".rstrip()

    @property
    def markdown(self) -> str:
        """The row of a table with three columns."""
        return f"| {self.what} | {self.measured} | {self.compared} |"


def timed(what: str, run: Run, compared: str = "") -> Row:
    """A row of a run's time with its spread, its CPU time and its peak memory."""
    spread = f" ({duration(run.fastest)} to {duration(run.slowest)})"
    parts = [
        duration(run.seconds) + (spread if run.fastest < run.slowest else ""),
        f"CPU {duration(run.cpu)}",
        f"{run.peak:.0f} MiB",
    ]
    return Row(what, ", ".join(parts), compared)


def duration(seconds: float) -> str:
    """Milliseconds below a second, seconds above."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def times_as_fast(slow: float, fast: float, wanted: float) -> str:
    """How many times as fast, beside what is wanted."""
    return f"{slow / fast:.1f} times as fast (wanted: at least {wanted:g})"
