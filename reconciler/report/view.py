"""What all renderings of a plan share: sections, groups, names and counts, before any escaping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.errors import plural
from reconciler.model.limits import Category, Direction, Place
from reconciler.model.plan import (
    Action,
    Change,
    Origin,
    Plan,
    Refusal,
    RefusalCode,
    UsageGap,
    count_actions,
)

NO_CHANGES = "No changes. The portal matches the configuration."
UNLIMITED = "unlimited"
SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
TO_BE = {Action.CREATE: "to create", Action.UPDATE: "to update", Action.DELETE: "to delete"}
DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}
_GRAVITY = (Action.CREATE, Action.UPDATE, Action.DELETE)


@dataclass(frozen=True, slots=True)
class LimitName:
    """How a limit is named within its direction: by its label, or as the object limit.

    `qualifier` distinguishes it from another of the same words, or from a label of the user's own.
    """

    label: str | None
    qualifier: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A change and the name of its limit."""

    change: Change
    name: LimitName


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one direction, with the names of its object types."""

    direction: Direction
    from_name: str
    to_name: str
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        return f"{self.from_name} → {self.to_name}"


@dataclass(frozen=True, slots=True)
class Section:
    """Groups of one origin. `origin` None: the plan was made without a base."""

    origin: Origin | None
    groups: tuple[Group, ...]

    @property
    def size(self) -> int:
        return sum(len(group.rows) for group in self.groups)


SECTION_TITLES = {
    Origin.CONFIG: "Changes of the configuration",
    Origin.DRIFT: "Drift",
    Origin.CONFLICT: "Conflicts",
}
SECTION_NOTES = {
    Origin.CONFIG: "The files changed since the base.",
    Origin.DRIFT: "Somebody changed these in HubSpot; the files did not change. "
    "The plan puts them back.",
    Origin.CONFLICT: "Both the files and HubSpot changed since the base. The files win.",
}
ORIGIN_WORDS = {
    Origin.CONFIG: "configuration",
    Origin.DRIFT: "drift",
    Origin.CONFLICT: "conflict",
}
_SECTION_ORDER = (None, Origin.CONFIG, Origin.DRIFT, Origin.CONFLICT)


def sections(plan: Plan) -> tuple[Section, ...]:
    """The plan's changes by origin, config first, then by direction, in the plan's order."""
    groups = all_groups(plan)
    found = []
    for origin in _SECTION_ORDER:
        chosen = [
            (group, tuple(row for row in group.rows if row.change.origin is origin))
            for group in groups
        ]
        kept = tuple(replace(group, rows=rows) for group, rows in chosen if rows)
        if kept:
            found.append(Section(origin, kept))
    return tuple(found)


def all_groups(plan: Plan) -> tuple[Group, ...]:
    """The plan's changes by direction, whatever their origin."""
    names = object_names(plan)
    groups = []
    for (from_id, to_id), changes in plan.by_direction.items():
        uses = Counter(change.type.label for change in changes)
        rows = [
            Row(change, limit_name(change, unique=uses[change.type.label] == 1))
            for change in changes
        ]
        groups.append(Group(changes[0].direction, names[from_id], names[to_id], tuple(rows)))
    return tuple(groups)


def object_names(plan: Plan) -> dict[str, str]:
    """Names by object type ID, which replaces a blank name and distinguishes equal ones."""
    types = {
        each.id: each
        for changes in plan.by_direction.values()
        for each in (changes[0].direction.from_, changes[0].direction.to)
    }
    uses = Counter(each.name for each in types.values())
    return {
        id_: id_
        if not each.name.strip()
        else each.name
        if uses[each.name] == 1
        else f"{each.name} ({id_})"
        for id_, each in types.items()
    }


def limit_name(change: Change, *, unique: bool = True) -> LimitName:
    """The name of a limit; `unique`: no other change of its direction has the same label.

    A label that is not a user's own is named with its category.
    """
    key = change.type.key
    if not unique:
        return LimitName(change.type.label, str(key))
    ordinary = change.type.label is None or key.category is Category.USER_DEFINED
    return LimitName(change.type.label, None if ordinary else str(key.category))


