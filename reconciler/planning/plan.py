"""Compare what is desired with what was observed, and make the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ConfigurationInvalid, Diagnostic, plural
from reconciler.model import (
    Account,
    Action,
    AssociationType,
    Change,
    ConfigFile,
    DesiredLimit,
    Direction,
    GitState,
    Observed,
    ObservedDirection,
    Place,
    Plan,
    PortalRef,
    ResolvedDirection,
    Safety,
    Summary,
    TypeKey,
    count_actions,
)
from reconciler.planning.diff import Difference, differences
from reconciler.planning.order import order
from reconciler.planning.origin import Declared, origin
from reconciler.planning.rule import rule_broken
from reconciler.planning.safety import judge, named_limits
from reconciler.planning.types import name_types
from reconciler.spelling import HINTS


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What a plan says of its making: destination, files, commit, time and tool."""

    tool_version: str
    created_at: str
    portal_name: str
    base_url: str
    api_version: str
    files: tuple[ConfigFile, ...] = ()
    git: GitState | None = None
    warnings: tuple[str, ...] = ()
    workspace: str | None = None

    def portal(self, account: Account) -> PortalRef:
        return PortalRef(
            self.portal_name,
            account.portal_id,
            account.account_type,
            self.base_url,
            self.api_version,
        )


def directions_to_read(
    head: Sequence[ResolvedDirection], base: Sequence[ResolvedDirection] | None
) -> tuple[Direction, ...]:
    """The declared directions, and those the base declares and the head no longer does."""
    return tuple(each.direction for each in (*head, *_removed(head, base)))


def make_plan(
    head: Sequence[ResolvedDirection],
    observed: Observed,
    *,
    context: PlanContext,
    base: Sequence[ResolvedDirection] | None = None,
    safety: Safety | None = None,
) -> Plan:
    """Everything that would make the portal equal to the files.

    `base` None: no base was asked for, and no change has an origin. Raises ConfigurationInvalid
    where a limit cannot mean what the file says, or HubSpot's rule would not hold.
    """
    before_head = None if base is None else {each.direction.key: each for each in base}
    compared: list[_Compared] = []
    diagnostics: list[Diagnostic] = []
    for declared in head:
        seen, hints = observed.by_key[declared.direction.key], HINTS - len(diagnostics)
        compared.append(_compare(declared, seen, before_head, hints))
        diagnostics += compared[-1].diagnostics
    if diagnostics:
        raise ConfigurationInvalid(diagnostics)
    compared += [
        _compare_removed(declared, observed.by_key[declared.direction.key])
        for declared in _removed(head, base)
    ]
    changes = tuple(
        change
        for part in sorted(compared, key=lambda part: _direction_order(part.direction))
        for change in sorted(part.changes, key=_change_order)
    )
    named = named_limits(
        changes, observed, head={each.direction.key: each for each in head}, base=before_head or {}
    )
    changes = tuple(
        replace(each, protected=each.id in named and named[each.id].protected) for each in changes
    )
    plan = Plan(
        tool_version=context.tool_version,
        created_at=context.created_at,
        portal=context.portal(observed.account),
        files=context.files,
        git=context.git,
        summary=_summary(changes, compared),
        changes=changes,
        batches=order(changes),
        warnings=(*context.warnings, *_warnings(changes), *_unknown_rows(observed)),
        workspace=context.workspace,
    )
    refusals = judge(plan, safety or Safety(), observed=observed.limits, named=named)
    return replace(plan, refusals=refusals)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One direction's part of the plan."""

    direction: Direction
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    unmanaged: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()


Bases = Mapping[tuple[str, str], ResolvedDirection]


def _compare(
    declared: ResolvedDirection, observed: ObservedDirection, bases: Bases | None, hints: int
) -> _Compared:
    named = name_types(declared, observed, hints=hints)
    if named.diagnostics:
        return _Compared(declared.direction, diagnostics=named.diagnostics)
    types = observed.types()
    target = _declared_values(declared, named.limits, types)
    before = observed.values()
    after = {**before, **{key: each.max for key, each in target.items()}}
    after_values = {key: value for key, value in after.items() if value is not None}
    broken = rule_broken(declared, after_values, types, named.limits)
    if broken:
        return _Compared(declared.direction, diagnostics=broken)
    base = None if bases is None else bases.get(declared.direction.key)
    base_values = {} if base is None else _base_values(base, observed)
    changes = tuple(
        Change(
            direction=declared.direction,
            type=types[each.key],
            before=each.before,
            after=each.after,
            origin=None
            if bases is None
            else origin(base_values.get(each.key), target[each.key], each.before),
            source=_source(declared, named.limits, each),
            reason=named.limits[each.key].reason if each.key in named.limits else None,
        )
        for each in differences(before, after_values)
    )
    return _Compared(
        declared.direction,
        changes,
        unchanged=sum(
            before.get(key) == each.max for key, each in target.items() if each.max is not None
        ),
        unmanaged=len(before.keys() - target.keys()) + observed.unknown_limits,
    )


