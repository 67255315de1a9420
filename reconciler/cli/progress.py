"""What is happening right now: a bar on a terminal, plain lines elsewhere, on stderr.

Nobody waits for whoever reads this, and a stream that fails stops no work.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol, assert_never, cast

from reconciler.cli import output
from reconciler.cli.settings import settings
from reconciler.cli.streams import Pane
from reconciler.errors import plural
from reconciler.http.events import Answered, Event, Sending, Unanswered, Waiting
from reconciler.model.limits import Direction
from reconciler.model.plan import Plan

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

NOTABLE_WAIT = 1.0
"""Seconds from which a wait is worth a line where there is no bar."""


class Reporter(Protocol):
    """Reads the events of requests, and is told of the phases of an apply."""

    def __call__(self, event: Event) -> None: ...
    def checking(self, directions: int) -> None: ...
    def writing(self, direction: Direction, operation: str, inputs: int) -> None: ...
    def reading_back(self, direction: Direction, missing: int) -> None: ...
    def watching(self, direction: Direction, refused: int, seconds: float) -> None: ...
    def settled(self, direction: Direction, changes: int) -> None: ...


@contextmanager
def reporting(portal: str, plan: Plan | None = None) -> Iterator[Reporter]:
    """Report one portal's work as suits where stderr goes."""
    pane = Pane(sys.stderr)
    try:
        with _reporter(portal, pane, len(plan.changes) if plan else 1) as reporter:
            yield reporter
    finally:
        pane.finish()


@contextmanager
def _reporter(portal: str, pane: Pane, changes: int) -> Iterator[Reporter]:
    if settings().verbosity >= 0 and pane.isatty():
        from rich.console import Console  # a terminal is there to pay for it
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        bars = Progress(
            TextColumn("{task.fields[portal]}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(
                file=cast("IO[str]", pane), no_color=not output.style(sys.stderr).ansi_codes
            ),
            transient=True,
            redirect_stdout=False,  # results are no part of the bar
            redirect_stderr=False,
        )
        with bars:
            yield BarReporter(portal, bars, changes)
    else:
        yield LineReporter(portal, settings().verbosity, pane)


class LineReporter:
    """Plain lines: phases and long waits; with -v every request."""

    def __init__(self, portal: str, verbosity: int, pane: Pane) -> None:
        self._portal = portal
        self._verbosity = verbosity
        self._pane = pane

    def __call__(self, event: Event) -> None:
        match event:
            case Sending():
                pass
            case Answered(exchange, status, duration):
                self._say(f"{exchange}: {status} in {duration:.3f} s", verbosity=1)
            case Unanswered(exchange, description):
                self._say(f"{exchange}: {description}", verbosity=0)
            case Waiting(seconds, _, message):
                long = seconds >= NOTABLE_WAIT
                self._say(f"waiting {seconds:.1f} s: {message}", verbosity=0 if long else 1)
            case _:
                assert_never(event)

    def checking(self, directions: int) -> None:
        self._say(f"checking {plural(directions, 'direction')} before the first write", verbosity=0)

    def writing(self, direction: Direction, operation: str, inputs: int) -> None:
        self._say(f"{operation} of {inputs} in {direction}", verbosity=1)

    def reading_back(self, direction: Direction, missing: int) -> None:
        self._say(f"{direction}: {plural(missing, 'written limit')} not shown yet", verbosity=0)

    def watching(self, direction: Direction, refused: int, seconds: float) -> None:
        self._say(f"{direction}: {_watching(refused, seconds)}", verbosity=0)

    def settled(self, direction: Direction, changes: int) -> None:
        self._say(f"{direction}: {changes} settled", verbosity=1)

    def _say(self, text: str, *, verbosity: int) -> None:
        if self._verbosity >= verbosity:
            self._pane.write(f"{self._portal}: {_visible(text)}\n")


class BarReporter:
    """One bar for the portal: changes settled, and what is being done or waited for."""

    def __init__(self, portal: str, bars: Bars, total: int) -> None:
        self._bars = bars
        self._task = bars.add_task("reading", total=total, portal=_visible(portal))

    def __call__(self, event: Event) -> None:
        match event:
            case Sending(exchange):
                if not exchange.writes:
                    self._describe(f"reading {exchange.operation}")
            case Answered():
                pass
            case Unanswered(exchange, description):
                self._describe(f"{exchange.operation}: {description}")
            case Waiting(seconds, cause, _, status):
                number = "" if status is None else f", {status}"
                self._describe(f"waiting {seconds:.0f} s: {cause}{number}")
            case _:
                assert_never(event)

    def checking(self, directions: int) -> None:
        self._describe(f"checking {plural(directions, 'direction')}")

    def writing(self, direction: Direction, operation: str, inputs: int) -> None:
        self._describe(f"{operation} of {inputs} in {direction}")

    def reading_back(self, direction: Direction, missing: int) -> None:
        self._describe(f"{direction}: waiting for {plural(missing, 'written limit')} to show")

    def watching(self, direction: Direction, refused: int, seconds: float) -> None:
        self._describe(f"{direction}: {_watching(refused, seconds)}")

    def settled(self, direction: Direction, changes: int) -> None:
        self._bars.update(
            self._task, advance=changes, description=_visible(f"{direction}: settled")
        )

    def _describe(self, text: str) -> None:
        self._bars.update(self._task, description=_visible(text))


def _watching(refused: int, seconds: float) -> str:
    limits = plural(refused, "refused limit")
    return f"reading {limits} for up to {seconds:.0f} s, in case of a write all the same"


def _visible(text: str) -> str:
    from reconciler.report.escape import visible

    return visible(text)
