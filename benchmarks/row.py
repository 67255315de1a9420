"""One line of the printed table."""

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
        return f"  {self.what:<46} {self.measured:>20}   {self.compared}".rstrip()


def timed(what: str, run: Run, compared: str = "") -> Row:
    """A row of a run's time and peak memory."""
    return Row(what, f"{duration(run.seconds)}  {run.peak:4.0f} MiB", compared)


def duration(seconds: float) -> str:
    """Milliseconds below a second, seconds above."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def times_as_fast(slow: float, fast: float, wanted: float) -> str:
    """How many times as fast, beside what is wanted."""
    return f"{slow / fast:.1f} times as fast (wanted: at least {wanted:g})"
