"""What a person at the terminal sees of the work while it is done.

Progress goes to stderr, as a bar on a terminal and as plain lines elsewhere.

Nobody waits for whoever reads this, and a stream that fails stops no work.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, TextIO, assert_never, cast

from reconciler.applying.events import (
    Checking,
    CreateTried,
    Event,
    Finished,
    Learned,
    ReadingBack,
    Settled,
    Started,
    Watching,
    Writing,
)
from reconciler.cli import output
from reconciler.cli.options import Given
from reconciler.errors import plural
from reconciler.http import messages as http
from reconciler.hubspot.portal import DirectionRead, Reading
from reconciler.model.plan import Plan
from reconciler.report.applied import Verified
from reconciler.report.escape import visible

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

NOTABLE_WAIT = 1.0
"""Seconds from which a wait is worth a line where there is no bar."""

_LONGEST_DRAIN = 1.0
"""Seconds that the end of the progress waits for a reader that takes its time."""

_MOST_PENDING = 1_000
"""Pieces of progress that wait for a slow reader; what is more than that is left out."""


@contextmanager
def reporting(
    portal: str, given: Given, plan: Plan | None = None
) -> Iterator[Callable[[Event], None]]:
    """Report one portal's work as suits where stderr goes; who asks for more is given lines."""
    pane = Pane(sys.stderr)
    verified = None
    if plan is not None:
        look, width = output.style(given, sys.stderr), output.width_of(sys.stderr)
        verified = Verified(plan.changes, look, width)
    try:
        if given.verbosity == 0 and sys.stderr.isatty() and can_move():
            with bars(pane, given) as shown:
                yield BarReporter(portal, shown, len(plan.changes) if plan else 0, verified)
        else:
            lines = LineReporter(portal, given.verbosity, pane, verified)
            try:
                yield lines
            finally:
                lines.finish()
    finally:
        pane.finish()


@contextmanager
def reporting_each(
    portals: Sequence[str], given: Given
) -> Iterator[Sequence[Callable[[Event], None]]]:
    """The same for a few portals of one command: one display, with a bar for each of them."""
    pane = Pane(sys.stderr)
    try:
        if given.verbosity == 0 and sys.stderr.isatty() and can_move():
            with bars(pane, given) as shown:
                yield [BarReporter(each, shown, 0) for each in portals]
        else:
            lines = [LineReporter(each, given.verbosity, pane) for each in portals]
            try:
                yield lines
            finally:
                for each in lines:
                    each.finish()
    finally:
        pane.finish()


def can_move() -> bool:
    """Whether the terminal can move its cursor, which a bar needs."""
    return os.environ.get("TERM") != "dumb"


def bars(pane: Pane, given: Given) -> Bars:
    """Bars on a terminal; a task has the fields `portal` and `count`."""
    from rich.console import Console  # a terminal is there to pay for it
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.fields[portal]}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(
            file=cast("IO[str]", pane), no_color=not output.style(given, sys.stderr).ansi_codes
        ),
        transient=True,
        redirect_stdout=False,  # results are no part of the bar
        redirect_stderr=False,
    )


@dataclass(slots=True)
class LineReporter:
    """Plain lines: phases and long waits; with -v every request, with -vv before it is sent, too.

    -v ends with how many requests there were; -vv also has what HubSpot's support and its rate
    limits go by. `verified` lists the changes of an apply; None: they are not listed.
    """

    portal: str
    verbosity: int
    pane: Pane
    verified: Verified | None = None
    _requests: int = 0
    _lock: Lock = field(default_factory=Lock)

    def finish(self) -> None:
        """Say how many requests were sent, every attempt counted."""
        if self._requests:
            self._say(plural(self._requests, "request"), verbosity=1)

    def __call__(self, event: Event) -> None:
        match event:
            case http.Sending(exchange):
                with self._lock:
                    self._requests += 1
                which = f"request {exchange.number}, attempt {exchange.attempt}"
                self._say(f"{exchange}: {which}", verbosity=2)
            case http.Answered(exchange, status, duration):
                more = _details(event) if self.verbosity > 1 else ""
                self._say(f"{exchange}: {status} in {duration:.3f} s{more}", verbosity=1)
            case http.Unanswered(exchange, description):
                self._say(f"{exchange}: {description}", verbosity=0)
            case http.Waiting(seconds, _, message):
                long = seconds >= NOTABLE_WAIT
                self._say(f"waiting {seconds:.1f} s: {message}", verbosity=0 if long else 1)
            case Checking() | ReadingBack() | Settled() | Writing() | Watching() | Finished():
                self._list(event)
                words, verbosity = _phase(event)
                self._say(words, verbosity=verbosity)
            case Reading(directions):
                self._say(f"reading {plural(directions, 'direction')}", verbosity=1)
            case DirectionRead() | Started() | Learned() | CreateTried():
                pass
            case _:
                assert_never(event)

    def _list(self, event: Event) -> None:
        """The changes that are verified; their lines are harmless, and may have colour."""
        if self.verbosity >= 0:
            for line in _verified(self.verified, event):
                self.pane.write(f"{self.portal}:{line[1:]}\n")

    def _say(self, text: str, *, verbosity: int) -> None:
        if self.verbosity >= verbosity:
            self.pane.write(f"{self.portal}: {visible(text)}\n")