def _declared_values(
    declared: ResolvedDirection,
    named: Mapping[TypeKey, DesiredLimit],
    types: Mapping[TypeKey, AssociationType],
) -> dict[TypeKey, Declared]:
    """What a declared direction says of each type: named, or removed by not naming it."""
    pruned = {
        key: Declared(None)
        for key, type_ in types.items()
        if declared.prune and type_.pruned_when_unnamed
    }
    return pruned | {key: Declared(limit.max) for key, limit in named.items()}


def _base_values(base: ResolvedDirection, observed: ObservedDirection) -> dict[TypeKey, Declared]:
    """What the base says; labels the portal no longer has say nothing."""
    return _declared_values(base, name_types(base, observed, hints=0).limits, observed.types())


def _compare_removed(base: ResolvedDirection, observed: ObservedDirection) -> _Compared:
    """A direction the base declares and the head does not: the limits it named go."""
    named = name_types(base, observed, hints=0).limits
    before = observed.values()
    target = {key: Declared(None) for key in named}
    types = observed.types()
    gone = {key: value for key, value in before.items() if key in named}
    changes = tuple(
        Change(
            direction=base.direction,
            type=types[each.key],
            before=each.before,
            after=None,
            origin=origin(Declared(named[each.key].max), Declared(None), each.before),
            reason=f"no longer declared; it was at {named[each.key].place}",
        )
        for each in differences(gone, {})
    )
    return _Compared(
        base.direction,
        changes,
        unmanaged=len(before.keys() - target.keys()) + observed.unknown_limits,
    )


def _source(
    declared: ResolvedDirection,
    named: Mapping[TypeKey, DesiredLimit],
    difference: Difference[TypeKey],
) -> Place:
    """The line of the limit, or of the direction whose declaration leaves it out."""
    limit = named.get(difference.key)
    return declared.place if limit is None else limit.place


def _removed(
    head: Sequence[ResolvedDirection], base: Sequence[ResolvedDirection] | None
) -> list[ResolvedDirection]:
    declared = {each.direction.key for each in head}
    return [each for each in base or () if each.direction.key not in declared]


def _summary(changes: Sequence[Change], compared: Sequence[_Compared]) -> Summary:
    actions = count_actions(changes)
    return Summary(
        create=actions[Action.CREATE],
        update=actions[Action.UPDATE],
        delete=actions[Action.DELETE],
        unchanged=sum(part.unchanged for part in compared),
        unmanaged=sum(part.unmanaged for part in compared),
    )


def _direction_order(direction: Direction) -> tuple[str, str, str, str]:
    return (direction.from_.name, direction.to.name, *direction.key)


def _change_order(change: Change) -> tuple[bool, str, TypeKey]:
    """The object limit first, then labels by name."""
    return (not change.is_object_limit, change.type.label or "", change.type.key)


def _warnings(changes: Sequence[Change]) -> tuple[str, ...]:
    warnings = []
    lowered = [change for change in changes if change.lowers]
    if lowered:
        warnings.append(
            f"{plural(len(lowered), 'limit')} set or lowered "
            f"({_listed(lowered)}): records already above keep their associations, new ones are "
            "refused, and HubSpot refuses to merge records that together are above"
        )
    if any(change.type.label == "Primary" for change in changes):
        warnings.append(
            "a limit of HubSpot's own label Primary is changed: a record has at most one primary "
            "by definition, and whether HubSpot accepts a limit there is unknown"
        )
    return tuple(warnings)


_NAMED_LIMITS = 5
"""Lowered limits that a warning names."""

_SHOWN_CHARACTERS = 60


def _listed(changes: Sequence[Change]) -> str:
    """The first limits by name, with what becomes of them, and how many more there are."""
    named = [
        f"{each.direction} {_quoted(each)}: "
        f"{'unlimited' if each.before is None else each.before} → {each.after}"
        for each in changes[:_NAMED_LIMITS]
    ]
    more = len(changes) - _NAMED_LIMITS
    return ", ".join([*named, f"and {more} more"] if more > 0 else named)


def _quoted(change: Change) -> str:
    label = change.type.label
    if label is None:
        return str(change.type)
    short = label if len(label) <= _SHOWN_CHARACTERS else f"{label[:_SHOWN_CHARACTERS]}…"
    return f'"{short}"'


_NAMED_ROWS = 5
"""Unknown rows of one direction that are named, one warning each."""


def _unknown_rows(observed: Observed) -> Iterator[str]:
    """What the portal has and this version does not know: unmanaged, never touched."""
    for direction in observed.directions:
        for row in direction.unknown[:_NAMED_ROWS]:
            yield f"{direction.direction}: {row}: it is unmanaged, not compared with the files, and not changed"
        more = len(direction.unknown) - _NAMED_ROWS
        if more > 0:
            yield f"{direction.direction}: this version does not know {more} more of its rows"
