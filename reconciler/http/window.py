"""One rolling allowance: at most so many requests an interval, as the server counts them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice

MARGIN = 0.02
"""Seconds added to an interval, for servers whose clock ticks coarsely."""

_GROWTH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to send one request. `paced`: a window was asked for it."""

    number: int
    exempt: bool
    paced: bool


class Window:
    """Who holds a slot, and when the next one is free. Pure: the time is an argument.

    A slot is held from the start of a request until one interval after its answer. The server
    counted the request no later than it answered, so what it counts is never more than is held,
    whatever the network does to the order and the spacing of requests.
    """

    def __init__(self, limit: int, interval: float) -> None:
        self.limit = limit
        self.interval = interval
        self._usual_limit = limit
        self._stated = False
        self._flying: dict[int, Ticket] = {}
        self._answered: deque[tuple[float, bool]] = deque()
        self._answered_exempt = 0
        self._foreign = 0
        self._foreign_until = 0.0
        self._certain: deque[tuple[int, float]] = deque()
        self._latest_heard = 0
        self._changed_at = 0.0
        self._believed_at = float("-inf")

    def take(self, ticket: Ticket) -> None:
        """A request starts."""
        self._flying[ticket.number] = ticket

    def answered(self, ticket: Ticket, now: float) -> None:
        """A request is over, so far as we know: its slot is free one interval from now."""
        if self._flying.pop(ticket.number, None):
            self._answered.append((now, ticket.exempt))
            self._answered_exempt += ticket.exempt
        self._forget(now)

    def drop(self, ticket: Ticket) -> None:
        """A request was refused or never sent: it used nothing of the allowance."""
        self._flying.pop(ticket.number, None)

    def delay(self, now: float, *, with_exempt: bool) -> float:
        """Seconds until a request may start, as far as can be told now; 0: at once."""
        held = self._held(now, with_exempt=with_exempt)
        if held + self._in_foreign_use() < self._limit_at(now):
            return 0.0
        events = [self._foreign_until] if self._foreign else []
        events += [until for _, until in self._certain]
        events += [at + self._hold for at in self._next_free(with_exempt=with_exempt)]
        return max(MARGIN / 2, min(events, default=now + self._hold) - now)

    @property
    def may_change_early(self) -> bool:
        """Whether an answer under way can shorten a delay: it may tell of less foreign use."""
        return bool(self._foreign and self._flying)

    def state(self, limit: int | None, interval: float | None) -> None:
        """The portal states the allowance."""
        if limit is not None:
            self.limit = self._usual_limit = limit
            self._stated = True
        if interval is not None:
            self.interval = interval

    def heard(
        self, ticket: Ticket, remaining: int, now: float, *, with_exempt: bool, lasts: float | None
    ) -> None:
        """The portal says what remains: what neither remains nor is ours is in foreign use.

        Which requests in flight it had counted is not known. That it had counted all of them
        gives the least foreign use, which is certain and stays so until it expires. That it had
        counted those that started before this one is the best guess, until a newer answer comes.
        `lasts`: seconds after which the portal wants to be asked again, where it says so.
        """
        until = now + (self._hold if lasts is None else lasts)
        held = self._held(now, with_exempt=with_exempt)
        self._remember(self.limit - remaining - held, until)
        if ticket.number < self._latest_heard:
            return
        self._latest_heard = ticket.number
        later = sum(
            each.number > ticket.number and (with_exempt or not each.exempt)
            for each in self._flying.values()
        )
        self._foreign = max(0, self.limit - remaining - (held - later))
        self._foreign_until = until

    def watch(self, now: float) -> None:
        """A first refusal: for one interval, another one says nothing new."""
        self._believed_at = now

    def shrink(self, now: float, *, with_exempt: bool) -> None:
        """Refused though we kept to the limit: unless the portal stated it, it is lower.

        It is no lower than what was let through in the last interval, and halved at most, because
        foreign use may be the cause, and once an interval, because a full window stays full for
        one. It grows back, a twentieth every ten seconds.
        """
        if not self._stated and now - self._believed_at >= self._hold:
            passed = self._held(now, with_exempt=with_exempt) - len(self._flying)
            self.limit = min(self.limit, max(1, passed, self.limit // 2))
            self._believed_at = self._changed_at = now

    @property
    def _hold(self) -> float:
        return self.interval + MARGIN

    def _held(self, now: float, *, with_exempt: bool) -> int:
        self._forget(now)
        if with_exempt:
            return len(self._flying) + len(self._answered)
        flying = sum(not ticket.exempt for ticket in self._flying.values())
        return flying + len(self._answered) - self._answered_exempt

    def _in_foreign_use(self) -> int:
        return max([self._foreign, *(least for least, _ in self._certain)])

    def _remember(self, least: int, until: float) -> None:
        """Keep what is certain: a greater value hides the smaller ones that came before it."""
        while self._certain and self._certain[-1][0] <= least:
            self._certain.pop()
        if least > 0:
            self._certain.append((least, until))

    def _forget(self, now: float) -> None:
        while self._certain and self._certain[0][1] <= now:
            self._certain.popleft()
        if self._foreign_until <= now:
            self._foreign = 0
        while self._answered and self._answered[0][0] + self._hold <= now:
            self._answered_exempt -= self._answered.popleft()[1]

    def _next_free(self, *, with_exempt: bool) -> list[float]:
        """When the answer came whose slot is free next, if there is one."""
        each = (at for at, exempt in self._answered if with_exempt or not exempt)
        return list(islice(each, 1))

    def _limit_at(self, now: float) -> int:
        if self.limit < self._usual_limit and now - self._changed_at >= _GROWTH_SECONDS:
            self.limit = min(self._usual_limit, self.limit + max(1, self.limit // 20))
            self._changed_at = now
        return self.limit
