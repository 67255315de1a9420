"""Time that passes only by waiting, and a stop that can be asked for in the middle of a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from reconciler.errors import Interrupted
from reconciler.http.clock import Stop

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class VirtualClock:
    """A clock for tests; what one thread waits, others that wait meanwhile need not wait again.

    `now`: seconds since it was made; `waits`: every wait. A stop is requested at `stop_at`, or by
    `stop`.
    """

    def __init__(self, now: float = 0.0, stop_at: float | None = None) -> None:
        self.now = now
        self.waits: list[float] = []
        self.stop = Stop()
        self._stop_at = stop_at
        self._lock = threading.Lock()

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        """While a request is being answered."""
        yield

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def wait(self, seconds: float) -> None:
        if self.stop.requested:
            raise Interrupted("interrupted: no further request was sent")
        if seconds > 0:
            self.waits.append(seconds)
        self.pass_time(self.monotonic(), seconds)
        if self._stop_at is not None and self.now >= self._stop_at:
            raise Interrupted

    def pass_time(self, since: float, seconds: float) -> None:
        """Make it at least so many seconds after that moment."""
        with self._lock:
            self.now = max(self.now, since + max(0.0, seconds))


class SharedClock(VirtualClock):
    """A virtual clock for several threads: time passes only while no request is under way.

    Otherwise a thread that looks every so often whether another is done would use up the time
    that the other has, before the other gets the processor.
    """

    def __init__(self, now: float = 0.0) -> None:
        super().__init__(now)
        self._under_way = 0
        self._quiet = threading.Condition()

    @contextmanager
    def request_under_way(self) -> Iterator[None]:
        with self._quiet:
            self._under_way += 1
        try:
            yield
        finally:
            with self._quiet:
                self._under_way -= 1
                self._quiet.notify_all()

    def wait(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(0.0002)
            with self._quiet:
                self._quiet.wait_for(lambda: self._under_way == 0)
        super().wait(seconds)


class SkippingClock(VirtualClock):
    """The machine's clock, but waiting takes no time; for real sockets, which take theirs."""

    def monotonic(self) -> float:
        return time.monotonic() + self.now

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.now)

    def pass_time(self, since: float, seconds: float) -> None:
        """Skip what is left of so many seconds after that moment."""
        left = since + max(0.0, seconds) - self.monotonic()
        with self._lock:
            self.now += max(0.0, left)
