"""How the limits of two portals differ, by object types and labels.

Type IDs and the IDs of custom objects differ from portal to portal and do not count: a limit is the
same limit where its direction has the same object types by name and its type the same label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from reconciler.model.limits import AssociationType, Direction, ObjectType, ObservedDirection
from reconciler.model.portals import Difference, Lacking, LimitName, Side


@dataclass(frozen=True, slots=True)
class PortalLimits:
    """The limits of one portal, and its object types: their names in any portal, by ID."""

    name: str
    directions: tuple[ObservedDirection, ...]
    object_types: Mapping[str, str]

    def values(self) -> dict[LimitName, int]:
        """Every limit that can be named, by its name."""
        found: dict[LimitName, int] = {}
        for seen in self.directions:
            types, names = (
                seen.types(),
                (self._name(seen.direction.from_), self._name(seen.direction.to)),
            )
            for key, value in seen.values().items():
                if key in types:
                    found[limit_name(names, types[key])] = value
        return found

    def _name(self, type_: ObjectType) -> str:
        return self.object_types.get(type_.id, type_.name)

    def find(self, direction: tuple[str, str]) -> Direction | None:
        """A direction by the names of its object types; None where one of them is not here."""
        ids = {name: id_ for id_, name in self.object_types.items()}
        if not ids.keys() >= {*direction}:
            return None
        return Direction(*(ObjectType(ids[name], name) for name in direction))


Labels = Callable[[Direction], Collection[AssociationType]]
"""Reads the labels of a direction of one portal."""


def with_lacking(
    found: Sequence[Difference], sides: Mapping[Side, PortalLimits], labels: Mapping[Side, Labels]
) -> tuple[Difference, ...]:
    """The differences, each with what its portal has to get before it can have the limit.

    The labels of a direction are read once, and only where a label's limit is on one side alone.
    """
    read = {side: cache(each) for side, each in labels.items()}
    return tuple(
        each
        if (side := each.missing_in) is None
        else replace(each, lacking=_lacking(each.name, sides[side], read[side]))
        for each in found
    )


def _lacking(name: LimitName, portal: PortalLimits, labels: Labels) -> Lacking | None:
    direction = portal.find(name.direction)
    if direction is None:
        return Lacking.OBJECT_TYPE
    if name.label is None:
        return None
    there = {limit_name(name.direction, each) for each in labels(direction)}
    return None if name in there else Lacking.LABEL


def limit_name(direction: tuple[str, str], type_: AssociationType) -> LimitName:
    """The name of a type's limit."""
    category = None if type_.label is None else type_.key.category
    return LimitName(*direction, type_.label, category)


def differences(a: PortalLimits, b: PortalLimits) -> tuple[Difference, ...]:
    """Every limit that the portals do not share, in the order of directions and labels."""
    left, right = a.values(), b.values()
    names = [name for name in left.keys() | right.keys() if left.get(name) != right.get(name)]
    return tuple(
        Difference(name, left.get(name), right.get(name)) for name in sorted(names, key=_order)
    )


def _order(name: LimitName) -> tuple[str, str, bool, str, str]:
    """By direction, the object limit first, then the labels."""
    return (*name.direction, name.label is not None, name.label or "", name.category or "")
