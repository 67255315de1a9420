"""Read a direction back, gently, until two reads agree on what was written or the time is up."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.applying.knowledge import (
    REFUSAL_WATCH,
    Accepted,
    Doubtful,
    Refused,
    Seen,
    Shown,
    Sight,
)
from reconciler.applying.ledger import Ledger
from reconciler.applying.staleness import now_of
from reconciler.applying.surroundings import Surroundings
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


@dataclass(frozen=True, slots=True)
class Due:
    """When a direction is to be read next, in seconds of the clock.

    `together`: it only waits for what it has seen to settle, and may wait for other directions.
    """

    moment: float
    together: bool


class Reader:
    """Reads one direction; all its waits take `verify_timeout`, and one settling time more."""

    def __init__(
        self, direction: Direction, keys: Collection[TypeKey], around: Surroundings
    ) -> None:
        self.seen = Seen()
        self._direction = direction
        self._keys = tuple(keys)
        self._around = around
        self._patience = around.verify_timeout
        self._closed = False
        self._forbidden = False
        self._reported = 0
        self._watched = 0
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
        self._patience = max(0.0, self._deadline - self._now)

    def hurry(self) -> None:
        """Something was sent: begin with short pauses again."""
        self._pause = FIRST_PAUSE

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
        self._around.clock.wait(self._next_read - self._now)

    @property
    def _now(self) -> float:
        return self._around.clock.monotonic()

    @property
    def _next_read(self) -> float:
        return min(self._read_at + self._pause, self._deadline)

    # ------------------------------------------------------------ reading

    def read(self, ledger: Ledger) -> None:
        """Read once. The ledger learns what is shown."""
        self._late = self._read_at >= self._deadline
        self._read()
        ledger.settle(self.seen)
        missing = len(ledger.missing(self.seen))
        if missing not in (0, self._reported):
            self._around.progress.reading_back(self._direction, missing)
            self._reported = missing
        watched = sum(ledger.was_judged(each) for each in ledger.changes(Refused))
        if watched and not self._watched and not missing:
            seconds = min(REFUSAL_WATCH, max(0.0, self._deadline - self._now))
            self._around.progress.watching(self._direction, watched, seconds)
        self._watched = watched
        self._read_at = self._now
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _read(self) -> None:
        """One read, or none where the portal cannot be read just now.

        That a read is refused may pass too: before the first write it was not. Where it is
        forbidden twice in a row, waiting will not help.
        """
        asked = self._now
        try:
            found = self._around.portal.read(
                self._direction,
                needs_labels=never,
                seconds=max(SHORTEST_READ, self._deadline - asked),
            )
        except (
            *(PortalUnavailable, RequestRefused, EndpointMissing),
            *(Redirected, AnswerNotSupported),
        ) as error:
            self._around.halt.after(error)
            self.seen = replace(self.seen, unread=error.message)
        except (AuthenticationFailed, PermissionMissing) as error:
            self._forbid(error)
        except (Interrupted, PortalError) as error:
            self._around.halt.after(error)
            self.close(error.message)
        else:
            shown = {key: now_of(found, key) for key in self._keys}
            self.seen = self.seen.then(shown, asked, self._now)
            self._forbidden = False

    def _forbid(self, error: PortalError) -> None:
        if self._forbidden:
            self._around.halt.after(error)
            self.close(error.message)
        self._forbidden = True
        self.seen = replace(self.seen, unread=error.message)

    def forget(self, inputs: Sequence[BatchInput]) -> None:
        """These were sent: what was seen of them before says nothing any more."""
        self.seen = self.seen.without([each.key for each in inputs])

    # ------------------------------------------------------------ when to read next

    def due(self, ledger: Ledger) -> Due | None:
        """When to read next; None: everything is known that can be known in the time allowed."""
        if self._closed:
            return None
        sent = ledger.changes(Accepted | Doubtful | Shown | Refused)
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
            if key not in old and not sight.lasted(self._around.settle) and not self._late:
                yield sight.since + self._around.settle

    def _watching(self, ledger: Ledger) -> Iterator[float]:
        """When each refused limit is to be read again, while there is time."""
        judged = [each for each in ledger.changes(Refused) if ledger.was_judged(each)]
        for _, sight in self._sights(judged):
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