def _details(answer: http.Answered) -> str:
    """The correlation ID of an answer and what its rate headers leave, where it has them."""
    found = []
    if answer.correlation_id is not None:
        found.append(f"correlation ID {answer.correlation_id}")
    if answer.rate is not None and answer.rate.remaining is not None:
        found.append(f"{plural(answer.rate.remaining, 'request')} left")
    return "".join(f", {each}" for each in found)


class BarReporter:
    """One bar for the portal: directions read or changes settled, and what is done or waited for.

    `changes` to settle; 0: the portal is only read. The changes that are `verified` are listed
    above the bar.
    """

    def __init__(
        self, portal: str, bars: Bars, changes: int, verified: Verified | None = None
    ) -> None:
        self._bars = bars
        self._verified = verified
        self._changes = changes
        self._lock = Lock()
        self._read = self._directions = 0
        self._task = bars.add_task("connecting", total=None, portal=visible(portal), count="")
        if changes:
            self._advance(0)

    def __call__(self, event: Event) -> None:
        match event:
            case http.Sending(exchange):
                if not exchange.writes and self._read == self._directions:
                    self._describe(f"reading {exchange.operation}")
            case http.Unanswered(exchange, description):
                self._describe(f"{exchange.operation}: {description}")
            case http.Waiting(seconds, cause, _, status):
                number = "" if status is None else f", {status}"
                self._describe(f"waiting {seconds:.0f} s: {cause}{number}")
            case Reading() | Checking() | DirectionRead():
                self._count_read(event)
            case ReadingBack(direction, missing):
                limits = plural(missing, "written limit")
                self._describe(f"{direction}: waiting for {limits} to show")
            case Settled() | Finished():
                self._list(event)
            case Writing() | Watching():
                self._describe(_words(event))
            case http.Answered() | Started() | Learned() | CreateTried():
                pass
            case _:
                assert_never(event)

    def _list(self, event: Settled | Finished) -> None:
        """The changes that are verified, above the bar, which goes on."""
        from rich.text import Text  # the bar has imported most of it

        if isinstance(event, Settled):
            self._describe(f"{event.direction}: settled")
            self._advance(len(event.results))
        for line in _verified(self._verified, event):
            self._bars.console.print(Text.from_ansi(line), soft_wrap=True)

    def _count_read(self, event: Reading | Checking | DirectionRead) -> None:
        """`reading 12 of 16 directions`; before an apply, `checking` them; none when it is over."""
        with self._lock:
            match event:
                case Reading(directions) | Checking(directions):
                    self._read, self._directions = 0, directions
                case DirectionRead() if self._read < self._directions:
                    self._read += 1
                case _:
                    return
        if not self._changes:
            self._bars.update(self._task, completed=self._read, total=self._directions)
        verb = "checking" if self._changes else "reading"
        self._describe(f"{verb} {self._read} of {plural(self._directions, 'direction')}")

    def _advance(self, settled: int) -> None:
        self._bars.update(self._task, advance=settled, total=self._changes)
        task = self._bars.tasks[self._task]
        self._bars.update(self._task, count=f"{task.completed:.0f}/{self._changes}")

    def _describe(self, text: str) -> None:
        self._bars.update(self._task, description=visible(text))


def _verified(verified: Verified | None, event: Event) -> Iterator[str]:
    """The lines of the list of verified changes that an event brings."""
    match event:
        case Settled(_, results) if verified is not None:
            yield from verified.settled(results)
        case Finished() if verified is not None:
            yield from verified.finished()


def _phase(
    event: Checking | ReadingBack | Settled | Writing | Watching | Finished,
) -> tuple[str, int]:
    """Where an apply is, and the least `-v` that shows it."""
    match event:
        case Checking(directions):
            return f"checking {plural(directions, 'direction')} before the first write", 0
        case ReadingBack(direction, missing):
            return f"{direction}: {plural(missing, 'written limit')} not shown yet", 0
        case Settled(direction, results):
            return f"{direction}: {len(results)} settled", 1
        case Finished(result):
            return f"the apply ended: {result.outcome}", 1
        case Writing():
            return _words(event), 1
        case Watching():
            return _words(event), 0
        case _:
            assert_never(event)


def _words(event: Writing | Watching) -> str:
    match event:
        case Writing(direction, operation, inputs):
            return f"{operation} of {inputs} in {direction}"
        case Watching(direction, refused, seconds):
            limits = plural(refused, "refused limit")
            watched = f"reading {limits} for up to {seconds:.0f} s"
            return f"{direction}: {watched}, in case they were written anyway"


class Pane(io.TextIOBase):
    """A stream for progress: whoever writes to it never waits for a reader.

    A thread of its own hands the pieces on. While the terminal is stopped or the pipe is full,
    they are left out.
    """

    def __init__(self, outlet: TextIO) -> None:
        self._outlet = outlet
        self._pieces: Queue[str | None] = Queue(_MOST_PENDING)
        self._starting = Lock()
        self._thread: Thread | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read only, as TextIOWrapper has it
        return "utf-8"

    def write(self, text: str) -> int:
        with self._starting:  # every thread of a portal writes here
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
