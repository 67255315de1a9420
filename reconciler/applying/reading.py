"""Read a direction back, gently, until two reads agree on what was written or the time is up."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.applying.knowledge import (
    REFUSAL_WATCH,
    Ledger,
    Seen,
    Sent,
    Sight,
    now_of,
)
from reconciler.applying.run import Run
from reconciler.errors import (
    AnswerNotSupported,
    AuthenticationFailed,
    EndpointMissing,
    Interrupted,
    PermissionMissing,
    PortalError,
    PortalUnavailable,
    Redirected,
    RequestRefused,
)
from reconciler.model.limits import Direction, ObservedDirection, TypeKey
from reconciler.model.plan import BatchInput, Change

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between two reads of a direction: the first, doubled each time, and the most."""

SHORTEST_READ = 12.0
"""Seconds allowed for a read, its waits included, when less of the time to verify is left.

One interval of HubSpot's rate limit (10 s, documented) can be waited for.
"""


_MAY_PASS = (
    PortalUnavailable,
    RequestRefused,
    EndpointMissing,
    Redirected,
    AnswerNotSupported,
)
"""Why a read brings nothing, and the next one may: before the first write none of them was met."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a direction is to be read next, in seconds of the clock.

    `together`: it only waits for what it has seen to settle, and may wait for other directions.
    """

    moment: float
    together: bool


class Reader:
    """Reads one direction; all its waits take `verify_timeout`, and one settling time more."""

    def __init__(self, direction: Direction, keys: Collection[TypeKey], run: Run) -> None:
        self.seen = Seen()
        self._direction = direction
        self._keys = tuple(keys)
        self._run = run
        self._patience = run.verify_timeout
        self._closed = False
        self._forbidden = False
        self.begin()

    # ------------------------------------------------------------ the time allowed

    def begin(self) -> None:
        """From here on time is spent; the first read comes at once."""
        self._deadline = self._now + self._patience
        self._read_at = -math.inf
        self._late = False
        self._pause = FIRST_PAUSE / 2

    def rest(self) -> None:
        """Time is not spent any more until it begins again."""
        self._patience = self.left

    def hurry(self) -> None:
        """Something was sent: begin with short pauses again."""
        self._pause = FIRST_PAUSE

    @property
    def left(self) -> float:
        """Seconds left of the time allowed."""
        return max(0.0, self._deadline - self._now)

    @property
    def is_over(self) -> bool:
        """Whether the time was up after the last read, or no further read makes sense."""
        return self._closed or self._read_at >= self._deadline

    def close(self, why: str) -> None:
        """Nothing is read any more."""
        self._closed = True
        self.seen = replace(self.seen, unread=why)

    def wait(self) -> None:
        """The pause before the next read; the last one is taken when the time is up."""
        self._run.clock.wait(self._next_read - self._now)

    @property
    def _now(self) -> float:
        return self._run.clock.monotonic()

    @property
    def _next_read(self) -> float:
        return min(self._read_at + self._pause, self._deadline)

    # ------------------------------------------------------------ reading

    def read(self) -> None:
        """One read, or none where the portal cannot be read just now.

        That a read is refused may pass too: before the first write it was not. Where it is
        forbidden twice in a row, waiting will not help.
        """
        self._late = self._read_at >= self._deadline
        asked = self._now
        seconds = max(SHORTEST_READ, self._deadline - asked)
        try:
            found = self._run.portal.read(self._direction, needs_labels=never, seconds=seconds)
        except (AuthenticationFailed, PermissionMissing) as error:
            self._unread(error, for_good=self._forbidden)
            self._forbidden = True
        except _MAY_PASS as error:
            self._run.halt.after(error)
            self._unread(error, for_good=False)
        except (Interrupted, PortalError) as error:
            self._unread(error, for_good=True)
        else:
            shown = {key: now_of(found, key) for key in self._keys}
            self.seen = self.seen.then(shown, asked, self._now)
            self._forbidden = False
        self._read_at = self._now
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _unread(self, error: PortalError | Interrupted, *, for_good: bool) -> None:
        self.seen = replace(self.seen, unread=error.message)
        if for_good:
            self._run.halt.after(error)
            self._closed = True

    def forget(self, inputs: Sequence[BatchInput]) -> None:
        """These were sent: what was seen of them before says nothing any more."""
        self.seen = self.seen.without([each.key for each in inputs])

    # ------------------------------------------------------------ when to read next

    def due(self, ledger: Ledger) -> Due | None:
        """When to read next; None: everything is known that can be known in the time allowed."""
        sent = ledger.changes(Sent)
        if self._closed or not sent:
            return None
        unread = any(each.type.key not in self.seen.sights for each in sent)
        if not self.is_over and (unread or ledger.missing(self.seen)):
            return Due(self._next_read, together=False)
        moments = [*self._settling(sent, ledger), *self._watching(ledger)]
        if not moments:
            return None
        pause = self._pause if self.seen.unread else 0.0
        return Due(max(*moments, self._read_at + pause), together=True)

    def _settling(self, sent: list[Change], ledger: Ledger) -> Iterator[float]:
        """When each limit that was read once is to be read again.

        Where the time is up, once, so that what has shown in time is still confirmed.
        """
        old = {each.type.key for each in ledger.missing(self.seen) if self.seen.shows_old(each)}
        for key, sight in self._sights(sent):
            if key not in old and not sight.lasted(self._run.settle) and not self._late:
                yield sight.since + self._run.settle

    def _watching(self, ledger: Ledger) -> Iterator[float]:
        """When each refused limit is to be read again, while there is time."""
        for _, sight in self._sights(ledger.refused):
            if not self.is_over and not sight.lasted(REFUSAL_WATCH):
                following = sight.until + LONGEST_PAUSE
                yield min(following, sight.since + REFUSAL_WATCH, self._deadline)

    def _sights(self, changes: list[Change]) -> Iterator[tuple[TypeKey, Sight]]:
        for each in changes:
            if (sight := self.seen.sights.get(each.type.key)) is not None:
                yield each.type.key, sight


def never(_: ObservedDirection) -> bool:
    """A change names its type by ID: reading it back needs no labels."""
    return False
