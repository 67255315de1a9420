"""Tell drift from intent: three values per limit say who moved it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.model import AssociationType, ObservedDirection, Origin, Plan, TypeKey


@dataclass(frozen=True, slots=True)
class Declared:
    """What the configuration says of a limit; None: unlimited, or removed by not naming it."""

    max: int | None


def origin(base: Declared | None, head: Declared, observed: int | None) -> Origin:
    """Who moved a limit whose observed value differs from the head's.

    `base` None: the base says nothing of this limit, so this branch is the first to.
    """
    if base is None or base.max == observed:
        return Origin.CONFIG
    return Origin.DRIFT if base.max == head.max else Origin.CONFLICT


def claims(plan: Plan) -> frozenset[tuple[str, str]]:
    """The directions of which the plan says that somebody changed them in HubSpot, by their IDs."""
    moved = (Origin.DRIFT, Origin.CONFLICT)
    return frozenset(each.direction.key for each in plan.changes if each.origin in moved)


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
