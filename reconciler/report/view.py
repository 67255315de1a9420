"""What all renderings of a plan share: sections, groups, names and counts, before any escaping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.model.limits import Category, Direction, ObjectType, Place
from reconciler.model.plan import (
    Action,
    Change,
    Origin,
    Plan,
    Refusal,
    RefusalCode,
    Summary,
    count_actions,
)

NO_CHANGES = "No changes. The portal matches the configuration."
UNLIMITED = "unlimited"
SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
SIGNS = {**SYMBOLS, Action.DELETE: "−"}
"""The symbols with a real minus sign, where nobody greps."""
TO_BE = {Action.CREATE: "to create", Action.UPDATE: "to update", Action.DELETE: "to delete"}
_GRAVITY = (Action.CREATE, Action.UPDATE, Action.DELETE)
DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


def way_out(refusal: Refusal) -> str:
    """What may be done about a refusal; what is typed stands in backticks."""
    if refusal.overridden_by_force:
        return "`--force` overrides this threshold"
    if refusal.code is RefusalCode.PROTECTED:
        return "`--force` does not override this: take `protect` off in a change of its own"
    if refusal.code is RefusalCode.VANISHED:
        return "`--force` does not override this: write what HubSpot shows now, or remove it"
    return "`--force` does not override this"


@dataclass(frozen=True, slots=True)
class LimitName:
    """How a limit is named within its direction: by its label, or as the object limit.

    `qualifier` tells it from another of the same words, or from a label of the user's own.
    """

    label: str | None
    qualifier: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A change, its place in the plan, counted from 0, and the name of its limit."""

    index: int
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
    rows = plan_rows(plan)
    names = object_names(plan)
    found = []
    for origin in _SECTION_ORDER:
        groups = group_rows((row for row in rows if row.change.origin is origin), names)
        if groups:
            found.append(Section(origin, groups))
    return tuple(found)


def all_groups(plan: Plan) -> tuple[Group, ...]:
    """The plan's changes by direction, whatever their origin."""
    return group_rows(plan_rows(plan), object_names(plan))


def plan_rows(plan: Plan) -> tuple[Row, ...]:
    """Every change of the plan with the name of its limit."""
    names = _limit_names(plan)
    return tuple(
        Row(index, change, name)
        for index, (change, name) in enumerate(zip(plan.changes, names, strict=True))
    )


def group_rows(rows: Iterable[Row], names: dict[str, str]) -> tuple[Group, ...]:
    """Rows by direction; `names` as `object_names` gives them."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(row.change.direction.key, []).append(row)
    return tuple(
        Group(group[0].change.direction, names[from_id], names[to_id], tuple(group))
        for (from_id, to_id), group in groups.items()
    )


def object_types(plan: Plan) -> tuple[ObjectType, ...]:
    """The object types the changes touch, by ID."""
    found = {
        each.id: each
        for change in plan.changes
        for each in (change.direction.from_, change.direction.to)
    }
    return tuple(found[id_] for id_ in sorted(found, key=_id_order))


def object_names(plan: Plan) -> dict[str, str]:
    """Names by object type ID, which stands in for no name and tells two of one name apart."""
    types = object_types(plan)
    uses = Counter(each.name for each in types)
    return {each.id: _object_name(each, unique=uses[each.name] == 1) for each in types}


def _object_name(each: ObjectType, *, unique: bool) -> str:
    if not each.name.strip():
        return each.id
    return each.name if unique else f"{each.name} ({each.id})"


def _id_order(id_: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in id_.split("-"))


def _limit_names(plan: Plan) -> list[LimitName]:
    uses = Counter((change.direction.key, change.type.label) for change in plan.changes)
    return [
        LimitName(
            change.type.label,
            str(change.type.key)
            if uses[change.direction.key, change.type.label] > 1
            else _category(change),
        )
        for change in plan.changes
    ]


def limit_name(change: Change) -> LimitName:
    """The name of a limit on its own, where no other change can be mistaken for it."""
    return LimitName(change.type.label, _category(change))


def _category(change: Change) -> str | None:
    """A label that is not a user's own is named with its category."""
    category = change.type.key.category
    return None if change.is_object_limit or category is Category.USER_DEFINED else str(category)


# ---------------------------------------------------------------- words


def amount(limit: int | None) -> str:
    """A limit in words: a number, or `unlimited`."""
    return UNLIMITED if limit is None else str(limit)


def before_after(change: Change) -> str:
    """`1 → 2`, `unlimited → 5`."""
    return f"{amount(change.before)} → {amount(change.after)}"


def headline(plan: Plan) -> str:
    """The last line of a plan's text, to grep.

    A plan that is refused without a change has something to say against the portal.
    """
    if not plan.summary.changes and not plan.refusals:
        return NO_CHANGES
    return f"Plan: {', '.join(_counts(plan.summary))}."


def _counts(summary: Summary) -> list[str]:
    counts = {
        Action.CREATE: summary.create,
        Action.UPDATE: summary.update,
        Action.DELETE: summary.delete,
    }
    return [f"{count} {TO_BE[action]}" for action, count in counts.items()]


def short_counts(rows: Iterable[Row]) -> str:
    """`1 to create, 2 to delete`: the counts that are not zero."""
    counts = count_actions(row.change for row in rows)
    return ", ".join(f"{count} {TO_BE[action]}" for action, count in counts.items() if count)


def gravest(rows: Iterable[Row]) -> Action:
    """The action that weighs most: delete, then update, then create."""
    return max((row.change.action for row in rows), key=_GRAVITY.index)


def portal_line(plan: Plan) -> str:
    """The destination: `portal 1234567, STANDARD, API 2026-03`."""
    portal = plan.portal
    return f"portal {portal.portal_id}, {portal.account_type}, API {portal.api_version}"


def short_commit(commit: str) -> str:
    """The first characters of a commit, as git's own `--short` gives them."""
    return commit[:12]


Links = Callable[[Place], str | None]
"""Gives the URL of a place, or None where the host of the files is not known."""


def no_links(_place: Place) -> str | None:
    """Stands in where the host of the files is not known."""
    return None
