"""What a stand-in remembers: the portal over time, its changes, the requests and their rate."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .portal import Associations, Direction, Portal, TypeKey
from .wire import Header, Problem, Response


class Origin(StrEnum):
    """Where a change came from."""

    REQUEST = "request"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Step:
    """One limit changed, and the state of its direction right after.

    `breaks_rule`: a label limit stands above the object limit. Equality does not count, since
    HubSpot's changelog contradicts itself on it. `limits` is what the direction had afterwards.
    """

    direction: Direction
    key: TypeKey
    before: int | None
    after: int | None
    limits: Mapping[TypeKey, int]
    breaks_rule: bool
    origin: Origin

    @classmethod
    def between(
        cls,
        direction: Direction,
        key: TypeKey,
        before: Associations,
        after: Associations,
        origin: Origin,
    ) -> Step:
        return cls(
            direction=direction,
            key=key,
            before=before.limits.get(key),
            after=after.limits.get(key),
            limits=after.limits,
            breaks_rule=after.breaks_rule,
            origin=origin,
        )


Answer = Response | Problem


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer with the portal after it, and the single changes of limits that led there."""

    answer: Answer
    portal: Portal
    steps: tuple[Step, ...] = ()


# Old entries go, so that a stand-in which runs for weeks does not grow without end.
_ENTRIES = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and what became of it.

    `number` counts from 1. `operation` is None for a path that is not served. `status` is None
    when the client got no answer. `time` is in seconds of the stand-in's clock at arrival.
    """

    number: int
    method: str
    path: str
    operation: str | None
    body: str
    status: int | None
    time: float


class Journal:
    """Safe for threads."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES)
        self._count = 0
        self._lock = threading.Lock()

    @property
    def entries(self) -> tuple[Entry, ...]:
        with self._lock:
            return tuple(self._entries)

    def add(
        self,
        method: str,
        path: str,
        operation: str | None,
        body: bytes,
        status: int | None,
        time: float,
    ) -> None:
        text = body.decode(errors="replace")
        with self._lock:
            self._count += 1
            self._entries.append(Entry(self._count, method, path, operation, text, status, time))

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._count = 0


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


class State:
    """Holds the portal value that is true now. Safe for threads: changes come one at a time.

    Reading takes no lock, since a portal is a value that never changes.
    """

    def __init__(self, portal: Portal, clock: Callable[[], float], store: Store | None) -> None:
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
        self._carry_out_late()
        return self._portal

    @property
    def history(self) -> tuple[Step, ...]:
        """Every single change of a limit, oldest first."""
        with self._lock:
            return tuple(self._steps)

    def as_of(self, seconds_ago: float) -> Portal:
        """The portal as it was; the oldest one known if it was not known yet."""
        self._carry_out_late()
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
        """Carry a change out on the portal of this moment and keep the result."""
        with self._lock:
            self._carry_out_late()
            return self._put(change)

    def change_later(self, seconds: float, change: Change) -> None:
        """Carry a change out when so much time has passed, on the portal of then."""
        with self._lock:
            self._late.append((self._clock() + seconds, change))

    def reset(self) -> None:
        """Back to the portal of the start, with no past."""
        with self._lock:
            if self._store is not None:
                self._store.save_all(self._start)
            self._begin(self._start)

    def _put(self, change: Change) -> Outcome:
        outcome = change(self._portal)
        if outcome.portal is not self._portal:
            if self._store is not None:
                self._store.save(outcome.portal, _changed(self._portal, outcome.portal))
            self._portal = outcome.portal
            self._past.append((self._clock(), outcome.portal))
            self._steps.extend(outcome.steps)
        return outcome

    def _carry_out_late(self) -> None:
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


# What a Professional or Enterprise account may send in ten seconds (documented).
STANDARD_ALLOWANCE = 190

INTERVAL_SECONDS = 10.0

DAILY_ALLOWANCE = 650_000


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a request may pass, and what its rate headers say."""

    is_admitted: bool
    headers: tuple[Header, ...]


class RollingWindow:
    """At most so many requests in any ten seconds. Refused requests do not count.

    Safe for threads. Times are seconds of a clock that never goes back.
    """

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._admitted: deque[float] = deque()
        self._total = 0
        self._lock = threading.Lock()

    def admit(self, now: float) -> Admission:
        with self._lock:
            while self._admitted and self._admitted[0] <= now - INTERVAL_SECONDS:
                self._admitted.popleft()
            if len(self._admitted) >= self._maximum:
                return Admission(is_admitted=False, headers=self._headers())
            self._admitted.append(now)
            self._total += 1
            return Admission(is_admitted=True, headers=self._headers())

    def _headers(self) -> tuple[Header, ...]:
        remaining = self._maximum - len(self._admitted)
        daily = max(0, DAILY_ALLOWANCE - self._total)
        return rate_headers(self._maximum, remaining, int(INTERVAL_SECONDS * 1000), daily)


def rate_headers(
    maximum: int, remaining: int, interval_milliseconds: int, daily_remaining: int
) -> tuple[Header, ...]:
    """HubSpot's rate headers (documented); it leaves the daily ones out for OAuth apps."""
    return (
        ("X-HubSpot-RateLimit-Max", str(maximum)),
        ("X-HubSpot-RateLimit-Remaining", str(remaining)),
        ("X-HubSpot-RateLimit-Interval-Milliseconds", str(interval_milliseconds)),
        ("X-HubSpot-RateLimit-Daily", str(DAILY_ALLOWANCE)),
        ("X-HubSpot-RateLimit-Daily-Remaining", str(daily_remaining)),
    )
