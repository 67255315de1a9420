"""When a request may start: one pace for all threads of a service, learned from its answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from reconciler.http.clock import Clock
from reconciler.http.messages import Event, Policy, Rate, WaitCause, Waiting

_USUAL_LIMIT, _USUAL_INTERVAL = 100, 10.0
"""HubSpot's smallest ten-second allowance (documented)."""
_SECONDLY_LIMIT = 10
"""A first guess for a SECONDLY policy, about the same rate."""
_MARGIN = 0.02
"""Seconds added to an interval, for servers whose clock ticks coarsely."""
_GROWTH_SECONDS = 10.0
_LOOK_AGAIN = 0.05
"""Seconds after which a waiter looks whether answers under way have changed its wait."""
_WORTH_REPORTING = 1.0
"""A shorter wait for our own pace is not reported."""
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to send one request. `paced`: a window was asked for it."""

    number: int
    exempt: bool
    paced: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """No leave yet: in `seconds`, as far as is known; `ask_again` in no more than these.

    `stopped_since`: when 429s began to stop everybody, None where they do not.
    """

    seconds: float
    ask_again: float
    stopped_since: float | None


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
        self._rolling = _Window(_USUAL_LIMIT, _USUAL_INTERVAL)
        self._secondly: _Window | None = None
        self._windows = [self._rolling]
        self._exempt_is_paced = False
        self._last_number = 0
        self._paused_until = 0.0
        self._refused_since: float | None = None
        self._refused_number = 0
        self._refusals = 0
        self._probe: int | None = None

    def enter(self, *, exempt: bool, patience: float = inf) -> Ticket:
        """Wait for leave to send one request, no longer than `patience` seconds.

        Raise `RateExceeded` when these, or what 429s may cost, are not enough, and `Interrupted`
        when a stop is requested.
        """
        entered = self._clock.monotonic()
        self._clock.wait(0)
        if exempt and not self._exempt_is_paced and self._refused_since is None:
            asked = self.ask(exempt=True)
            if isinstance(asked, Ticket):
                return asked
        with self._turn:
            reported = False
            while isinstance(asked := self.ask(exempt=exempt), Hold):
                self._check_patience(asked, entered, patience)
                if asked.seconds >= _WORTH_REPORTING and not reported:
                    reported = True
                    self._report(_waiting(asked))
                self._clock.wait(asked.ask_again)
            return asked

    def ask(self, *, exempt: bool) -> Ticket | Hold:
        """Leave to send one request now, or how long to wait before asking again."""
        with self._state:
            now, stopped = self._clock.monotonic(), self._refused_since
            pause = self._paused_until - now
            if pause > 0:
                return Hold(pause, pause, stopped)
            if self._probe is not None:
                return Hold(_LOOK_AGAIN, _LOOK_AGAIN, stopped)
            paced = self._exempt_is_paced or not exempt
            if paced:
                with_exempt = self._exempt_is_paced
                seconds = max(each.delay(now, with_exempt=with_exempt) for each in self._windows)
                if seconds > 0:
                    early = any(each.foreign and each.flying for each in self._windows)
                    return Hold(seconds, min(seconds, _LOOK_AGAIN) if early else seconds, stopped)
            self._last_number += 1
            ticket = Ticket(self._last_number, exempt, paced)
            for window in self._windows:
                window.flying[ticket.number] = ticket
            if stopped is not None:
                self._probe = ticket.number
            return ticket

    def answered(self, ticket: Ticket, rate: Rate) -> None:
        """Any answer but a 429."""
        with self._state:
            now = self._clock.monotonic()
            for window in self._windows:
                window.answered(ticket, now)
            self._apply(ticket, rate, now)
            if self._probe == ticket.number:
                self._probe = self._refused_since = None
                self._refusals = 0

    def failed(self, ticket: Ticket) -> None:
        """No answer came; the portal may have counted the request all the same."""
        self.answered(ticket, Rate())

    def withdrawn(self, ticket: Ticket) -> None:
        """The request was never sent."""
        with self._state:
            self._used_nothing(ticket)

    def refused(self, ticket: Ticket, rate: Rate, refusal: RateRefusal) -> float:
        """A 429; the seconds for which nobody sends.

        One that states the limit of the window and not what remains means that nothing does.
        """
        with self._state:
            now = self._clock.monotonic()
            self._used_nothing(ticket)
            self._exempt_is_paced = self._exempt_is_paced or ticket.exempt
            if rate.remaining is None and refusal.policy is Policy.ROLLING:
                rate = rate if rate.limit is None else replace(rate, remaining=0)
            self._apply(ticket, rate, now, lasts=refusal.retry_after)
            if ticket.number > self._refused_number:
                self._begin_pause(ticket, refusal, now)
            elif refusal.retry_after is not None:
                self._paused_until = max(self._paused_until, now + refusal.retry_after)
            return max(0.0, self._paused_until - now)

    def _used_nothing(self, ticket: Ticket) -> None:
        for window in self._windows:
            window.flying.pop(ticket.number, None)
        if self._probe == ticket.number:
            self._probe = None

    def _apply(self, ticket: Ticket, rate: Rate, now: float, *, lasts: float | None = None) -> None:
        """Headers, where they speak of the window."""
        if rate.limit is None and rate.remaining is None:
            return
        self._exempt_is_paced = self._exempt_is_paced or ticket.exempt
        self._rolling.stated(ticket, rate, now, with_exempt=self._exempt_is_paced, lasts=lasts)

    def _check_patience(self, hold: Hold, entered: float, patience: float) -> None:
        now = self._clock.monotonic()
        left = entered + patience - now
        if hold.stopped_since is not None:
            left = min(left, max(entered, hold.stopped_since) + self._patience - now)
        if hold.seconds > left:
            raise RateExceeded(
                f"the portal limits the rate: the next request may start in {hold.seconds:.1f} s, "
                f"and {max(0.0, left):.1f} s are left of the time allowed",
                hint="allow more time with --timeout, or run again later",
            )

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
            self._secondly = _Window(_SECONDLY_LIMIT, 1.0)
            self._secondly.believed_at = now
            self._windows = [self._rolling, self._secondly]
            return
        by_policy = self._secondly if policy is Policy.SECONDLY else None
        window = by_policy or self._rolling
        if paced:
            window.shrink(now, with_exempt=self._exempt_is_paced)
        else:
            window.believed_at = now


def _waiting(hold: Hold) -> Waiting:
    if hold.stopped_since is None:
        return Waiting(hold.seconds, WaitCause.PACE, "keeping to the portal's request rate")
    return Waiting(hold.seconds, WaitCause.RATE_LIMIT, "the portal asked for a pause", 429)


class _Window:
    """One rolling allowance: who holds a slot, and when the next one is free.

    A slot is held from the start of a request until one interval after its answer. The server
    counted the request no later than it answered, so what it counts is never more than is held,
    whatever the network does to the order and the spacing of requests. A request that was refused
    or never sent used nothing: it leaves `flying` unanswered.

    `foreign`: what somebody else uses, by the newest answer. `believed_at`: when a refusal last
    said something of the limit; for one interval, another one says nothing new.
    """

    def __init__(self, limit: int, interval: float) -> None:
        self.flying: dict[int, Ticket] = {}
        self.foreign = 0
        self.believed_at = -inf
        self._limit = self._usual_limit = limit
        self._hold = interval + _MARGIN
        self._is_stated = False
        self._answered: deque[tuple[float, bool]] = deque()
        self._answered_exempt = 0
        self._foreign_until = 0.0
        self._certain: deque[tuple[int, float]] = deque()
        self._latest_heard = 0
        self._changed_at = 0.0

    def answered(self, ticket: Ticket, now: float) -> None:
        """A request is over, so far as we know: its slot is free one interval from now."""
        if self.flying.pop(ticket.number, None):
            self._answered.append((now, ticket.exempt))
            self._answered_exempt += ticket.exempt

    def delay(self, now: float, *, with_exempt: bool) -> float:
        """Seconds until a request may start, as far as is known now; 0: at once.

        A limit that refusals made lower grows back, a twentieth every ten seconds.
        """
        held = self._held(now, with_exempt=with_exempt)
        if self._limit < self._usual_limit and now - self._changed_at >= _GROWTH_SECONDS:
            self._limit = min(self._usual_limit, self._limit + max(1, self._limit // 20))
            self._changed_at = now
        if held + max([self.foreign, *(least for least, _ in self._certain)]) < self._limit:
            return 0.0
        events = [until for _, until in self._certain]
        events += [self._foreign_until] if self.foreign else []
        free = (at for at, exempt in self._answered if with_exempt or not exempt)
        events += [at + self._hold for at in [next(free, None)] if at is not None]
        return max(_MARGIN / 2, min(events, default=now + self._hold) - now)

    def stated(
        self, ticket: Ticket, rate: Rate, now: float, *, with_exempt: bool, lasts: float | None
    ) -> None:
        """The portal states the allowance, and what remains of it.

        What neither remains nor is ours is in foreign use. Which requests in flight the portal had
        counted is not known. That it had counted all of them gives the least foreign use, which is
        certain and stays so until it expires. That it had counted those that started before this
        one is the best guess, until a newer answer comes. `lasts`: seconds after which the portal
        wants to be asked again, where it says so.
        """
        if rate.limit is not None:
            self._limit = self._usual_limit = rate.limit
            self._is_stated = True
        if rate.interval is not None:
            self._hold = rate.interval + _MARGIN
        if rate.remaining is None:
            return
        until = now + (self._hold if lasts is None else lasts)
        held = self._held(now, with_exempt=with_exempt)
        least = self._limit - rate.remaining - held
        while self._certain and self._certain[-1][0] <= least:
            self._certain.pop()  # the greater value hides the smaller ones that came before it
        if least > 0:
            self._certain.append((least, until))
        if ticket.number < self._latest_heard:
            return
        self._latest_heard = ticket.number
        later = sum(
            each.number > ticket.number and (with_exempt or not each.exempt)
            for each in self.flying.values()
        )
        self.foreign = max(0, least + later)
        self._foreign_until = until

    def shrink(self, now: float, *, with_exempt: bool) -> None:
        """Refused though we kept to the limit: unless the portal stated it, it is lower.

        It is no lower than what was let through in the last interval, and halved at most, because
        foreign use may be the cause, and once an interval, because a full window stays full for
        one.
        """
        if not self._is_stated and now - self.believed_at >= self._hold:
            passed = self._held(now, with_exempt=with_exempt) - len(self.flying)
            self._limit = min(self._limit, max(1, passed, self._limit // 2))
            self.believed_at = self._changed_at = now

    def _held(self, now: float, *, with_exempt: bool) -> int:
        """How many slots are ours now; what has expired is forgotten."""
        while self._certain and self._certain[0][1] <= now:
            self._certain.popleft()
        if self._foreign_until <= now:
            self.foreign = 0
        while self._answered and self._answered[0][0] + self._hold <= now:
            self._answered_exempt -= self._answered.popleft()[1]
        if with_exempt:
            return len(self.flying) + len(self._answered)
        flying = sum(not ticket.exempt for ticket in self.flying.values())
        return flying + len(self._answered) - self._answered_exempt
