"""What is known of one change while it is carried out, and what follows from it in the end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from reconciler.applying.staleness import Now, showing, shown
from reconciler.errors import PortalError, ReconcilerError
from reconciler.model.limits import TypeKey
from reconciler.model.plan import Change, ChangeError, ChangeResult, Status

REFUSAL_WATCH = 15.0
"""Seconds for which a refused limit must show its old value before it counts as refused.

HubSpot's refusals mean that nothing was written (documented), but its reads were seen to lag
(observed), so that the two agreeing reads of a written limit are not enough for a limit whose
write was refused and may have taken effect all the same.
"""


@dataclass(frozen=True, slots=True)
class Untried:
    """Nobody looked at it: not sent, or turned away. The error says on what it waited."""

    error: ChangeError


@dataclass(frozen=True, slots=True)
class Accepted:
    """The portal says it was written."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It was sent, and the answer does not say that it was written."""

    error: ChangeError


@dataclass(frozen=True, slots=True)
class Refused:
    """The portal says it was not written.

    `judged` False: turned back before anybody looked at the inputs (401, 403, a wrong address).
    """

    error: ChangeError
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """It was sent, and a read after that showed it. It is never sent again."""


Knowledge = Untried | Accepted | Doubtful | Refused | Shown


@dataclass(frozen=True, slots=True)
class Sight:
    """What the reads since `since` showed of one limit, all of them the same.

    `since`: when the first of them was answered; `until`: when the last of them was asked for.
    Seconds of the clock.
    """

    value: Now
    since: float
    until: float

    def lasted(self, seconds: float) -> bool:
        """Whether two agreeing reads were at least so far apart; for 0 seconds one will do."""
        return self.until >= self.since + seconds


@dataclass(frozen=True, slots=True)
class Seen:
    """What reads of a direction showed of its limits; `unread`: why the last one brought nothing."""

    sights: Mapping[TypeKey, Sight] = field(default_factory=dict)
    unread: str | None = None

    def then(self, shown: Mapping[TypeKey, Now], asked: float, answered: float) -> Seen:
        """And after one more read. A value that differs from the one before begins anew."""
        sights = {
            key: replace(before, until=asked)
            if (before := self.sights.get(key)) is not None and before.value == value
            else Sight(value, answered, answered)
            for key, value in shown.items()
        }
        return Seen(sights)

    def without(self, keys: Collection[TypeKey]) -> Seen:
        """As if these had not been read: they are sent, and what was seen before says nothing."""
        return replace(self, sights={k: v for k, v in self.sights.items() if k not in keys})

    def shows(self, change: Change) -> bool:
        """Whether the limit is what the change was to make it, by the last read."""
        sight = self.sights.get(change.type.key)
        return sight is not None and sight.value == change.after

    def shows_old(self, change: Change) -> bool:
        """Whether the limit is what it was before, by the last read."""
        sight = self.sights.get(change.type.key)
        return sight is not None and sight.value == change.before


def judge(change: Change, known: Knowledge, seen: Seen, settle: float) -> ChangeResult:
    """What became of a change. What the portal shows outweighs what it answered.

    Only two reads that agree prove anything, at least `settle` seconds apart.
    """
    if isinstance(known, Untried):
        return ChangeResult(change, Status.NOT_ATTEMPTED, known.error)
    sight = seen.sights.get(change.type.key)
    if sight is None:
        why = f"it was not read back: {seen.unread or 'the apply broke off'}"
        return _unproven(change, known, why)
    if sight.value == change.before and not isinstance(known, Refused):
        still = f"the portal still shows {shown(change.before)}, not {shown(change.after)}"
        return _unproven(change, known, still)
    needed = max(settle, REFUSAL_WATCH) if _may_still_show(change, known, sight) else settle
    if not sight.lasted(needed):
        why = f": {seen.unread}" if seen.unread else ""
        unconfirmed = f"but no read {needed:g} s later has confirmed it{why}"
        return _unproven(change, known, f"{showing(sight.value)}, {unconfirmed}")
    if sight.value == change.after:
        return ChangeResult(change, Status.VERIFIED)
    if isinstance(known, Refused):
        return ChangeResult(change, Status.FAILED, known.error)
    other = f"written {shown(change.after)}, but {showing(sight.value)}"
    return ChangeResult(change, Status.FAILED, _with_reads(known, other))


def _may_still_show(change: Change, known: Knowledge, sight: Sight) -> bool:
    """Whether the portal looked at it, refused it, and shows the old value."""
    return isinstance(known, Refused) and known.judged and sight.value == change.before


def _unproven(
    change: Change, known: Accepted | Doubtful | Refused | Shown, reads: str
) -> ChangeResult:
    """Uncertain, unless it was turned back at the door, which no read has contradicted."""
    if isinstance(known, Refused) and not known.judged:
        return ChangeResult(change, Status.FAILED, known.error)
    return ChangeResult(change, Status.UNCERTAIN, _with_reads(known, reads))


def _with_reads(known: Accepted | Doubtful | Refused | Shown, reads: str) -> ChangeError:
    """What the portal shows, after what it answered."""
    match known:
        case Accepted():
            return ChangeError(f"HubSpot answered that it was written; {reads}")
        case Doubtful(error) | Refused(error):
            return replace(error, message=f"{error.message}; {reads}")
        case Shown():
            return ChangeError(f"it was shown after the write; {reads}")
        case _:
            assert_never(known)


def after_no_effect(was: Knowledge, told: Untried | Refused) -> Knowledge:
    """What is known when an attempt had no effect: an earlier doubt or refusal stays.

    An input is sent more than once where a larger batch was refused or left it open.
    """
    if isinstance(was, Untried) or (isinstance(was, Refused) and isinstance(told, Refused)):
        return told
    return was


def change_error(error: ReconcilerError) -> ChangeError:
    """The error as a change's result tells it."""
    if isinstance(error, PortalError):
        return ChangeError(error.message, error.category, error.correlation_id)
    return ChangeError(error.message)
