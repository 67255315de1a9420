"""Tell drift from intent: four values per limit say who moved it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.model.limits import (
    AssociationType,
    DesiredLimit,
    Observation,
    ObservedDirection,
    Past,
    ResolvedDirection,
    Selector,
    TypeKey,
)
from reconciler.model.plan import Origin, Plan, RefusalCode
from reconciler.planning.types import name_types


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
    is_new = tip is not None and tip.named and (base is None or not base.named)
    return is_new and not head.named


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
        return cls(
            declared_values(declared, named, observed.types()),
            frozenset(limit.selector for limit in declared.limits),
        )


@dataclass(frozen=True, slots=True)
class Sides:
    """The merge base and the tip of the target branch, for one direction."""

    base: Side
    tip: Side

    def origin(self, key: TypeKey, head: Declared, observed: int | None) -> Origin | Behind | None:
        """Who moved a limit; None where that cannot be known."""
        if not self.base.known:
            return None
        base = self.base.values.get(key)
        if self.tip.known:
            return origin(base, head, self.tip.values.get(key), observed)
        return Origin.CONFIG if base is None or base.max == observed else None

    def moved_on(self, key: TypeKey) -> bool:
        """Whether the target branch is known to say something else than the merge base."""
        known = self.base.known and self.tip.known
        return known and moved_on(self.base.values.get(key), self.tip.values.get(key))

    def tip_says(self, key: TypeKey) -> str:
        """What the target branch does with a limit, in words."""
        tip = self.tip.values.get(key)
        return "no longer declares it" if tip is None else str(tip)

    def renamed_at_tip(self, limit: DesiredLimit) -> bool:
        """Whether the target branch no longer names a limit as the merge base does."""
        return self.tip.known and limit.selector not in self.tip.selectors


def declared_values(
    declared: ResolvedDirection,
    named: Mapping[TypeKey, DesiredLimit],
    types: Mapping[TypeKey, AssociationType],
) -> dict[TypeKey, Declared]:
    """What a declared direction says of each type: named, or removed by not naming it."""
    pruned = {
        key: Declared(None, named=False)
        for key, type_ in types.items()
        if declared.prune and type_.pruned_when_unnamed
    }
    return pruned | {key: Declared(limit.max) for key, limit in named.items()}


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
    types: Mapping[TypeKey, AssociationType] = first.types() | second.types()
    before, after = _stated(first), _stated(second)
    for key in sorted({**before, **after}):
        if before.get(key) != after.get(key):
            name = types.get(key) or key
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
