"""Tell drift from intent: four values per limit say who moved it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import (
    CustomObject,
    Desired,
    DesiredDirection,
    DesiredLimit,
    Direction,
    Observed,
    ObservedDirection,
    Place,
    ResolvedDirection,
    Selector,
    TypeKey,
)
from reconciler.model.plan import Origin, Plan, RefusalCode
from reconciler.planning.diff import wanted_limits
from reconciler.planning.names import name_types, try_resolve

# ---------------------------------------------------------------- what was said and what was read


@dataclass(frozen=True)
class Past:
    """What the configuration said at a commit; `complete` False: not all of it can be read."""

    directions: tuple[ResolvedDirection, ...]
    complete: bool = True

    @cached_property
    def by_key(self) -> Mapping[tuple[str, str], ResolvedDirection]:
        """The directions by their pair of object type IDs."""
        return {each.direction.key: each for each in self.directions}


@dataclass(frozen=True, slots=True)
class History:
    """The configuration at the merge base, and at the tip of the ref that a plan is made against.

    `ref` is what the tip is called in words.
    """

    base: Past
    tip: Past
    ref: str = "the base ref"


@dataclass(frozen=True, slots=True)
class Vanished:
    """What the files name, then as now, and the portal no longer has. `message` says what."""

    message: str
    place: Place


@dataclass(frozen=True, slots=True)
class Observation:
    """The declared directions with their IDs, and what the portal shows for them.

    `history` None: no base was asked for. `vanished` are object types, whose directions are not
    among `head`.
    """

    head: tuple[ResolvedDirection, ...]
    history: History | None
    observed: Observed
    vanished: tuple[Vanished, ...] = ()


# ---------------------------------------------------------------- who moved a limit


@dataclass(frozen=True, slots=True)
class Declared:
    """What the configuration says of a limit. `max` None: there is to be none.

    `named` False: a file that declares the direction does not name the limit, and so removes it.
    """

    max: int | None
    named: bool = True

    def __str__(self) -> str:
        if not self.named:
            return "no longer names it"
        return "sets no limit" if self.max is None else f"sets {self.max}"


@dataclass(frozen=True, slots=True)
class Behind:
    """Nobody moved the limit but the target branch, which this branch does not have yet."""


def origin(
    base: Declared | None, head: Declared, tip: Declared | None, observed: int | None
) -> Origin | Behind:
    """Who moved a limit whose observed value differs from the head's.

    `base` is the merge base, `tip` the target branch as it is now; None: that side says nothing
    of the limit. Where the target branch moved on and this branch did not touch the limit, the
    head's value is merely old, and is never written. A value that the base or the tip has was
    not set by hand in HubSpot, so it is no drift.
    """
    if moved_on(base, tip) and _is_old(base, head, tip):
        return Behind()
    if base is None or observed == base.max:
        return Origin.CONFIG
    if moved_on(base, tip):
        applied = observed == (None if tip is None else tip.max)
        return Origin.CONFIG if applied else Origin.CONFLICT
    return Origin.DRIFT if base.max == head.max else Origin.CONFLICT


def moved_on(base: Declared | None, tip: Declared | None) -> bool:
    """Whether the target branch says something else of a limit than the merge base."""
    return not _agree(base, tip)


def _agree(one: Declared | None, other: Declared | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.max == other.max


def _is_old(base: Declared | None, head: Declared, tip: Declared | None) -> bool:
    """Whether the head says what the base said, or leaves out a limit that is new since."""
    if _agree(base, head):
        return True
    return base is None and tip is not None and tip.named and not head.named


# ---------------------------------------------------------------- the sides of one direction


@dataclass(frozen=True, slots=True)
class Side:
    """What one commit says of the limits of one direction; `known` False: it cannot be read."""

    values: Mapping[TypeKey, Declared] = field(default_factory=dict)
    selectors: frozenset[Selector] = frozenset()
    known: bool = True

    @classmethod
    def of(cls, past: Past, observed: ObservedDirection) -> Side:
        """What a past configuration says; labels that the portal no longer has say nothing."""
        declared = past.by_key.get(observed.direction.key)
        if declared is None:
            return cls(known=past.complete)
        named = name_types(declared, observed, hints=0).limits
        wanted = wanted_limits(declared, named, observed.types())
        return cls(
            {key: Declared(value, named=key in named) for key, value in wanted.items()},
            frozenset(limit.selector for limit in declared.limits),
        )


@dataclass(frozen=True, slots=True)
class Sides:
    """The merge base and the tip of the target branch, for one direction.

    `ref` is what the tip is called in words.
    """

    base: Side
    tip: Side
    ref: str

    @classmethod
    def of(cls, history: History, observed: ObservedDirection) -> Sides:
        """What both say of a direction that was read."""
        base = Side.of(history.base, observed)
        tip = base if history.tip is history.base else Side.of(history.tip, observed)
        return cls(base, tip, history.ref)

    def origin(self, key: TypeKey, head: Declared, observed: int | None) -> Origin | Behind | None:
        """Who moved a limit; None where that cannot be known."""
        if not self.base.known:
            return None
        base = self.base.values.get(key)
        if self.tip.known:
            return origin(base, head, self.tip.values.get(key), observed)
        return Origin.CONFIG if base is None or base.max == observed else None

    def named_at_base(self, limit: DesiredLimit) -> bool:
        """Whether the merge base names a limit as the head does."""
        return limit.selector in self.base.selectors

    def gone(
        self, direction: Direction, gone: Sequence[tuple[DesiredLimit, Diagnostic]]
    ) -> tuple[tuple[Vanished, ...], tuple[str, ...]]:
        """What the files have named since the base and HubSpot no longer has.

        It was renamed or deleted there, except that where the target branch no longer names it
        either, a note says that the branch is behind.
        """
        old = [each for each in gone if self._renamed_at_tip(each[0])]
        drift = [each for each in gone if each not in old]
        return (
            tuple(vanished(direction, problem, limit.place) for limit, problem in drift),
            tuple(
                f"{problem.message}; {self.ref} no longer names it, so {direction} is left out of "
                f"the plan: merge or rebase {self.ref}"
                for _, problem in old
            ),
        )

    def notes(
        self,
        observed: ObservedDirection,
        behind: Iterable[TypeKey],
        changing: Iterable[TypeKey],
    ) -> Iterator[str]:
        """Where the target branch moved on: what is left out, and what it will conflict with."""
        types, ref = observed.types(), self.ref
        for key in sorted(behind):
            limit = f"{types[key].quoted} of {observed.direction}"
            if self._moved_on(key):
                yield (
                    f"{limit} is left out of the plan: {ref} {self._tip_says(key)} since this "
                    f"branch began, and the branch is behind; merge or rebase {ref}"
                )
            else:
                yield (
                    f"{limit} is left out of the plan: it does not fit a limit of {ref} that this "
                    f"branch does not have; merge or rebase {ref}"
                )
        for key in sorted(changing):
            if self._moved_on(key):
                yield (
                    f"{types[key].quoted} of {observed.direction} is changed by this branch, and "
                    f"{ref} {self._tip_says(key)} since it began; merge or rebase {ref}"
                )

    def _moved_on(self, key: TypeKey) -> bool:
        """Whether the target branch is known to say something else than the merge base."""
        known = self.base.known and self.tip.known
        return known and moved_on(self.base.values.get(key), self.tip.values.get(key))

    def _tip_says(self, key: TypeKey) -> str:
        tip = self.tip.values.get(key)
        return "no longer declares it" if tip is None else str(tip)

    def _renamed_at_tip(self, limit: DesiredLimit) -> bool:
        """Whether the target branch no longer names a limit as the merge base does."""
        return self.tip.known and limit.selector not in self.tip.selectors


# ---------------------------------------------------------------- what a past configuration names


def resolve_past(past: Desired, head: Desired, custom_objects: Sequence[CustomObject]) -> Past:
    """A past configuration with its IDs.

    What has no ID in this portal any more says nothing, and makes it incomplete, unless the head
    names it, too: then it is known which direction is meant.
    """
    resolution = try_resolve(past.directions, custom_objects)
    named_now = {(each.from_, each.to) for each in head.directions}
    unknown = any(
        (each.from_, each.to) not in named_now and try_resolve([each], custom_objects).diagnostics
        for each in (past.directions if resolution.diagnostics else ())
    )
    twice = any(each.code == DiagnosticCode.DIRECTION_DUPLICATE for each in resolution.diagnostics)
    return Past(resolution.directions, past.complete and not unknown and not twice)


def find_vanished(
    head: Desired, base: Desired, custom_objects: Sequence[CustomObject]
) -> tuple[tuple[DesiredDirection, Vanished], ...]:
    """The directions between object types that base and head name and the portal does not have.

    They were renamed or deleted in HubSpot: that is no mistake in the file.
    """
    if not try_resolve(head.directions, custom_objects).diagnostics:
        return ()
    named_before = {(each.from_, each.to) for each in base.directions}
    found = []
    for each in head.directions:
        problems = try_resolve([each], custom_objects).diagnostics
        unknown = problems and all(
            one.code == DiagnosticCode.OBJECT_TYPE_UNKNOWN for one in problems
        )
        if unknown and (each.from_, each.to) in named_before:
            found.append((each, vanished(each, problems[0], each.place)))
    return tuple(found)


def vanished(what: object, problem: Diagnostic, place: Place) -> Vanished:
    """In words: what is gone, that HubSpot is where it went, and what there is instead."""
    hint = f" ({problem.hint})" if problem.hint else ""
    return Vanished(
        f"drift: {problem.message}; the files have named it since the base, so it was renamed or "
        f"deleted in HubSpot{hint}. {what} is not compared",
        place,
    )


# ---------------------------------------------------------------- drift is read twice


def claims(plan: Plan, observation: Observation) -> frozenset[tuple[str, str]]:
    """The directions of which the plan says that somebody changed them in HubSpot, by their IDs.

    Those that name what is gone from HubSpot are among them.
    """
    moved = (Origin.DRIFT, Origin.CONFLICT)
    changed = {each.direction.key for each in plan.changes if each.origin in moved}
    if any(each.code is RefusalCode.VANISHED for each in plan.refusals):
        changed |= {
            each.direction.key
            for each in observation.head
            if name_types(each, observation.observed.by_key[each.direction.key], hints=0).astray
        }
    return frozenset(changed)


def disagreements(first: ObservedDirection, second: ObservedDirection) -> Iterator[str]:
    """In what two reads of one direction differ, in words."""
    types = first.types() | second.types()
    before, after = _stated(first), _stated(second)
    for key in sorted({**before, **after}):
        if before.get(key) != after.get(key):
            name = types.get(key, key)
            values = f"{_shown(before.get(key))}, then {_shown(after.get(key))}"
            yield f"{first.direction}, {name}: {values}"
    if first.labels is None or second.labels is None:
        return
    for type_ in sorted(set(first.labels) ^ set(second.labels), key=lambda each: each.key):
        listed = "then no longer" if type_ in first.labels else "only then"
        yield f'{first.direction}: "{type_}" ({type_.key}) is {listed} among the labels'


def _stated(observed: ObservedDirection) -> dict[TypeKey, int | str]:
    odd = {row.key: "unknown" for row in observed.unknown if row.key is not None and row.in_force}
    return odd | observed.values()


def _shown(value: int | str | None) -> str:
    return "no limit" if value is None else str(value)
