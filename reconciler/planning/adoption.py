"""The files seen from the portal: what they say of its limits, and what they must say to match it.

An adoption is a plan read backwards: where a plan changes the portal, it changes the files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import ConfigurationInvalid, Diagnostic
from reconciler.model.limits import (
    MAXIMUM_LIMIT,
    AssociationType,
    ByTypeId,
    DesiredLimit,
    Label,
    ObservedDirection,
    ResolvedDirection,
    Selector,
    TypeKey,
    Unlabelled,
)
from reconciler.model.plan import Origin
from reconciler.model.portals import LimitInForce, Standing
from reconciler.planning.diff import wanted_limits
from reconciler.planning.names import name_types
from reconciler.planning.origin import Declared, History, Sides

LONGEST_LABEL = 500
"""Characters of a label that names a type in a file: YAML ends a key at 1,024 bytes."""


def limits_in_force(
    observed: Iterable[ObservedDirection], declared: Sequence[ResolvedDirection]
) -> tuple[LimitInForce, ...]:
    """Every limit that can be named, with whether the files manage it, by direction."""
    by_key = {each.direction.key: each for each in declared}
    return tuple(
        limit
        for seen in sorted(observed, key=lambda each: each.direction)
        for limit in _standings(seen, by_key.get(seen.direction.key))
    )


def _standings(
    seen: ObservedDirection, declared: ResolvedDirection | None
) -> Iterator[LimitInForce]:
    """The limits of one direction: the object limit first, then by label."""
    types = seen.types()
    named = {} if declared is None else name_types(declared, seen).limits
    keys = [key for key in seen.values() if key in types]
    for key in sorted(keys, key=lambda key: (types[key].label or "", key)):
        value, type_ = seen.values()[key], types[key]
        if declared is None:
            yield LimitInForce(seen.direction, type_, value, Standing.UNCOVERED)
        elif (limit := named.get(key)) is not None:
            yield LimitInForce(
                seen.direction, type_, value, Standing.MANAGED, limit.max, limit.place
            )
        elif declared.prune and type_.pruned_when_unnamed:
            yield LimitInForce(seen.direction, type_, value, Standing.MANAGED, None, declared.place)
        else:
            yield LimitInForce(seen.direction, type_, value, Standing.UNMANAGED)


# ---------------------------------------------------------------- taken over into the files


@dataclass(frozen=True, slots=True)
class NamedLimit:
    """A limit, and what a file names it by. `max` None: unlimited."""

    selector: Selector
    max: int | None


@dataclass(frozen=True, slots=True)
class Adoption:
    """What changes in the declaration of one direction.

    `values`: limits that the file names, each with the portal's value (None: no limit). `added`:
    types of limits that it must name. `gone`: limits whose type the portal no longer has.
    `conflicts`: types of limits that HubSpot and the branch both changed, which are left alone, as
    are those `above` what a file can say.
    """

    declared: ResolvedDirection
    observed: ObservedDirection
    values: tuple[tuple[DesiredLimit, int | None], ...] = ()
    added: tuple[TypeKey, ...] = ()
    gone: tuple[DesiredLimit, ...] = ()
    conflicts: tuple[TypeKey, ...] = ()
    above: tuple[TypeKey, ...] = ()

    @property
    def changes(self) -> int:
        return len(self.values) + len(self.added) + len(self.gone)


def adopt(
    declared: ResolvedDirection, observed: ObservedDirection, history: History | None = None
) -> Adoption:
    """Take the portal's limits over into the declaration of a direction.

    With a `history` only those that somebody changed in HubSpot since the base. Raises
    ConfigurationInvalid where a name of the file could mean two types.
    """
    named = name_types(declared, observed, hints=0)
    if named.diagnostics:
        raise ConfigurationInvalid(named.diagnostics)
    sides = None if history is None else Sides.of(history, observed)
    values: list[tuple[DesiredLimit, int | None]] = []
    added: list[TypeKey] = []
    conflicts: list[TypeKey] = []
    above: list[TypeKey] = []
    before = observed.values()
    for key, wanted in wanted_limits(declared, named.limits, observed.types()).items():
        found, limit = before.get(key), named.limits.get(key)
        if found == wanted or key in observed.untouchable:
            continue
        if sides is not None:
            who = sides.origin(key, Declared(wanted, named=limit is not None), found)
            if who is Origin.CONFLICT:
                conflicts.append(key)
            if who is not Origin.DRIFT:
                continue
        if found is not None and found > MAXIMUM_LIMIT:
            above.append(key)
        elif limit is not None:
            values.append((limit, found))
        else:
            added.append(key)
    gone = _gone(named.astray, sides)
    return Adoption(
        declared, observed, tuple(values), tuple(added), gone, tuple(conflicts), tuple(above)
    )


def _gone(
    astray: Sequence[tuple[DesiredLimit, Diagnostic]], sides: Sides | None
) -> tuple[DesiredLimit, ...]:
    """Limits of types that the portal no longer has; with a base, those that it named, too."""
    if sides is None:
        return tuple(limit for limit, _ in astray)
    wrong = [problem for limit, problem in astray if not sides.named_at_base(limit)]
    if wrong:
        raise ConfigurationInvalid(wrong)
    return tuple(limit for limit, _ in astray)


def name_limits(
    observed: ObservedDirection, keys: Collection[TypeKey], taken: Collection[str] = ()
) -> tuple[NamedLimit, ...]:
    """What a file names these limits of a direction by, the object limit first.

    By label where that names one type, with the category where types of two categories share it,
    and by type ID otherwise. `taken`: labels that the file names already. Limits above what a file
    can say are left out.
    """
    values = observed.values()
    return name_values(observed.types(), {key: values[key] for key in keys}, taken, values)


def name_values(
    types: Mapping[TypeKey, AssociationType],
    wanted: Mapping[TypeKey, int | None],
    taken: Collection[str] = (),
    values: Mapping[TypeKey, int | None] | None = None,
) -> tuple[NamedLimit, ...]:
    """The same for values that a direction with these types is to have; None: unlimited.

    `values`: all that it will have, if those are more than the wanted ones.
    """
    shared: dict[str | None, list[AssociationType]] = {}
    for each in types.values():
        shared.setdefault(each.label, []).append(each)
    chosen = sorted((types[key] for key in wanted), key=_familiar)
    ceiling = _object_limit(types.values(), wanted if values is None else values)
    used: set[str | None] = set(taken)
    found = []
    for type_ in chosen:
        value = wanted[type_.key]
        if value is not None and value > MAXIMUM_LIMIT:
            continue
        selector = _selector(type_, shared[type_.label])
        is_above = type_.label is not None and _is_above(value, ceiling)
        if type_.label in used or is_above:
            selector = ByTypeId(type_.key)
        if not isinstance(selector, ByTypeId):
            used.add(type_.label)
        found.append(NamedLimit(selector, value))
    return tuple(found)


def _selector(type_: AssociationType, same: Sequence[AssociationType]) -> Selector:
    """`same`: all types of the direction with its label."""
    category = type_.key.category
    if sum(each.key.category is category for each in same) > 1:
        return ByTypeId(type_.key)
    distinguished = category if len(same) > 1 else None
    if type_.label is None:
        return Unlabelled(distinguished)
    if len(type_.label) > LONGEST_LABEL:
        return ByTypeId(type_.key)
    return Label(type_.label, distinguished)


def _object_limit(
    types: Collection[AssociationType], values: Mapping[TypeKey, int | None]
) -> int | None:
    """The limit that label limits are held against in a file: that of the unlabelled type."""
    found = (values.get(each.key) for each in types if each.label is None)
    return min((each for each in found if each is not None), default=None)


def _is_above(value: int | None, ceiling: int | None) -> bool:
    return value is not None and ceiling is not None and value > ceiling


def _familiar(type_: AssociationType) -> tuple[bool, str, str, TypeKey]:
    """The object limit, then labels in alphabetical order, as `fmt` sorts them."""
    label = type_.label or ""
    return (type_.label is not None, label.casefold(), label, type_.key)


def unwritable(observed: ObservedDirection) -> Iterator[AssociationType]:
    """The types whose limit is above what a file can say."""
    types = observed.types()
    for key, value in observed.values().items():
        if value > MAXIMUM_LIMIT and key in types:
            yield types[key]
