"""What is seen of several portals while they are at work, whichever process works with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from reconciler.applying.events import Event
from reconciler.cli.options import Given
from reconciler.cli.progress import LineReporter, Pane, bars, can_move
from reconciler.report.escape import terminal, visible

_LONGEST_WORDS = 120
"""Of how a portal ended, in the log; the error itself is reported in full."""


class Board(Protocol):
    """What is seen of all portals while they are at work."""

    def begins(self, portal: str) -> Callable[[Event], None]:
        """A portal is being worked with; what takes its events."""
        ...

    def ends(self, portal: str, words: str, *, failed: bool) -> None:
        """A portal is done."""
        ...


@contextmanager
def board(portals: int, given: Given) -> Iterator[Board]:
    """One display for the process: a bar on a terminal, in a log a line per portal as it ends."""
    pane = Pane(sys.stderr)
    try:
        if given.verbosity == 0 and sys.stderr.isatty() and can_move():
            with bars(pane, given) as found:
                task = found.add_task("", total=portals, portal="portals", count=f"0/{portals}")
                yield _Bar(
                    lambda done, text: found.update(
                        task, completed=done, count=f"{done}/{portals}", description=text
                    )
                )
        else:
            yield _Lines(portals, given.verbosity, pane)
    finally:
        pane.finish()


class _Bar:
    """How many portals are done, how many are at work, and how many have failed."""

    def __init__(self, show: Callable[[int, str], None]) -> None:
        self._show = show
        self._lock = Lock()
        self._busy = self._done = self._failed = 0

    def begins(self, portal: str) -> Callable[[Event], None]:  # noqa: ARG002 - as `Board` has it
        with self._lock:
            self._busy += 1
            self._update()
        return _nothing

    def ends(self, portal: str, words: str, *, failed: bool) -> None:  # noqa: ARG002 - as above
        with self._lock:
            self._busy -= 1
            self._done += 1
            self._failed += failed
            self._update()

    def _update(self) -> None:
        failed = f", {self._failed} failed" if self._failed else ""
        self._show(self._done, f"{self._busy} at work{failed}")


class _Lines:
    """A line for each portal as it ends; with -v what happens to it, with -vv every request."""

    def __init__(self, portals: int, verbosity: int, pane: Pane) -> None:
        self._portals, self._verbosity, self._pane = portals, verbosity, pane
        self._lock = Lock()
        self._done = 0

    def begins(self, portal: str) -> Callable[[Event], None]:
        return LineReporter(portal, self._verbosity - 1, self._pane)

    def ends(self, portal: str, words: str, *, failed: bool) -> None:  # noqa: ARG002 - the words say so
        with self._lock:
            self._done += 1
            if self._verbosity >= 0:
                at = f"[{self._done}/{self._portals}]"
                self._pane.write(f"{at} {visible(portal)}: {terminal(words, _LONGEST_WORDS)}\n")


@dataclass(frozen=True, slots=True)
class Began:
    """A portal is being worked with in another process."""

    portal: str


@dataclass(frozen=True, slots=True)
class Came:
    """A portal is done in another process."""

    portal: str
    words: str
    failed: bool


class Messages:
    """What another process hands on of its portals; lines for -v go to stderr from there."""

    def __init__(self, send: Callable[[Began | Came], None], verbosity: int) -> None:
        self._send, self._verbosity, self._pane = send, verbosity, Pane(sys.stderr)

    def begins(self, portal: str) -> Callable[[Event], None]:
        self._send(Began(portal))
        return LineReporter(portal, self._verbosity - 1, self._pane)

    def ends(self, portal: str, words: str, *, failed: bool) -> None:
        self._send(Came(portal, words, failed))

    def finish(self) -> None:
        """Let the lines that are pending be written."""
        self._pane.finish()


def _nothing(_: Event) -> None:
    """A bar for all portals does not show what happens to each."""
