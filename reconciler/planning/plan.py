"""Compare what is desired with what was observed, and make the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ConfigurationInvalid, Diagnostic, plural
from reconciler.model.limits import (
    AssociationType,
    ConfigFile,
    DesiredLimit,
    Observed,
    ObservedDirection,
    ResolvedDirection,
    Safety,
    TypeKey,
)
from reconciler.model.plan import (
    Action,
    Change,
    GitState,
    ObjectLimit,
    Origin,
    Plan,
    PortalRef,
    Refusal,
    RefusalCode,
    Summary,
    by_direction,
    count_actions,
)
from reconciler.planning.diff import Difference, differences, wanted_limits
from reconciler.planning.names import name_types
from reconciler.planning.order import order, rule_broken
from reconciler.planning.origin import Behind, Declared, History, Observation, Sides, Vanished
from reconciler.planning.safety import judge, named_limits
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


def declared_directions(
    head: Sequence[ResolvedDirection], history: History | None
) -> tuple[ResolvedDirection, ...]:
    """The directions to read: those declared, and those that only the base declares."""
    return (*head, *(() if history is None else _removed(head, history)))


def _removed(head: Sequence[ResolvedDirection], history: History) -> list[ResolvedDirection]:
    declared = {each.direction.key for each in head}
    return [each for each in history.base.directions if each.direction.key not in declared]


def make_plan(
    observation: Observation, *, context: PlanContext, safety: Safety | None = None
) -> Plan:
    """Everything that would make the portal equal to the files.

    Without a base no change has an origin. Raises ConfigurationInvalid where a limit cannot mean
    what the file says, or HubSpot's rule would not hold.
    """
    head, history, observed = observation.head, observation.history, observation.observed
    compared = _compare(head, observed, history)
    changes = sorted((each for part in compared for each in part.changes), key=_position)
    named = named_limits(
        changes,
        observed,
        head={each.direction.key: each for each in head},
        base={} if history is None else history.base.by_key,
        tip={} if history is None else history.tip.by_key,
    )
    protected = {id_ for id_, each in named.items() if each.protected}
    if protected:
        changes = [replace(each, protected=each.id in protected) for each in changes]
    actions = count_actions(changes)
    plan = Plan(
        tool_version=context.tool_version,
        created_at=context.created_at,
        portal=PortalRef(
            context.portal_name,
            observed.account.portal_id,
            observed.account.account_type,
            context.base_url,
            context.api_version,
        ),
        files=context.files,
        git=context.git,
        summary=Summary(
            create=actions[Action.CREATE],
            update=actions[Action.UPDATE],
            delete=actions[Action.DELETE],
            unchanged=sum(part.unchanged for part in compared),
            unmanaged=sum(part.unmanaged for part in compared),
        ),
        changes=tuple(changes),
        batches=order(changes),
        warnings=(*context.warnings, *_warnings(changes, compared, observed)),
        refusals=tuple(
            Refusal(RefusalCode.VANISHED, each.message, source=each.place)
            for each in (
                *observation.vanished,
                *(each for part in compared for each in part.vanished),
            )
        ),
        workspace=context.workspace,
        object_limits=tuple(_object_limits(changes, observed)),
    )
    refusals = judge(plan, safety or Safety(), observed=observed.limits, named=named)
    return replace(plan, refusals=refusals)


def _position(change: Change) -> tuple[str, str, tuple[str, str], bool, str, TypeKey]:
    """Where a change is in the plan: by direction, the object limit first, then labels by name."""
    direction, type_ = change.direction, change.type
    label = type_.label
    names = (direction.from_.name, direction.to.name)
    return (*names, direction.key, label is not None, label or "", type_.key)


def _object_limits(changes: Sequence[Change], observed: Observed) -> Iterator[ObjectLimit]:
    """The object limits that stay in force above label limits that change."""
    for key, members in by_direction(changes).items():
        seen = observed.by_key[key]
        changing = {each.type.key for each in members}
        types = seen.types()
        kept = [
            value
            for type_, value in seen.values().items()
            if types[type_].label is None and type_ not in changing
        ]
        if kept and any(each.type.label is not None for each in members):
            yield ObjectLimit(*key, min(kept))


# ---------------------------------------------------------------- direction by direction


@dataclass(frozen=True, slots=True)
class _Compared:
    """One direction's part of the plan; `notes` say what was left out of it, and why."""

    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    unmanaged: int = 0
    vanished: tuple[Vanished, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Beside:
    """One direction: what is wanted beside what is there.

    `named`: the limits that the declaration names; `wanted`: all that it speaks of, None where there
    is to be none. `removed`: the base declares the direction and the head does not, so nothing of
    it is wanted. `sides` None: no base was asked for.
    """

    declared: ResolvedDirection
    observed: ObservedDirection
    named: Mapping[TypeKey, DesiredLimit]
    wanted: Mapping[TypeKey, int | None]
    types: Mapping[TypeKey, AssociationType]
    before: Mapping[TypeKey, int]
    sides: Sides | None
    removed: bool = False

    def after(self, changed: Mapping[TypeKey, int | None]) -> dict[TypeKey, int]:
        """The limits in force once these have changed."""
        after = {**self.before, **changed}
        return {key: value for key, value in after.items() if value is not None}

    def change(self, found: Difference, origin: Origin | None) -> Change:
        """A difference with the line of its limit, or of the direction that leaves it out."""
        limit = self.named.get(found.key)
        place = self.declared.place if limit is None else limit.place
        reason = None if limit is None else limit.reason
        if self.removed:
            reason = f"no longer declared; it was at {place}"
        return Change(
            direction=self.declared.direction,
            type=self.types[found.key],
            before=found.before,
            after=found.after,
            origin=origin,
            source=None if self.removed else place,
            reason=reason,
        )


def _compare(
    head: Sequence[ResolvedDirection], observed: Observed, history: History | None
) -> list[_Compared]:
    """Every direction: what its names mean, how its limits differ, and who moved them.

    The differences of all directions are found at once.
    """
    compared: list[_Compared] = []
    beside: list[_Beside] = []
    diagnostics: list[Diagnostic] = []
    for declared in head:
        seen = observed.by_key[declared.direction.key]
        match _beside(declared, seen, history, HINTS - len(diagnostics)):
            case _Beside() as found:
                beside.append(found)
            case _Compared() as found:
                compared.append(found)
            case problems:
                diagnostics += problems
    if history is not None:
        for declared in _removed(head, history):
            seen = observed.by_key[declared.direction.key]
            named = name_types(declared, seen, hints=0).limits
            nothing = dict.fromkeys(named)
            types, before, sides = seen.types(), seen.values(), Sides.of(history, seen)
            beside.append(
                _Beside(declared, seen, named, nothing, types, before, sides, removed=True)
            )
    different = differences(
        {each.declared.direction.key: each.before for each in beside},
        {each.declared.direction.key: each.after(each.wanted) for each in beside},
    )
    for each in beside:
        match _judge(each, different.get(each.declared.direction.key, ())):
            case _Compared() as found:
                compared.append(found)
            case problems:
                diagnostics += problems
    if diagnostics:
        raise ConfigurationInvalid(diagnostics)
    return compared


def _beside(
    declared: ResolvedDirection, seen: ObservedDirection, history: History | None, hints: int
) -> _Beside | _Compared | Sequence[Diagnostic]:
    """What a direction's names mean.

    A direction that names what HubSpot no longer has is compared no further: what is there under
    a new name would be removed.
    """
    named = name_types(declared, seen, hints=hints)
    sides = None if history is None else Sides.of(history, seen)
    gone = [each for each in named.astray if sides and sides.named_at_base(each[0])]
    wrong = [*named.diagnostics, *(each[1] for each in named.astray if each not in gone)]
    if wrong:
        return wrong
    if sides and gone:
        vanished, notes = sides.gone(declared.direction, gone)
        left_alone = len(seen.values()) + seen.unknown_limits
        return _Compared(unmanaged=left_alone, vanished=vanished, notes=notes)
    types = seen.types()
    wanted = wanted_limits(declared, named.limits, types)
    return _Beside(declared, seen, named.limits, wanted, types, seen.values(), sides)


def _judge(beside: _Beside, different: Sequence[Difference]) -> _Compared | Sequence[Diagnostic]:
    """The changes of one direction, without those that this branch merely does not have yet.

    Diagnostics instead where HubSpot's rule would not hold.
    """
    declared, seen, sides = beside.declared, beside.observed, beside.sides
    behind: set[TypeKey] = set()
    changing: list[tuple[Difference, Origin | None]] = []
    for each in different:
        who = None
        if sides is not None:
            head = Declared(each.after, named=each.key in beside.named)
            who = sides.origin(each.key, head, each.before)
        if isinstance(who, Behind):
            behind.add(each.key)
        else:
            changing.append((each, who))
    if changing and not beside.removed:
        changed = {each.key: each.after for each, _ in changing}
        after = beside.after(changed)
        broken = rule_broken(declared, after, beside.types, beside.named, changed.keys())
        if broken and not behind:
            return broken
        if broken:  # the rule would not hold beside a limit that is left out
            behind, changing = {each.key for each in different}, []
    before, wanted = beside.before, beside.wanted
    return _Compared(
        tuple(beside.change(each, who) for each, who in changing),
        unchanged=len(before.keys() & behind)
        + sum(before.get(key) == value for key, value in wanted.items() if value is not None),
        unmanaged=len(before.keys() - wanted.keys()) + seen.unknown_limits,
        notes=()
        if sides is None
        else tuple(sides.notes(seen, behind, [each.key for each, _ in changing])),
    )


# ---------------------------------------------------------------- what the plan warns of


_MOST_NOTES = 20
_NAMED_LIMITS = 5
"""Lowered limits that a warning names."""
_SHOWN_CHARACTERS = 60
_NAMED_ROWS = 5
"""Unknown rows of one direction that are named, one warning each."""


def _warnings(
    changes: Sequence[Change], compared: Sequence[_Compared], observed: Observed
) -> Iterator[str]:
    """What was left out of the plan, what its changes mean, and what was not understood."""
    notes = [note for part in compared for note in part.notes]
    yield from notes[:_MOST_NOTES]
    if len(notes) > _MOST_NOTES:
        yield f"{len(notes) - _MOST_NOTES} more limits that the base ref moved on"
    lowered = [change for change in changes if change.lowers]
    if lowered:
        signs = {"+" if change.before is None else "↓" for change in lowered}
        marks = " and ".join(sorted(signs, reverse=True))  # as reports mark their rows
        yield (
            f"{plural(len(lowered), 'limit')} set or lowered "
            f"({_listed(lowered)}): records already above keep their associations, new ones are "
            f"refused, and HubSpot refuses to merge records that together are above; marked {marks}"
        )
    if any(change.type.label == "Primary" for change in changes):
        yield (
            "a limit of HubSpot's own label Primary is changed: a record has at most one primary "
            "by definition, and whether HubSpot accepts a limit there is unknown"
        )
    for direction in observed.directions:
        for row in direction.unknown[:_NAMED_ROWS]:
            yield (
                f"{direction.direction}: {row}: it is unmanaged, not compared with the files, and "
                "not changed"
            )
        more = len(direction.unknown) - _NAMED_ROWS
        if more > 0:
            yield f"{direction.direction}: this version does not know {more} more of its rows"
    unknown = sum(each.unknown_limits for each in observed.directions)
    if not changes and (left_out := len(notes) + unknown):
        yield (
            f"nothing else differs, but {plural(left_out, 'limit')} left out for the reasons above "
            "may: this plan does not say that the portal matches the configuration there"
        )


def _listed(changes: Sequence[Change]) -> str:
    """The first limits by name, with what becomes of them, and how many more there are."""
    named = []
    for each in changes[:_NAMED_LIMITS]:
        label = each.type.label or ""
        short = label if len(label) <= _SHOWN_CHARACTERS else f"{label[:_SHOWN_CHARACTERS]}…"
        name = each.type if each.type.label is None else f'"{short}"'
        before = "unlimited" if each.before is None else each.before
        named.append(f"{each.direction} {name}: {before} → {each.after}")
    more = len(changes) - _NAMED_LIMITS
    return ", ".join([*named, f"and {more} more"] if more > 0 else named)
