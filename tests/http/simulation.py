"""A portal's threads, its pace and a rate-limited server in virtual time, without threads.

Workers ask the pace in turn, exactly as its own loop does; requests and answers take random time
on the way, and the server counts a request when it arrives.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from reconciler.http.messages import Policy, Rate
from reconciler.http.pace import Hold, Pace, RateRefusal, Ticket
from tests.clock import VirtualClock


@dataclass
class RollingServer:
    """Lets `limit` requests through in any `interval` seconds; refused ones do not count."""

    limit: int
    interval: float = 10.0
    tells: bool = True
    policy: Policy = Policy.ROLLING
    retry_after: float | None = None
    admitted: deque[float] = field(default_factory=deque)
    refused_at: list[float] = field(default_factory=list)

    def arrive(self, now: float) -> tuple[bool, Rate]:
        while self.admitted and self.admitted[0] <= now - self.interval:
            self.admitted.popleft()
        admits = len(self.admitted) < self.limit
        if admits:
            self.admitted.append(now)
        else:
            self.refused_at.append(now)
        if not self.tells:
            return admits, Rate()
        return admits, Rate(self.limit, self.limit - len(self.admitted), self.interval)


@dataclass
class Simulation:
    """So many exempt requests by so many workers; `duration` is known after `run`."""

    server: RollingServer
    requests: int
    workers: int = 16
    latency: Callable[[Random], float] = lambda random: random.uniform(0.01, 0.2)
    seed: int = 0
    exempt: bool = True
    duration: float = 0.0
    first_alone: bool = True

    def run(self) -> Simulation:
        self._random = Random(self.seed)
        self._clock = VirtualClock()
        self._pace = Pace(
            self._clock,
            patience=1e9,
            jitter=self._random.random,
            report=lambda _: None,
        )
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._ordinal = 0
        self._queue: deque[None] = deque()
        self._wake_at = 0.0
        self._left = self.requests
        if self.first_alone:
            self._left = 1
            self._next_request()
            self._loop()
            self._left = self.requests - 1
        for _ in range(self.workers):
            self._next_request()
        self._loop()
        self.duration = self._clock.now
        return self

    def _next_request(self) -> None:
        """One worker wants to send its next request, if any is left."""
        if self._left > 0:
            self._left -= 1
            self._queue.append(None)

    def _loop(self) -> None:
        self._admit()
        while self._events:
            at, _, action = heapq.heappop(self._events)
            self._clock.now = at
            action()
            self._admit()

    def _admit(self) -> None:
        while self._queue:
            now = self._clock.now
            asked = self._pace.ask(exempt=self.exempt)
            if isinstance(asked, Hold):
                self._wake(now, now + asked.ask_again)
                return
            self._queue.popleft()
            self._send(asked)

    def _wake(self, now: float, when: float) -> None:
        """Look again then, unless that is planned already."""
        if not now < self._wake_at <= when:
            self._wake_at = when
            self._at(when, lambda: None)

    def _send(self, ticket: Ticket) -> None:
        self._after(self._latency(), lambda: self._arrive(ticket))

    def _arrive(self, ticket: Ticket) -> None:
        admits, rate = self.server.arrive(self._clock.now)
        self._after(self._latency(), lambda: self._answer(ticket, rate, admits=admits))

    def _answer(self, ticket: Ticket, rate: Rate, *, admits: bool) -> None:
        if admits:
            self._pace.answered(ticket, rate)
            self._next_request()
            return
        refusal = RateRefusal(self.server.policy, self.server.retry_after)
        pause = self._pace.refused(ticket, rate, refusal)
        self._after(pause, lambda: self._queue.append(None))

    def _latency(self) -> float:
        return self.latency(self._random) / 2

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._at(self._clock.now + seconds, action)

    def _at(self, when: float, action: Callable[[], None]) -> None:
        self._ordinal += 1
        heapq.heappush(self._events, (when, self._ordinal, action))


def busiest(moments: list[float], seconds: float) -> int:
    """The most of the moments that any stretch of so many seconds has."""
    return max(
        (sum(1 for each in moments if start <= each < start + seconds) for start in moments),
        default=0,
    )
