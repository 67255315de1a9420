"""The portal in time: as it is, as it was a while ago, and as late writes will make it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .history import Step
from .outcome import Outcome
from .portal import Direction, Portal

Change = Callable[[Portal], Outcome]

# Kept for reads that lag and for tests that look back; old ones go, so that a stand-in which runs
# for weeks does not grow without end.
_SNAPSHOTS = 2_000
_STEPS = 200_000


class Store(Protocol):
    """Where a portal outlives the process."""

    def save(self, portal: Portal, directions: frozenset[Direction]) -> None:
        """Keep what changed in these directions; on return it is safe."""

    def save_all(self, portal: Portal) -> None:
        """Keep this portal in place of any other; on return it is safe."""


class Forgetful:
    """A store that keeps nothing: the portal lives as long as the process."""

    def save(self, portal: Portal, directions: frozenset[Direction]) -> None:
        """Nothing to keep."""

    def save_all(self, portal: Portal) -> None:
        """Nothing to keep."""


class State:
    """Holds the portal value that is true now. Safe for threads: changes come one at a time.

    Reading takes no lock, since a portal is a value that never changes.
    """

    def __init__(self, portal: Portal, clock: Callable[[], float], store: Store) -> None:
        self._start = portal
        self._clock = clock
        self._store = store
        self._lock = threading.RLock()
        self._begin(portal)

    def _begin(self, portal: Portal) -> None:
        self._portal = portal
        self._past: deque[tuple[float, Portal]] = deque([(self._clock(), portal)], _SNAPSHOTS)
        self._steps: deque[Step] = deque(maxlen=_STEPS)
        self._late: list[tuple[float, Change]] = []
        self._reads: dict[object, tuple[object, int]] = {}

    @property
    def portal(self) -> Portal:
        self._settle()
        return self._portal

    @property
    def history(self) -> tuple[Step, ...]:
        """Every single change of a limit, oldest first."""
        with self._lock:
            return tuple(self._steps)

    def as_of(self, seconds_ago: float) -> Portal:
        """The portal as it was; the oldest one known if it was not known yet."""
        self._settle()
        moment = self._clock() - seconds_ago
        with self._lock:
            known = [portal for time, portal in self._past if time <= moment]
            return known[-1] if known else self._past[0][1]

    def before(self, part: Callable[[Portal], object]) -> Portal:
        """The latest portal of which this part was another; the present one if it never was."""
        present = self.portal
        with self._lock:
            earlier = (one for _, one in reversed(self._past) if part(one) is not part(present))
            return next(earlier, present)

    def count_read(self, reader: object, shown: object) -> int:
        """How often this reader has been here since it was shown something else, counted from 1."""
        with self._lock:
            last, count = self._reads.get(reader, (shown, 0))
            count = count + 1 if last is shown else 1
            self._reads[reader] = shown, count
            return count

    def change(self, change: Change) -> Outcome:
        """Carry a change out on the portal of this moment and keep what comes of it."""
        with self._lock:
            self._settle()
            return self._put(change)

    def change_later(self, seconds: float, change: Change) -> None:
        """Carry a change out when so much time has passed, on the portal of then."""
        with self._lock:
            self._late.append((self._clock() + seconds, change))

    def reset(self) -> None:
        """Back to the portal of the start, with no past."""
        with self._lock:
            self._store.save_all(self._start)
            self._begin(self._start)

    def _put(self, change: Change) -> Outcome:
        outcome = change(self._portal)
        if outcome.portal is not self._portal:
            self._store.save(outcome.portal, _changed(self._portal, outcome.portal))
            self._portal = outcome.portal
            self._past.append((self._clock(), outcome.portal))
            self._steps.extend(outcome.steps)
        return outcome

    def _settle(self) -> None:
        """Carry out the late changes whose time has come."""
        if not self._late:
            return
        with self._lock:
            now = self._clock()
            due = [change for time, change in self._late if time <= now]
            self._late = [(time, change) for time, change in self._late if time > now]
            for change in due:
                self._put(change)


def _changed(before: Portal, after: Portal) -> frozenset[Direction]:
    return frozenset(
        direction
        for direction, associations in after.directions.items()
        if before.directions.get(direction) is not associations
    )
