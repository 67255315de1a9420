"""Read a direction back, gently, until it shows what was written or the time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from reconciler.applying.knowledge import Seen
from reconciler.applying.surroundings import Surroundings
from reconciler.errors import Interrupted, PortalError, PortalUnavailable, RequestRefused
from reconciler.model import Direction, ObservedDirection

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between two readings of a direction: the first, doubled each time, and the most."""

Missing = Callable[[Seen], int]
"""How many limits a reading does not show."""


class ReadBack:
    """Reads one direction; all its waits together take no longer than `verify_timeout`."""

    def __init__(self, direction: Direction, around: Surroundings) -> None:
        self._direction = direction
        self._around = around
        self._patience = around.verify_timeout

    def until_shown(self, missing: Missing) -> Seen:
        """Read until nothing is missing, the time is up, or reading makes no sense any more.

        The last reading is taken when the time is up, not before.
        """
        clock = self._around.clock
        deadline = clock.monotonic() + self._patience
        seen, told = Seen(), 0
        try:
            for pause in _pauses():
                seen = self._read(seen)
                lacking, left = missing(seen), deadline - clock.monotonic()
                if lacking == 0 or left <= 0:
                    break
                if lacking != told:
                    self._around.progress.reading_back(self._direction, lacking)
                    told = lacking
                clock.wait(min(pause, left))
        except (Interrupted, PortalError) as error:
            self._around.halt.after(error)
            seen = replace(seen, unread=error.message)
        self._patience = max(0.0, deadline - clock.monotonic())
        return seen

    def _read(self, before: Seen) -> Seen:
        """One reading, or the one before it where the portal cannot be read just now.

        That a reading is refused may pass too: before the first write it was not.
        """
        try:
            return Seen(self._around.portal.read(self._direction, needs_labels=never).values())
        except (PortalUnavailable, RequestRefused) as error:
            self._around.halt.after(error)
            return replace(before, unread=error.message)


def _pauses() -> Iterator[float]:
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)


def never(_: ObservedDirection) -> bool:
    """A change names its type by ID: reading it back needs no labels."""
    return False
