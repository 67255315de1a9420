"""Compare what is desired with what was observed, and make the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import ConfigurationInvalid, Diagnostic, plural
from reconciler.model.limits import (
    Account,
    ConfigFile,
    Direction,
    History,
    Observed,
    ResolvedDirection,
    Safety,
    TypeKey,
    Vanished,
)
from reconciler.model.plan import (
    Action,
    Change,
    GitState,
    Plan,
    PortalRef,
    Refusal,
    RefusalCode,
    Summary,
    count_actions,
)
from reconciler.planning.compare import Compared, compare, compare_removed
from reconciler.planning.order import order
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

    def portal(self, account: Account) -> PortalRef:
        return PortalRef(
            self.portal_name,
            account.portal_id,
            account.account_type,
            self.base_url,
            self.api_version,
        )


def directions_to_read(
    head: Sequence[ResolvedDirection], history: History | None
) -> tuple[Direction, ...]:
    """The declared directions, and those the base declares and the head no longer does."""
    return tuple(each.direction for each in (*head, *_removed(head, history)))


def make_plan(
    head: Sequence[ResolvedDirection],
    observed: Observed,
    *,
    context: PlanContext,
    history: History | None = None,
    vanished: Sequence[Vanished] = (),
    safety: Safety | None = None,
) -> Plan:
    """Everything that would make the portal equal to the files.

    `history` None: no base was asked for, and no change has an origin. `vanished`: object types
    that the portal no longer has. Raises ConfigurationInvalid where a limit cannot mean what the
    file says, or HubSpot's rule would not hold.
    """
    compared: list[Compared] = []
    diagnostics: list[Diagnostic] = []
    for declared in head:
        seen, hints = observed.by_key[declared.direction.key], HINTS - len(diagnostics)
        compared.append(compare(declared, seen, history, hints))
        diagnostics += compared[-1].diagnostics
    if diagnostics:
        raise ConfigurationInvalid(diagnostics)
    compared += [
        compare_removed(declared, observed.by_key[declared.direction.key], history)
        for declared in _removed(head, history)
        if history is not None
    ]
    changes = tuple(
        change
        for part in sorted(compared, key=lambda part: _direction_order(part.direction))
        for change in sorted(part.changes, key=_change_order)
    )
    named = named_limits(
        changes,
        observed,
        head={each.direction.key: each for each in head},
        base={} if history is None else history.base.by_key,
        tip={} if history is None else history.tip.by_key,
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
        warnings=(
            *context.warnings,
            *_first([note for part in compared for note in part.notes]),
            *_warnings(changes),
            *_unknown_rows(observed),
        ),
        refusals=_gone([*vanished, *(each for part in compared for each in part.vanished)]),
        workspace=context.workspace,
    )
    refusals = judge(plan, safety or Safety(), observed=observed.limits, named=named)
    return replace(plan, refusals=refusals)


def _removed(head: Sequence[ResolvedDirection], history: History | None) -> list[ResolvedDirection]:
    declared = {each.direction.key for each in head}
    base = () if history is None else history.base.directions
    return [each for each in base if each.direction.key not in declared]


def _gone(vanished: Sequence[Vanished]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(RefusalCode.VANISHED, each.message, source=each.place) for each in vanished
    )


_MOST_NOTES = 20


def _first(notes: Sequence[str]) -> Iterator[str]:
    """As many notes as somebody reads, and how many more there are."""
    yield from notes[:_MOST_NOTES]
    if len(notes) > _MOST_NOTES:
        yield f"{len(notes) - _MOST_NOTES} more limits that the base ref moved on"


def _summary(changes: Sequence[Change], compared: Sequence[Compared]) -> Summary:
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