class Effect(StrEnum):
    """What a change does to people; those that restrict come first."""

    LOWERED = "lowered"
    SET = "set"
    REMOVED = "removed"
    RAISED = "raised"

    @classmethod
    def of(cls, change: Change) -> Effect:
        """The effect of one change."""
        if change.before is None:
            return cls.SET
        if change.after is None:
            return cls.REMOVED
        return cls.LOWERED if change.lowers else cls.RAISED

    @property
    def restricts(self) -> bool:
        """Whether HubSpot may refuse afterwards what it accepted before."""
        return self in {Effect.LOWERED, Effect.SET}


EFFECT_SYMBOLS = {
    Effect.LOWERED: "↓",
    Effect.SET: "+",
    Effect.REMOVED: "−",
    Effect.RAISED: "↑",
}

# ---------------------------------------------------------------- who is affected


USAGE_NEEDS_SCOPE = "usage unknown: needs a crm.objects.*.read scope"
_USAGE_UNKNOWN = {
    None: USAGE_NEEDS_SCOPE,
    UsageGap.NOT_OFFERED: "usage unknown: HubSpot does not offer it here",
    UsageGap.NO_ANSWER: "usage unknown: HubSpot did not answer",
}


def who_is_affected(plan: Plan, change: Change) -> str:
    """The records that a limit that is set or lowered is about; "" for every other change.

    HubSpot counts by direction, not by label, so of several such changes of a direction within a
    section only the first says it: the object limit, or else what weighs most.
    """
    usage = plan.usage_of(change.direction)
    if usage is None or change != _speaks_for(plan, change):
        return ""
    if usage.at_limit is None or usage.near_limit is None:
        return _USAGE_UNKNOWN[usage.unknown_because]
    records = plural(usage.at_limit, "record")
    found = f"{records} at the present limit, {usage.near_limit} near it"
    if change.type.label is not None and usage.limit is not None:
        return f"{found} (limit {usage.limit}, all labels together)"
    if change.type.label is not None or change.before is None:
        none = usage.at_limit == usage.near_limit == 0
        unset = "no object limit is set yet"
        return f"no records counted: {unset}" if none else f"{found} (HubSpot's own: {unset})"
    if usage.limit != change.before:
        return f"{found} (HubSpot counts against {usage.limit or 'a limit of its own'})"
    return found


def _speaks_for(plan: Plan, change: Change) -> Change | None:
    """The change beside which the usage of its direction is shown, among those of its origin."""
    effects = tuple(Effect)
    restricting = [
        each
        for each in plan.by_direction[change.direction.key]
        if each.lowers and each.origin is change.origin
    ]
    return min(
        restricting,
        key=lambda each: (each.type.label is not None, effects.index(Effect.of(each))),
        default=None,
    )


# ---------------------------------------------------------------- words


def before_after(change: Change) -> str:
    """`1 → 2`, `unlimited → 5`."""
    values = (change.before, change.after)
    return " → ".join(UNLIMITED if each is None else str(each) for each in values)


def headline(plan: Plan) -> str:
    """The last line of a plan's text, to grep.

    A plan that is refused without a change has something to say against the portal.
    """
    summary = plan.summary
    if not plan.changes and not plan.refusals:
        return NO_CHANGES
    return (
        f"Plan: {summary.create} to create, {summary.update} to update, {summary.delete} to delete."
    )


def short_counts(rows: Iterable[Row]) -> str:
    """`1 to create, 2 to delete`: the counts that are not zero."""
    counts = count_actions(row.change for row in rows)
    return ", ".join(f"{count} {TO_BE[action]}" for action, count in counts.items() if count)


def gravest(rows: Iterable[Row]) -> Action:
    """The action that weighs most: delete, then update, then create."""
    return max((row.change.action for row in rows), key=_GRAVITY.index)


def way_out(refusal: Refusal) -> str:
    """What may be done about a refusal; what is typed is in backticks."""
    if refusal.overridden_by_force:
        return "`--force` overrides this threshold"
    match refusal.code:
        case RefusalCode.PROTECTED:
            cure = ": take `protect` off in a change of its own"
        case RefusalCode.VANISHED:
            cure = ": write what HubSpot shows now, or remove it"
        case _:
            cure = ""
    return f"`--force` does not override this{cure}"


Links = Callable[[Place], str | None]
"""Gives the URL of a place, or None where the host of the files is not known."""


def no_links(_place: Place) -> str | None:
    """Stands in where the host of the files is not known."""
    return None
