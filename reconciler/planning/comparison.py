"""How the limits of two portals differ, by object types and labels.

Type IDs and the IDs of custom objects differ from portal to portal and do not count: a limit is the
same limit where its direction has the same object types by name and its type the same label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

from reconciler.model.limits import (
    MAXIMUM_LIMIT,
    AssociationType,
    Direction,
    ObjectType,
    ObservedDirection,
    TypeKey,
)
from reconciler.model.portals import (
    MAY_HAVE_IT,
    NO_SUCH_TYPE,
    Difference,
    Lacking,
    LeftOut,
    LimitName,
    Side,
)
from reconciler.planning.adoption import NamedLimit, name_values


@dataclass(frozen=True)
class PortalLimits:
    """The limits of one portal, and its object types: their names in any portal, by ID.

    `written`: what a file of this portal calls an object type.
    """

    name: str
    directions: tuple[ObservedDirection, ...]
    object_types: Mapping[str, str]
    written: Callable[[str], ObjectType]
    custom_known: bool = True

    @cached_property
    def by_direction(self) -> Mapping[tuple[str, str], Mapping[LimitName, int]]:
        """Every limit that can be named, by the names of its direction and its own."""
        found: dict[tuple[str, str], dict[LimitName, int]] = {}
        for seen in self.directions:
            sides = (seen.direction.from_, seen.direction.to)
            from_, to = (self.object_types.get(each.id, each.name) for each in sides)
            types = seen.types()
            found[from_, to] = {
                limit_name((from_, to), types[key]): value
                for key, value in seen.values().items()
                if key in types
            }
        return found

    @cached_property
    def values(self) -> Mapping[LimitName, int]:
        """Every limit that can be named, by its name."""
        return {name: value for each in self.by_direction.values() for name, value in each.items()}

    @cached_property
    def _ids(self) -> Mapping[str, str]:
        return {name: id_ for id_, name in self.object_types.items()}

    def find(self, direction: tuple[str, str]) -> Direction | None:
        """A direction by the names of its object types; None where one of them is not here.

        HubSpot's own types without a published name are named by their ID, the same everywhere.
        """
        ids = [self._ids.get(name, name) for name in direction]
        if not all(id_ in self.object_types or id_.startswith("0-") for id_ in ids):
            return None
        return Direction(*map(self.written, ids))

    def seen(self, direction: Direction) -> ObservedDirection:
        """What the portal has in a direction."""
        found = (each for each in self.directions if each.direction.key == direction.key)
        return next(found, ObservedDirection(direction, ()))


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
        return Lacking.OBJECT_TYPE if portal.custom_known else Lacking.UNKNOWN
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
    left, right = a.values, b.values
    names = [name for name in left.keys() | right.keys() if left.get(name) != right.get(name)]
    return tuple(
        Difference(name, left.get(name), right.get(name)) for name in sorted(names, key=_order)
    )


def _order(name: LimitName) -> tuple[str, str, bool, str, str]:
    """By direction, the object limit first, then the labels."""
    return (*name.direction, name.label is not None, name.label or "", name.category or "")


# ---------------------------------------------------------------- carried from one to the other


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file says of a direction of B so that it is like A's. `prune`: as in pair files.

    The limits are named as B names them; `max` None: B is to have no such limit.
    """

    direction: Direction
    limits: tuple[NamedLimit, ...]
    prune: bool = True


@dataclass(frozen=True, slots=True)
class Carrier:
    """Says how B becomes like A. `prune`: whether files remove limits that they do not name."""

    a: PortalLimits
    b: PortalLimits
    labels: Labels
    prune: bool = True

    def complete(self, direction: tuple[str, str]) -> tuple[Carried | None, list[LeftOut]]:
        """All of A's limits in a direction, and what no file can say.

        A limit that only B has is named, as unlimited, where no longer naming it would not remove
        it. Where B has a limit that cannot be named, the direction is not pruned.
        """
        found, types, values, left = self._values(direction, complete=True)
        there = self.b.by_direction.get(direction, {})
        prune = all(each.name not in there for each in left)
        if prune and self.prune and any(value is not None for value in values.values()):
            values = {
                key: value
                for key, value in values.items()
                if value is not None or not types[key].pruned_when_unnamed
            }
        return _carried(found, types, values, prune=prune), left

    def differing(self, direction: tuple[str, str]) -> tuple[Carried | None, list[LeftOut]]:
        """Only those limits in which the two differ, for files that are laid over others."""
        found, types, values, left = self._values(direction, complete=False)
        return _carried(found, types, values, prune=True), left

    def _values(self, direction: tuple[str, str], *, complete: bool) -> _Values:
        """The limits that B is to have in a direction, by B's types."""
        ours, theirs = (each.by_direction.get(direction, {}) for each in (self.a, self.b))
        every = sorted(ours.keys() | theirs.keys(), key=_order)
        names = [each for each in every if complete or ours.get(each) != theirs.get(each)]
        found = self.b.find(direction)
        if found is None:
            known = self.b.custom_known
            lacking = f"{self.b.name} {NO_SUCH_TYPE if known else MAY_HAVE_IT}"
            return None, {}, {}, [LeftOut(each, ours.get(each), lacking) for each in names]
        seen = self.b.seen(found)
        types = {each.key: each for each in self.labels(found)} | seen.types()
        keys: dict[LimitName, list[TypeKey]] = {}
        for key, type_ in types.items():
            keys.setdefault(limit_name(direction, type_), []).append(key)
        values: dict[TypeKey, int | None] = {}
        left: list[LeftOut] = []
        for name in names:
            named, value = keys.get(name, []), ours.get(name)
            why = self._obstacle(name, value, named, seen)
            if why is None:
                values[named[0]] = value
            else:
                left.append(LeftOut(name, value, why))
        return found, types, values, left

    def _obstacle(
        self, name: LimitName, value: int | None, keys: Sequence[TypeKey], seen: ObservedDirection
    ) -> str | None:
        """Why no file for B can say this limit; None: one can."""
        if not keys:
            what = "association between these object types" if name.label is None else "label"
            return f"{self.b.name} has no such {what}"
        if len(keys) > 1:
            return f"{self.b.name} has several labels of this name"
        if seen.untouchable.intersection(keys):
            return f"this version does not know what {self.b.name} has"
        if value is not None and value > MAXIMUM_LIMIT:
            return f"a file cannot say more than {MAXIMUM_LIMIT}"
        return None


_Values = tuple[
    Direction | None,
    Mapping[TypeKey, AssociationType],
    dict[TypeKey, int | None],
    list[LeftOut],
]


def _carried(
    direction: Direction | None,
    types: Mapping[TypeKey, AssociationType],
    values: Mapping[TypeKey, int | None],
    *,
    prune: bool,
) -> Carried | None:
    if direction is None or not values:
        return None
    return Carried(direction, name_values(types, values), prune)
