"""One direction: what is desired against what was observed, and against where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.errors import Diagnostic
from reconciler.model.limits import (
    AssociationType,
    DesiredLimit,
    Direction,
    History,
    ObservedDirection,
    Place,
    ResolvedDirection,
    TypeKey,
    Vanished,
)
from reconciler.model.plan import Change, Origin
from reconciler.planning.diff import Difference, differences
from reconciler.planning.directions import vanished
from reconciler.planning.origin import Behind, Declared, Side, Sides, declared_values
from reconciler.planning.rule import rule_broken
from reconciler.planning.types import name_types


@dataclass(frozen=True, slots=True)
class Compared:
    """One direction's part of the plan; `notes` say what was left out of it, and why."""

    direction: Direction
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    unmanaged: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
    vanished: tuple[Vanished, ...] = ()
    notes: tuple[str, ...] = ()


def compare(
    declared: ResolvedDirection,
    observed: ObservedDirection,
    history: History | None,
    hints: int,
) -> Compared:
    """A direction that the files declare.

    `history` None: no base was asked for. `hints`: of how many mistakes the nearest name may be
    looked for, which takes time.
    """
    named = name_types(declared, observed, hints=hints)
    sides = None if history is None else _sides(history, observed)
    gone = [each for each in named.astray if _was_named(each[0], sides)]
    diagnostics = (*named.diagnostics, *(each[1] for each in named.astray if each not in gone))
    if diagnostics:
        return Compared(declared.direction, diagnostics=diagnostics)
    if gone and sides is not None and history is not None:
        return _not_compared(declared, observed, gone, sides, history.ref)
    types = observed.types()
    head = declared_values(declared, named.limits, types)
    judged = _Judged.of(head, observed, sides)
    broken = rule_broken(declared, judged.after, types, named.limits)
    if broken and judged.behind:
        judged = judged.as_it_is()
    elif broken:
        return Compared(declared.direction, diagnostics=broken)
    changes = tuple(
        Change(
            direction=declared.direction,
            type=types[each.key],
            before=each.before,
            after=each.after,
            origin=judged.origins[each.key],
            source=_source(declared, named.limits, each),
            reason=named.limits[each.key].reason if each.key in named.limits else None,
        )
        for each in judged.changing
    )
    before = observed.values()
    return Compared(
        declared.direction,
        changes,
        unchanged=len(before.keys() & judged.behind)
        + sum(before.get(key) == each.max for key, each in head.items() if each.max is not None),
        unmanaged=len(before.keys() - head.keys()) + observed.unknown_limits,
        notes=() if history is None else tuple(_notes(judged, observed, history.ref)),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """The limits of one direction that differ: those to change, and those that are merely old."""

    changing: tuple[Difference[TypeKey], ...]
    behind: frozenset[TypeKey]
    origins: Mapping[TypeKey, Origin | None]
    before: Mapping[TypeKey, int]
    sides: Sides | None

    @classmethod
    def of(
        cls, head: Mapping[TypeKey, Declared], observed: ObservedDirection, sides: Sides | None
    ) -> _Judged:
        before = observed.values()
        after = {**before, **{key: each.max for key, each in head.items()}}
        found = differences(before, {key: each for key, each in after.items() if each is not None})
        who = {
            each.key: None if sides is None else sides.origin(each.key, head[each.key], each.before)
            for each in found
        }
        return cls(
            tuple(each for each in found if not isinstance(who[each.key], Behind)),
            frozenset(key for key, each in who.items() if isinstance(each, Behind)),
            {key: each for key, each in who.items() if not isinstance(each, Behind)},
            before,
            sides,
        )

    @property
    def after(self) -> dict[TypeKey, int]:
        """The limits that would be in force."""
        after = {**self.before, **{each.key: each.after for each in self.changing}}
        return {key: value for key, value in after.items() if value is not None}

    def as_it_is(self) -> _Judged:
        """Nothing changes where HubSpot's rule would not hold beside a limit that is left out."""
        left = self.behind | {each.key for each in self.changing}
        return replace(self, changing=(), behind=left)


def _sides(history: History, observed: ObservedDirection) -> Sides:
    base = Side.of(history.base, observed)
    return Sides(base, base if history.tip is history.base else Side.of(history.tip, observed))


def _was_named(limit: DesiredLimit, sides: Sides | None) -> bool:
    return sides is not None and limit.selector in sides.base.selectors


def _not_compared(
    declared: ResolvedDirection,
    observed: ObservedDirection,
    gone: Sequence[tuple[DesiredLimit, Diagnostic]],
    sides: Sides,
    ref: str,
) -> Compared:
    """A direction that names what HubSpot no longer has.

    Its other limits are not compared: what is there under a new name would be removed.
    """
    old = [problem for limit, problem in gone if sides.renamed_at_tip(limit)]
    return Compared(
        declared.direction,
        unmanaged=len(observed.values()) + observed.unknown_limits,
        vanished=tuple(
            vanished(declared.direction, problem, limit.place)
            for limit, problem in gone
            if not sides.renamed_at_tip(limit)
        ),
        notes=tuple(
            f"{problem.message}; {ref} no longer names it, so {declared.direction} is left out of "
            f"the plan: merge or rebase {ref}"
            for problem in old
        ),
    )


def _notes(judged: _Judged, observed: ObservedDirection, ref: str) -> Iterator[str]:
    """Where the target branch moved on: what is left out, and what it will conflict with."""
    if judged.sides is None:
        return
    types, sides = observed.types(), judged.sides
    for key in sorted(judged.behind):
        limit = _named(types[key], observed.direction)
        if sides.moved_on(key):
            yield (
                f"{limit} is left out of the plan: {ref} {sides.tip_says(key)} since this branch "
                f"began, and the branch is behind; merge or rebase {ref}"
            )
        else:
            yield (
                f"{limit} is left out of the plan: it does not fit a limit of {ref} that this "
                f"branch does not have; merge or rebase {ref}"
            )
    for each in judged.changing:
        if sides.moved_on(each.key):
            limit = _named(types[each.key], observed.direction)
            yield (
                f"{limit} is changed by this branch, and {ref} {sides.tip_says(each.key)} since it "
                f"began; merge or rebase {ref}"
            )


def _named(type_: AssociationType, direction: Direction) -> str:
    name = "the object limit" if type_.label is None else f'"{type_.label}"'
    return f"{name} of {direction}"


def compare_removed(
    base: ResolvedDirection, observed: ObservedDirection, history: History
) -> Compared:
    """A direction the base declares and the head does not: the limits it named go."""
    named = name_types(base, observed, hints=0).limits
    head = {key: Declared(None, named=False) for key in named}
    types = observed.types()
    judged = _Judged.of(head, observed, _sides(history, observed))
    changes = tuple(
        Change(
            direction=base.direction,
            type=types[each.key],
            before=each.before,
            after=None,
            origin=judged.origins[each.key],
            reason=f"no longer declared; it was at {named[each.key].place}",
        )
        for each in judged.changing
    )
    before = observed.values()
    return Compared(
        base.direction,
        changes,
        unchanged=len(judged.behind),
        unmanaged=len(before.keys() - head.keys()) + observed.unknown_limits,
        notes=tuple(_notes(judged, observed, history.ref)),
    )


def _source(
    declared: ResolvedDirection,
    named: Mapping[TypeKey, DesiredLimit],
    difference: Difference[TypeKey],
) -> Place:
    """The line of the limit, or of the direction whose declaration leaves it out."""
    limit = named.get(difference.key)
    return declared.place if limit is None else limit.place
