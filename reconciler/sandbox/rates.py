"""How many requests a rolling window lets through, and the headers that say so."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from .wire import Header

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
