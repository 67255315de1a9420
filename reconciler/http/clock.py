"""Time and the wish to stop: everything that reads a clock or waits takes it as an argument."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Protocol

from reconciler.errors import Interrupted

TURN = 0.2
"""Seconds of one wait: a longer one would not notice a signal that the system gave to another
thread than the waiting one, and only the main thread can act on it."""


class Clock(Protocol):
    """What needs time asks this; tests pass one that runs as fast as they like."""

    def monotonic(self) -> float:
        """Seconds that never go backwards, from an arbitrary start."""
        ...

    def wall(self) -> datetime:
        """The time of day in UTC."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait; raise `errors.Interrupted` as soon as a stop is requested, for 0 seconds too."""
        ...


def timestamp(clock: Clock) -> str:
    """The time of day in UTC, in ISO 8601, to the second."""
    return clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")


class Stop:
    """A request to stop that wakes every waiter.

    Built on `SimpleQueue`, whose `put` is reentrant: `threading.Event.set` in a signal handler
    deadlocks when the signal arrives while the same thread is inside `Event.wait`.
    """

    def __init__(self) -> None:
        self._requested = False
        self._wake: SimpleQueue[None] = SimpleQueue()

    def request(self) -> None:
        """Ask to stop. Safe in a signal handler and from any thread."""
        self._requested = True
        self._wake.put(None)

    @property
    def requested(self) -> bool:
        return self._requested

    def wait(self, seconds: float) -> bool:
        """Wait until a stop is requested or `seconds` have passed; whether it was requested."""
        deadline = time.monotonic() + seconds
        while not self._requested and (left := deadline - time.monotonic()) > 0:
            with suppress(Empty):
                self._wake.get(timeout=min(left, TURN))
                self._wake.put(None)
        return self._requested


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clocks; waiting ends when `stop` is requested."""

    stop: Stop = field(default_factory=Stop)

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def wait(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Interrupted("interrupted: no further request was sent")
