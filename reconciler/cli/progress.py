"""What a person at the terminal sees of the work: its progress, and the question before it.

Progress goes to stderr, as a bar on a terminal and as plain lines elsewhere.

Nobody waits for whoever reads this, and a stream that fails stops no work.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from threading import Thread
from typing import IO, TYPE_CHECKING, Protocol, TextIO, assert_never, cast

import click

from reconciler.cli import output
from reconciler.cli.exits import interrupting_on_signals
from reconciler.cli.options import Given
from reconciler.cli.streams import Outlet
from reconciler.errors import PlanRefused, plural
from reconciler.http.clock import Stop
from reconciler.http.events import Answered, Event, Sending, Unanswered, Waiting
from reconciler.model.limits import Direction
from reconciler.model.plan import Action, Plan
from reconciler.report.escape import visible

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

NOTABLE_WAIT = 1.0
"""Seconds from which a wait is worth a line where there is no bar."""

_LONGEST_DRAIN = 1.0
"""Seconds that the end of the progress waits for a reader that takes its time."""

_MOST_PENDING = 1_000
"""Pieces of progress that wait for a slow reader; what is more than that is left out."""


class Reporter(Protocol):
    """Reads the events of requests, and is told of the phases of an apply."""

    def __call__(self, event: Event) -> None: ...
    def checking(self, directions: int) -> None: ...
    def writing(self, direction: Direction, operation: str, inputs: int) -> None: ...
    def reading_back(self, direction: Direction, missing: int) -> None: ...
    def watching(self, direction: Direction, refused: int, seconds: float) -> None: ...
    def settled(self, direction: Direction, changes: int) -> None: ...


@contextmanager
def reporting(portal: str, given: Given, plan: Plan | None = None) -> Iterator[Reporter]:
    """Report one portal's work as suits where stderr goes."""
    pane = Pane(sys.stderr)
    try:
        with _reporter(portal, given, pane, len(plan.changes) if plan else 1) as reporter:
            yield reporter
    finally:
        pane.finish()


@contextmanager
def _reporter(portal: str, given: Given, pane: Pane, changes: int) -> Iterator[Reporter]:
    if given.verbosity >= 0 and pane.isatty():
        from rich.console import Console  # a terminal is there to pay for it
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        bars = Progress(
            TextColumn("{task.fields[portal]}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(
                file=cast("IO[str]", pane), no_color=not output.style(given, sys.stderr).ansi_codes
            ),
            transient=True,
            redirect_stdout=False,  # results are no part of the bar
            redirect_stderr=False,
        )
        with bars:
            yield BarReporter(portal, bars, changes)
    else:
        yield LineReporter(portal, given.verbosity, pane)


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
            self._pane.write(f"{self._portal}: {visible(text)}\n")


class BarReporter:
    """One bar for the portal: changes settled, and what is being done or waited for."""

    def __init__(self, portal: str, bars: Bars, total: int) -> None:
        self._bars = bars
        self._task = bars.add_task("reading", total=total, portal=visible(portal))

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
        self._bars.update(self._task, advance=changes, description=visible(f"{direction}: settled"))

    def _describe(self, text: str) -> None:
        self._bars.update(self._task, description=visible(text))


def _watching(refused: int, seconds: float) -> str:
    limits = plural(refused, "refused limit")
    return f"reading {limits} for up to {seconds:.0f} s, in case of a write all the same"


class Pane(io.TextIOBase):
    """A stream for progress: whoever writes to it never waits for a reader.

    A thread of its own hands the pieces on. While the terminal is stopped or the pipe is full,
    they are left out.
    """

    def __init__(self, outlet: TextIO) -> None:
        self._outlet = outlet
        self._pieces: Queue[str | None] = Queue(_MOST_PENDING)
        self._thread: Thread | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read only, as TextIOWrapper has it
        return "utf-8"

    def write(self, text: str) -> int:
        if self._thread is None:
            self._thread = Thread(target=self._hand_on, name="progress", daemon=True)
            self._thread.start()
        with suppress(Full):
            self._pieces.put_nowait(text)
        return len(text)

    def flush(self) -> None:
        """Nobody waits here."""

    def isatty(self) -> bool:
        return self._outlet.isatty()

    def fileno(self) -> int:
        return self._outlet.fileno()

    def writable(self) -> bool:
        return True

    def finish(self) -> None:
        """Let what is pending be written, if that takes no longer than a second."""
        if self._thread is None:
            return
        with suppress(Full):
            self._pieces.put(None, timeout=_LONGEST_DRAIN)
        self._thread.join(_LONGEST_DRAIN)
        if self._thread.is_alive():
            self._forget()

    def _forget(self) -> None:
        """Leave out what is pending: the reader does not read."""
        with suppress(Empty):
            while True:
                self._pieces.get_nowait()

    def _hand_on(self) -> None:
        while (piece := self._pieces.get()) is not None:
            self._outlet.write(piece)
            if self._pieces.empty():
                self._outlet.flush()


# ---------------------------------------------------------------- a question

SHOWN_DELETES = 20


def approve(plan: Plan, stop: Stop, *, is_shown: bool) -> None:
    """Raise PlanRefused unless somebody at a terminal answers "yes"; end of input is a no.

    Nobody is asked about a plan that could not be shown, or with a question that cannot be.
    """
    stdin = sys.stdin
    if stdin is None or stdin.closed or not stdin.isatty():
        raise PlanRefused(
            "not approved: stdin is not a terminal",
            hint="--auto-approve, --expect-digest, or a saved plan that was reviewed",
        )
    if not is_shown:
        raise PlanRefused(
            "not approved: the plan could not be shown",
            hint="--auto-approve, --expect-digest, or a saved plan that was reviewed",
        )
    click.echo(question(plan), err=True, nl=False)
    if isinstance(sys.stderr, Outlet) and sys.stderr.problem is not None:
        raise PlanRefused("not approved: the question could not be shown")
    if _answer(stdin, stop).strip() != "yes":
        raise PlanRefused("not approved: nothing was written")


def _answer(stdin: TextIO, stop: Stop) -> str:
    """One line; nothing where a signal ends the question or the terminal goes away."""
    with interrupting_on_signals(stop):
        try:
            return stdin.readline()
        except KeyboardInterrupt:
            click.echo(err=True)
        except (OSError, ValueError):
            click.echo("no answer could be read", err=True)
    return ""


def question(plan: Plan) -> str:
    """What is about to happen, and where."""
    portal, counts = plan.portal, plan.summary
    lines = [
        "",
        f"Apply to portal {portal.name} ({portal.portal_id}, {portal.account_type})?",
        f"  address: {visible(portal.base_url)}",
        f"  {counts.create} to create, {counts.update} to update, {counts.delete} to delete",
    ]
    deletes = list(plan.with_action(Action.DELETE))
    lines += [
        f"  - remove {visible(str(each.direction))}: {visible(str(each.type))} (was {each.before})"
        for each in deletes[:SHOWN_DELETES]
    ]
    if len(deletes) > SHOWN_DELETES:
        lines.append(f"  … and {len(deletes) - SHOWN_DELETES} more to remove")
    return "\n".join([*lines, 'Type "yes" to apply: '])
