"""What all renderings of a plan share: rows, their effects and names, and words; nothing is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.errors import plural
from reconciler.model.limits import Category, Direction, Place
from reconciler.model.plan import (
    Action,
    Change,
    LimitUsage,
    Origin,
    Plan,
    Refusal,
    RefusalCode,
    Summary,
    UsageGap,
)

NO_CHANGES = "No changes. The portal matches the configuration."
UNLIMITED = "unlimited"
DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}

# ---------------------------------------------------------------- effects


class Effect(StrEnum):
    """What a change does to people, in the order of reports: those that restrict come first."""

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
        return self in RESTRICTING


EFFECT_WORDS = {
    Effect.LOWERED: "lowered",
    Effect.SET: "new limit",
    Effect.REMOVED: "removed",
    Effect.RAISED: "raised",
}
EFFECT_SYMBOLS = {
    Effect.LOWERED: "↓",
    Effect.SET: "+",
    Effect.REMOVED: "−",
    Effect.RAISED: "↑",
}


RESTRICTING = frozenset({Effect.LOWERED, Effect.SET})


class Role(StrEnum):
    """What a change is coloured by: amber restricts, blue relaxes, red will be refused."""

    RESTRICTS = "restricts"
    RELAXES = "relaxes"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A portal that has no plan, among others that have one, and why not."""

    portal: str
    reason: str


def portal_name(of: Plan | Unplanned) -> str:
    """The name that the workspace gives the portal."""
    return of.portal if isinstance(of, Unplanned) else of.portal.name


# ---------------------------------------------------------------- rows, groups, sections


@dataclass(frozen=True, slots=True)
class ShownName:
    """How a limit is named within its direction: by its label, or as the object limit.

    `qualifier` distinguishes it from another of the same words, or from a label of the user's own.
    """

    label: str | None
    qualifier: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A change with all that reports show of it.

    `before` and `after` in words: `1`, `2 (of 25)` of a label below the object limit, `unlimited`.
    `affected`: who is, beside one of the rows of a direction and origin that restrict.
    """

    change: Change
    name: ShownName
    from_name: str
    to_name: str
    effect: Effect
    role: Role
    before: str
    after: str
    affected: str = ""

    @property
    def value(self) -> str:
        """`5 → 6`, `20 → unlimited`, `1 → 2 (of 25)`."""
        return f"{self.before} → {self.after}"


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
    """The changes of one origin; `origin` None: the plan was made without a base.

    `title`: `This branch (7)`, `Changes` without a base. `rows` are those of all groups for one
    table: what restricts first, within an effect by direction.
    """

    origin: Origin | None
    title: str
    note: str
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        return len(self.rows)


SECTION_TITLES = {
    Origin.CONFIG: "This branch",
    Origin.DRIFT: "Drift",
    Origin.CONFLICT: "Conflict",
}
SECTION_NOTES = {
    Origin.CONFIG: "",
    Origin.DRIFT: "somebody changed these in HubSpot; apply puts them back",
    Origin.CONFLICT: "changed here and in HubSpot; the file wins",
}
_SECTION_ORDER = (None, Origin.CONFIG, Origin.DRIFT, Origin.CONFLICT)


def sections(plan: Plan) -> tuple[Section, ...]:
    """The plan's changes by origin, this branch first, then by direction, in the plan's order."""
    groups = all_groups(plan)
    effects = list(Effect)
    found = []
    explained: set[str] = set()
    for origin in _SECTION_ORDER:
        chosen = (
            replace(group, rows=tuple(row for row in group.rows if row.change.origin is origin))
            for group in groups
        )
        kept = tuple(group for group in chosen if group.rows)
        rows = [row for group in kept for row in group.rows]
        rows.sort(key=lambda row: effects.index(row.effect))
        for index, row in enumerate(rows):
            # Why usage is unknown holds for all directions: the first row that is shown says it.
            if row.affected in explained:
                rows[index] = replace(row, affected=_UNKNOWN)
            elif row.affected.startswith(f"{_UNKNOWN}:"):
                explained.add(row.affected)
        if origin is None:
            title, note = "Changes", ""
        else:
            title, note = f"{SECTION_TITLES[origin]} ({len(rows):,})", SECTION_NOTES[origin]
        if kept:
            found.append(Section(origin, title, note, kept, tuple(rows)))
    return tuple(found)


def all_groups(plan: Plan) -> tuple[Group, ...]:
    """The plan's changes by direction, whatever their origin."""
    names = object_names(plan)
    kept = {(each.from_id, each.to_id): each.limit for each in plan.object_limits}
    refused = {each.change for each in plan.refusals}
    groups = []
    for key, changes in plan.by_direction.items():
        from_name, to_name = (names[id_] for id_ in key)
        uses = Counter(change.type.label for change in changes)
        caps = [each.after for each in changes if each.type.label is None and each.after]
        caps += [kept[key]] if key in kept else []
        usage = plan.usage_of(changes[0].direction)
        speakers = {id(each) for each in _speakers(changes)} if usage else ()
        rows = []
        for change in changes:
            effect = Effect.of(change)
            role = Role.RESTRICTS if effect in RESTRICTING else Role.RELAXES
            after = _amount(change.after)
            if caps and change.after and change.type.label is not None:
                after += f" (of {min(caps)})"
            rows.append(
                Row(
                    change,
                    limit_name(change, unique=uses[change.type.label] == 1),
                    from_name,
                    to_name,
                    effect,
                    Role.REFUSED if refused and change.id in refused else role,
                    _amount(change.before),
                    after,
                    _usage_words(usage, change) if usage and id(change) in speakers else "",
                )
            )
        groups.append(Group(changes[0].direction, from_name, to_name, tuple(rows)))
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


