"""When a request may start: one pace for all threads of a portal, learned from its answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from reconciler.http.clock import Clock
from reconciler.http.events import Event, WaitCause, Waiting
from reconciler.http.rates import Policy, Rate
from reconciler.http.window import Ticket, Window

_USUAL_LIMIT, _USUAL_INTERVAL = 100, 10.0
"""HubSpot's smallest ten-second allowance (documented)."""
_SECONDLY_LIMIT = 10
"""A first guess for a SECONDLY policy, about the same rate."""
_LOOK_AGAIN = 0.05
"""Seconds after which a waiter looks whether answers under way have changed its wait."""
_WORTH_TELLING = 1.0
"""A shorter wait for our own pace is not reported."""
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class RateRefusal:
    """A 429: the policy it names, and the seconds that `Retry-After` asks for."""

    policy: Policy
    retry_after: float | None


class RateExceeded(Exception):
    """The time allowed is not enough to keep to the rate; nothing was sent."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Pace:
    """Lets requests start, in the order in which they asked.

    Exempt endpoints run free until a rate header on one's answer or a 429 on one says otherwise
    (documented as exempt from the ten-second policy; what replaces it is unknown). A 429 stops
    everybody; after the pause a single request tries whether the portal has enough, so that one
    refusal is followed by one at most.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        patience: float,
        jitter: Callable[[], float],
        report: Callable[[Event], None],
    ) -> None:
        """Take `patience`, the seconds that 429s may stop a request, and `jitter`, from 0 to 1."""
        self._clock = clock
        self._patience = patience
        self._jitter = jitter
        self._report = report
        self._turn = threading.Lock()
        self._state = threading.Lock()
        self._window = Window(_USUAL_LIMIT, _USUAL_INTERVAL)
        self._secondly: Window | None = None
        self._exempt_is_paced = False
        self._last_number = 0
        self._paused_until = 0.0
        self._refused_since: float | None = None
        self._refused_number = 0
        self._refusals = 0
        self._probe: int | None = None

    def enter(self, *, exempt: bool, patience: float = inf) -> Ticket:
        """Wait for leave to send one request, no longer than `patience` seconds.

        Raise `RateExceeded` when these, or what 429s may cost, are not enough, and
        `Interrupted` when a stop is requested.
        """
        entered = self._clock.monotonic()
        self._clock.wait(0)
        with self._state:
            if exempt and not self._exempt_is_paced and self._refused_since is None:
                return self._admit(exempt=exempt)
        with self._turn:
            return self._wait_for_leave(exempt=exempt, entered=entered, patience=patience)

    def answered(self, ticket: Ticket, rate: Rate) -> None:
        """Any answer but a 429."""
        with self._state:
            now = self._clock.monotonic()
            for window in self._windows():
                window.answered(ticket, now)
            self._heed(ticket, rate, now)
            self._probe_is_over(ticket)

    def failed(self, ticket: Ticket) -> None:
        """No answer came; the portal may have counted the request all the same."""
        self.answered(ticket, Rate())

    def withdrawn(self, ticket: Ticket) -> None:
        """The request was never sent."""
        with self._state:
            for window in self._windows():
                window.drop(ticket)
            if self._probe == ticket.number:
                self._probe = None

    def refused(self, ticket: Ticket, rate: Rate, refusal: RateRefusal) -> float:
        """A 429; the seconds for which nobody sends."""
        with self._state:
            now = self._clock.monotonic()
            for window in self._windows():
                window.drop(ticket)
            if ticket.exempt:
                self._exempt_is_paced = True
            self._heed(ticket, _of_refusal(rate, refusal), now, lasts=refusal.retry_after)
            if self._probe == ticket.number:
                self._probe = None
            if ticket.number > self._refused_number:
                self._begin_pause(ticket, refusal, now)
            elif refusal.retry_after is not None:
                self._paused_until = max(self._paused_until, now + refusal.retry_after)
            return max(0.0, self._paused_until - now)

    def _windows(self) -> list[Window]:
        return [self._window] if self._secondly is None else [self._window, self._secondly]

    def _admit(self, *, exempt: bool) -> Ticket:
        self._last_number += 1
        ticket = Ticket(self._last_number, exempt, paced=self._is_paced(exempt=exempt))
        for window in self._windows():
            window.take(ticket)
        if self._refused_since is not None:
            self._probe = ticket.number
        return ticket

    def _is_paced(self, *, exempt: bool) -> bool:
        return self._exempt_is_paced or not exempt

    def _wait_for_leave(self, *, exempt: bool, entered: float, patience: float) -> Ticket:
        told = False
        while True:
            self._clock.wait(0)
            with self._state:
                now = self._clock.monotonic()
                delay, look_again = self._delay(now, exempt=exempt)
                if delay <= 0:
                    return self._admit(exempt=exempt)
                stopped_since = self._refused_since
            self._check_patience(now, delay, entered, stopped_since, patience)
            if delay >= _WORTH_TELLING and not told:
                told = True
                self._report(_waiting(delay, stopped_since))
            self._clock.wait(min(delay, _LOOK_AGAIN) if look_again else delay)

    def _delay(self, now: float, *, exempt: bool) -> tuple[float, bool]:
        """Seconds until the next look, and whether answers under way may shorten them."""
        if self._paused_until > now:
            return self._paused_until - now, False
        if self._probe is not None:
            return _LOOK_AGAIN, True
        if not self._is_paced(exempt=exempt):
            return 0.0, False
        delays = [
            window.delay(now, with_exempt=self._exempt_is_paced) for window in self._windows()
        ]
        return max(delays), any(window.may_change_early for window in self._windows())

    def _check_patience(
        self,
        now: float,
        delay: float,
        entered: float,
        stopped_since: float | None,
        patience: float,
    ) -> None:
        left = entered + patience - now
        if stopped_since is not None:
            left = min(left, max(entered, stopped_since) + self._patience - now)
        if delay > left:
            raise RateExceeded(
                f"the portal limits the rate: the next request may start in {delay:.1f} s, "
                f"and {max(0.0, left):.1f} s are left of the time allowed",
                hint="allow more time with --timeout, or run again later",
            )

    def _heed(self, ticket: Ticket, rate: Rate, now: float, *, lasts: float | None = None) -> None:
        if not rate.speaks_of_the_window:
            return
        if ticket.exempt:
            self._exempt_is_paced = True
        self._window.state(rate.limit, rate.interval)
        if rate.remaining is not None:
            with_exempt = self._exempt_is_paced
            self._window.heard(ticket, rate.remaining, now, with_exempt=with_exempt, lasts=lasts)

    def _begin_pause(self, ticket: Ticket, refusal: RateRefusal, now: float) -> None:
        """A 429 to a request that left after the last pause began; others belong to that one."""
        self._refused_number = self._last_number
        self._refused_since = self._refused_since if self._refused_since is not None else now
        self._refusals += 1
        self._learn(refusal.policy, now, paced=ticket.paced)
        seconds = refusal.retry_after
        if seconds is None:
            seconds = min(_LONGEST_PAUSE, 2.0 ** min(self._refusals - 1, 8))
        seconds += min(1.0, 0.25 * max(seconds, 0.5)) * self._jitter()
        self._paused_until = max(self._paused_until, now + seconds)

    def _learn(self, policy: Policy, now: float, *, paced: bool) -> None:
        """The first refusal brings a window in; one in spite of it says that it is too wide."""
        if policy is Policy.SECONDLY and self._secondly is None:
            self._secondly = Window(_SECONDLY_LIMIT, 1.0)
            self._secondly.watch(now)
            return
        by_policy = self._secondly if policy is Policy.SECONDLY else None
        window = by_policy or self._window
        if paced:
            window.shrink(now, with_exempt=self._exempt_is_paced)
        else:
            window.watch(now)

    def _probe_is_over(self, ticket: Ticket) -> None:
        if self._probe == ticket.number:
            self._probe = None
            self._refused_since = None
            self._refusals = 0


def _of_refusal(rate: Rate, refusal: RateRefusal) -> Rate:
    """A refusal that states the limit of the window and not what remains: nothing does."""
    states_limit_only = rate.limit is not None and rate.remaining is None
    nothing_remains = states_limit_only and refusal.policy is Policy.ROLLING
    return replace(rate, remaining=0) if nothing_remains else rate


def _waiting(seconds: float, stopped_since: float | None) -> Waiting:
    if stopped_since is None:
        return Waiting(seconds, WaitCause.PACE, "keeping to the portal's request rate")
    return Waiting(seconds, WaitCause.RATE_LIMIT, "the portal asked for a pause", 429)
