"""What is known of each change while it is carried out, and what follows from it in the end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import assert_never

from reconciler.errors import PortalError, ReconcilerError, first_few
from reconciler.model.limits import ObservedDirection, TypeKey, UnknownRow
from reconciler.model.plan import BatchInput, Change, ChangeError, ChangeResult, Status

REFUSAL_WATCH = 15.0
"""Seconds for which a refused limit must show its old value before it counts as refused.

HubSpot's refusals mean that nothing was written (documented), but its reads were seen to lag
(observed), so that the two agreeing reads of a written limit are not enough for a limit whose
write was refused and may have taken effect all the same.
"""


# ---------------------------------------------------------------- what answers say


@dataclass(frozen=True, slots=True)
class Untried:
    """Nobody looked at it: not sent, or turned away. The error says on what it waited."""

    error: ChangeError


@dataclass(frozen=True, slots=True)
class Accepted:
    """The portal says it was written."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It was sent, and the answer does not say that it was written.

    `lasting`: it left without an answer that can be believed. Whether that was carried out, no
    refusal of a later attempt can say.
    """

    error: ChangeError
    lasting: bool = False


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
Sent = Accepted | Doubtful | Refused | Shown


@dataclass(frozen=True, slots=True)
class Fact:
    """What an attempt or a read says of some inputs."""

    inputs: tuple[BatchInput, ...]
    known: Knowledge


# ---------------------------------------------------------------- what reads show

Now = int | UnknownRow | None
"""What the portal shows for a type: a limit, none, or a row that nobody understands."""


def now_of(direction: ObservedDirection, key: TypeKey) -> Now:
    """What a read of a direction shows for one type."""
    unknown = next((row for row in direction.unknown if row.key == key and row.in_force), None)
    return unknown or direction.values().get(key)


def showing(now: Now) -> str:
    """What the portal shows, as a sentence."""
    return str(now) if isinstance(now, UnknownRow) else f"the portal shows {shown(now)}"


def shown(limit: int | None) -> str:
    """A limit in words."""
    return "no limit" if limit is None else str(limit)


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


# ---------------------------------------------------------------- all changes of one direction


class Ledger:
    """The changes of one direction, each with what is known of it."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes: Mapping[TypeKey, Change] = {each.type.key: each for each in changes}
        self._known: dict[TypeKey, Knowledge] = dict.fromkeys(
            self._changes, Untried(ChangeError("nothing was sent"))
        )
        self._before: dict[TypeKey, Knowledge] = {}
        self._doubted: set[TypeKey] = set()

    def begin(self, inputs: Sequence[BatchInput]) -> None:
        """These are being sent: the portal may have written them, until a fact says more."""
        under_way = Doubtful(ChangeError("it was being sent when the apply broke off"))
        self._before.update((each.key, self._known[each.key]) for each in inputs)
        self._known.update((each.key, under_way) for each in inputs)

    def doubt(self, inputs: Sequence[BatchInput]) -> None:
        """They left before without an answer that can be believed: a refusal will not undo it."""
        self._doubted.update(each.key for each in inputs)

    def note(self, fact: Fact) -> tuple[Fact, ...]:
        """Keep a fact; return what it comes to with what was known before."""
        match fact.known:
            case Untried() | Refused(judged=False) as known:
                for each in fact.inputs:
                    was = self._before.pop(each.key, self._known[each.key])
                    self._known[each.key] = after_no_effect(was, known)
                return (fact,)
            case Refused(error):
                doubted = tuple(each for each in fact.inputs if each.key in self._doubted)
                others = tuple(each for each in fact.inputs if each.key not in self._doubted)
                return (*self._set(doubted, Doubtful(error)), *self._set(others, fact.known))
            case Doubtful(lasting=True):
                self.doubt(fact.inputs)
        return self._set(fact.inputs, fact.known)

    def _set(self, inputs: tuple[BatchInput, ...], known: Knowledge) -> tuple[Fact, ...]:
        for each in inputs:
            self._before.pop(each.key, None)
            self._known[each.key] = known
        return (Fact(inputs, known),) if inputs else ()

    # ------------------------------------------------------------ what follows from it

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def new(self) -> frozenset[TypeKey]:
        """The limits that did not exist when the plan was made."""
        return frozenset(key for key, change in self._changes.items() if change.before is None)

    def are(self, inputs: Sequence[BatchInput], kind: type[Knowledge]) -> bool:
        """Whether this is known of all these inputs."""
        return all(isinstance(self._known[each.key], kind) for each in inputs)

    def changes(self, kinds: type[Knowledge] | UnionType) -> list[Change]:
        """The changes of which such a thing is known, in the plan's order."""
        return [
            self._changes[key] for key, known in self._known.items() if isinstance(known, kinds)
        ]

    @property
    def refused(self) -> list[Change]:
        """The changes that the portal looked at and refused."""
        return [
            self._changes[key]
            for key, known in self._known.items()
            if isinstance(known, Refused) and known.judged
        ]

    @property
    def may_have_written(self) -> bool:
        """Whether a write has left that the portal looked at, whatever it answered."""
        return bool(self.refused or self.changes(Accepted | Doubtful | Shown))

    def missing(self, seen: Seen) -> list[Change]:
        """The sent changes that the last read does not show; refused ones are not waited for."""
        return [each for each in self.changes(Accepted | Doubtful | Shown) if not seen.shows(each)]

    def lost(self, seen: Seen) -> frozenset[TypeKey]:
        """What was sent, never shown, and is as it was before: to be sent again.

        Not what has another value, for somebody may have changed it since.
        """
        return frozenset(
            each.type.key for each in self.changes(Accepted | Doubtful) if seen.shows_old(each)
        )

    def first_shown(self, seen: Seen) -> Fact:
        """What a read shows for the first time is in doubt no more, whatever is read later."""
        shown = self.changes(Accepted | Doubtful | Refused)
        inputs = (BatchInput(each.type.key, each.after) for each in shown if seen.shows(each))
        return Fact(tuple(inputs), Shown())

    def obstacle(self) -> str | None:
        """Why what comes after must not be sent: something before it was refused or is in doubt."""
        stuck = [
            f"{self._changes[key].id} ({'refused' if isinstance(known, Refused) else 'in doubt'})"
            for key, known in self._known.items()
            if isinstance(known, Doubtful | Refused)
        ]
        if not stuck:
            return None
        return f"not sent: it waited for {first_few(stuck)}"

    def results(self, seen: Seen, settle: float) -> tuple[ChangeResult, ...]:
        """What became of each change, by what is known and what was seen in the end."""
        return tuple(
            judge(change, self._known[key], seen, settle) for key, change in self._changes.items()
        )


def after_no_effect(was: Knowledge, now: Untried | Refused) -> Knowledge:
    """What is known when an attempt had no effect: an earlier doubt or refusal stays.

    An input is sent more than once where a larger batch was refused or left it open.
    """
    if isinstance(was, Untried) or (isinstance(was, Refused) and isinstance(now, Refused)):
        return now
    return was


# ---------------------------------------------------------------- the end


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


def _unproven(change: Change, known: Sent, reads: str) -> ChangeResult:
    """Uncertain, unless it was turned back at the door, which no read has contradicted."""
    if isinstance(known, Refused) and not known.judged:
        return ChangeResult(change, Status.FAILED, known.error)
    return ChangeResult(change, Status.UNCERTAIN, _with_reads(known, reads))


def _with_reads(known: Sent, reads: str) -> ChangeError:
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


def change_error(error: ReconcilerError) -> ChangeError:
    """The error as a change's result shows it."""
    if isinstance(error, PortalError):
        return ChangeError(error.message, error.category, error.correlation_id)
    return ChangeError(error.message)