def limit_name(change: Change, *, unique: bool = True) -> ShownName:
    """The name of a limit; `unique`: no other change of its direction has the same label.

    A label that is not a user's own is named with its category.
    """
    key = change.type.key
    if not unique:
        return ShownName(change.type.label, str(key))
    ordinary = change.type.label is None or key.category is Category.USER_DEFINED
    return ShownName(change.type.label, None if ordinary else str(key.category))


# ---------------------------------------------------------------- who is affected


_UNKNOWN = "usage unknown"
USAGE_NEEDS_SCOPE = f"{_UNKNOWN}: needs a crm.objects.*.read scope"
_USAGE_UNKNOWN = {
    None: USAGE_NEEDS_SCOPE,
    UsageGap.NOT_OFFERED: f"{_UNKNOWN}: HubSpot does not offer it here",
    UsageGap.NO_ANSWER: f"{_UNKNOWN}: HubSpot did not answer",
}


def _usage_words(usage: LimitUsage, change: Change) -> str:
    """The records that a limit that is set or lowered is about, as HubSpot counts them."""
    if usage.at_limit is None or usage.near_limit is None:
        return _USAGE_UNKNOWN[usage.unknown_because]
    records = plural(usage.at_limit, "record")
    found = f"{records} at the present limit, {usage.near_limit} near it"
    if change.type.label is not None and usage.limit is not None:
        return f"{found} (object limit {usage.limit})"
    if change.type.label is not None or change.before is None:
        none = usage.at_limit == usage.near_limit == 0
        unset = "no object limit is set yet"
        return f"no records counted: {unset}" if none else f"{found} (HubSpot's own: {unset})"
    if usage.limit != change.before:
        return f"{found} (HubSpot counts against {usage.limit or 'a limit of its own'})"
    return found


def _speakers(changes: Sequence[Change]) -> Collection[Change]:
    """Of each origin, the change of a direction beside which its usage is shown.

    HubSpot counts by direction, not by label, so that only one says it: the object limit, or else
    what weighs most.
    """
    effects = tuple(Effect)
    restricting = [each for each in changes if each.lowers]
    restricting.sort(key=lambda each: (each.type.label is not None, effects.index(Effect.of(each))))
    return {each.origin: each for each in reversed(restricting)}.values()


# ---------------------------------------------------------------- words


def before_after(change: Change) -> str:
    """`1 → 2`, `unlimited → 5`."""
    return f"{_amount(change.before)} → {_amount(change.after)}"


def _amount(limit: int | None) -> str:
    return UNLIMITED if limit is None else str(limit)


def headline(plan: Plan) -> str:
    """The last line of a plan's text, to grep.

    A plan that is refused without a change has something to say against the portal.
    """
    return counted(plan.summary) if plan.changes or plan.refusals else NO_CHANGES


def counted(summary: Summary) -> str:
    """How many changes there are of each action."""
    return (
        f"Plan: {summary.create} to create, {summary.update} to update, {summary.delete} to delete."
    )


def verdict(plan: Plan) -> str:
    """`1 lowered, 2 new limits · 3 drifted · 1 in conflict`: what happens, by effect and origin.

    Where all is drift: `3 drifted: 1 lowered, 2 raised`.
    """
    origins = Counter(change.origin for change in plan.changes)
    own = (Effect.of(each) for each in plan.changes if each.origin in {None, Origin.CONFIG})
    parts = [
        effect_counts(own),
        f"{origins[Origin.DRIFT]:,} drifted" if origins[Origin.DRIFT] else "",
        f"{origins[Origin.CONFLICT]:,} in conflict" if origins[Origin.CONFLICT] else "",
    ]
    if plan.changes and not parts[0] and len(set(origins)) == 1:
        return f"{''.join(parts)}: {effect_counts(map(Effect.of, plan.changes))}"
    return " · ".join(filter(None, parts)) or ("refused" if plan.refusals else "no changes")


def effect_counts(effects: Iterable[Effect]) -> str:
    """`1 lowered, 2 new limits`: how many there are of each effect that occurs."""
    counts = Counter(effects)
    return ", ".join(
        plural(counts[each], EFFECT_WORDS[each])
        if each is Effect.SET
        else f"{counts[each]:,} {EFFECT_WORDS[each]}"
        for each in Effect
        if counts[each]
    )


def strongest(rows: Iterable[Row]) -> Effect:
    """The effect that weighs most: one that restricts, then a removal."""
    effects = list(Effect)
    return min((row.effect for row in rows), key=effects.index)


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
"""URL of a place; None: the host of the files is not known."""


def no_links(_place: Place) -> str | None:
    """Stands in where the host of the files is not known."""
    return None
