"""Read a direction back, gently, until it shows what was written or the time is up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.applying.knowledge import Reading
from reconciler.applying.surroundings import Surroundings
from reconciler.errors import Interrupted, PortalError, PortalUnavailable
from reconciler.model import Direction, ObservedDirection, TypeKey

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between two readings of a direction: the first, doubled each time, and the most."""

Missing = Callable[[Mapping[TypeKey, int]], int]
"""How many limits these values do not show."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last whole reading of a direction; `values` None: there is none, because `unread`."""

    values: Mapping[TypeKey, int] | None = None
    unread: str = "nothing of this direction was sent"

    def reading(self, key: TypeKey) -> Reading | None:
        return None if self.values is None else Reading(self.values.get(key))


class ReadBack:
    """Reads one direction; all its readings together take `verify_timeout` and one call more."""

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
        try:
            return self._poll(missing, deadline)
        finally:
            self._patience = max(0.0, deadline - clock.monotonic())

    def _poll(self, missing: Missing, deadline: float) -> Seen:
        seen, pause = Seen(), FIRST_PAUSE
        while True:
            try:
                seen = Seen(self._values())
                left = deadline - self._around.clock.monotonic()
                if not self._lacks(missing, seen) or left <= 0:
                    return seen
                self._around.clock.wait(min(pause, left))
            except (Interrupted, PortalError) as error:
                ...
            pause = min(pause * 2, LONGEST_PAUSE)
