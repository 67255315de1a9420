"""What makes a plan unsafe to apply, judged here and nowhere else: protection and thresholds.

`make_plan` judges when a plan is made, `apply_plan` judges again before the first write, and the
reader of plan files checks that a plan states what follows from its own changes. A refusal that a
plan states stays one, whatever is judged later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import PlanRefused, plural
from reconciler.model.limits import DesiredLimit, Observed, ResolvedDirection, Safety, TypeKey
from reconciler.model.plan import (
    Action,
    Change,
    Origin,
    Plan,
    Refusal,
    RefusalCode,
    by_direction,
    count_actions,
)
from reconciler.planning.names import Types

PERCENT_COUNTS_FROM = 10
"""Fewest observed limits from which `max_delete_percent` is judged."""

Declarations = Mapping[tuple[str, str], ResolvedDirection]
"""Declared directions by their pair of object type IDs."""


@dataclass(frozen=True, slots=True)
class Named:
    """How the files name a limit that is to change; None: they do not.

    Here, at the merge base, and at the tip of the target branch, where that has moved on.
    """

    head: DesiredLimit | None = None
    base: DesiredLimit | None = None
    tip: DesiredLimit | None = None

    @property
    def protected(self) -> bool:
        sides = (self.head, self.base, self.tip)
        return any(each is not None and each.protect for each in sides)


UNNAMED = Named()


def named_limits(
    changes: Iterable[Change],
    observed: Observed,
    *,
    head: Declarations,
    base: Declarations,
    tip: Declarations | None = None,
) -> dict[str, Named]:
    """How head, base and tip name the limits that are to change, by the ID of the change.

    The portal's own rows and labels say which type a label means, not the plan. Directions of which
    neither the files nor the changes protect anything are left out.
    """
    found: dict[str, Named] = {}
    for key, members in by_direction(changes).items():
        declared = [side.get(key) for side in (head, base, tip or {})]
        protects = any(limit.protect for each in declared if each for limit in each.limits)
        if not protects and not any(each.protected for each in members):
            continue
        types = Types(observed.by_key[key])
        sides = [_limits(each, types) for each in declared]
        for each in members:
            named = Named(*(side.get(each.type.key) for side in sides))
            if named != UNNAMED:
                found[each.id] = named
    return found


def _limits(declared: ResolvedDirection | None, types: Types) -> dict[TypeKey, DesiredLimit]:
    """The limits of a declaration by the types they could mean, protected ones first.

    A label that could mean two types stands for both, one that the portal does not have for none.
    """
    found: dict[TypeKey, DesiredLimit] = {}
    limits = () if declared is None else declared.limits
    for limit in sorted(limits, key=lambda each: not each.protect):
        for type_ in types.meant_by(limit.selector):
            found.setdefault(type_.key, limit)
    return found


def judge(
    plan: Plan,
    safety: Safety,
    *,
    observed: int,
    named: Mapping[str, Named] | None = None,
    force: bool = False,
) -> tuple[Refusal, ...]:
    """Every reason why this plan may not be applied: what it states, then what is found now.

    `observed`: how many limits the portal has in the declared directions; counts that the plan
    states are not asked. `named`: how the files at hand name its limits. `force` overrides
    thresholds, those that the plan states included, and nothing else.
    """
    found = (*protection(plan.changes, named or {}), *_thresholds(plan.changes, observed, safety))
    stated = {(each.code, each.change) for each in plan.refusals}
    every = (*plan.refusals, *(each for each in found if (each.code, each.change) not in stated))
    return tuple(each for each in every if not (force and each.overridden_by_force))


def check_safe(refusals: Sequence[Refusal]) -> None:
    """Raise PlanRefused when there is a reason not to apply a plan."""
    if not refusals:
        return
    kept = [each for each in refusals if not each.overridden_by_force]
    hint = "look at the plan; `--force` overrides thresholds"
    if kept:
        hint = "`--force` overrides thresholds only"
    if any(each.code is RefusalCode.PROTECTED for each in kept):
        hint = "take `protect: true` off in a change of its own; `--force` does not override it"
    raise PlanRefused(
        "the plan is not safe to apply", details=[each.message for each in refusals], hint=hint
    )


# ---------------------------------------------------------------- protection


def protection(changes: Iterable[Change], named: Mapping[str, Named]) -> Iterator[Refusal]:
    """The protected limits that the configuration lowers or removes, whatever is forced.

    Protection is against the configuration being loosened in passing. To put back a value that
    somebody changed in HubSpot is what it is for.
    """
    for change in changes:
        if not named and not change.protected:
            continue
        files = named.get(change.id, UNNAMED)
        if (change.protected or files.protected) and _loosens(change, files):
            yield _protected(change, files)


def _loosens(change: Change, files: Named) -> bool:
    """Whether the configuration lowers or removes this limit, compared with what it said before.

    The base says what that was. A plan judged with a base and applied without one states its
    refusals, so drift and conflict are believed where the files at hand want the same value.
    Where nothing else is known, what the portal has counts as what was configured.
    """
    if files.base is not None:
        return _lower(files.base.max, change.after)
    wanted_here = files.head is None or files.head.max == change.after
    if change.origin in (Origin.DRIFT, Origin.CONFLICT) and wanted_here:
        return False
    return change.before is not None and _lower(change.before, change.after)


def _lower(before: int | None, after: int | None) -> bool:
    """Whether a limit is removed, lowered, or set where there was explicitly none."""
    if after is None:
        return before is not None
    return before is None or after < before


def _protected(change: Change, files: Named) -> Refusal:
    reference = change.before if files.base is None else files.base.max
    at = "as unlimited" if reference is None else f"at {reference}"
    becomes = "remove it" if change.after is None else f"lower it to {change.after}"
    message = (
        f"{change.type.quoted} of {change.direction} is protected {at}; this plan would {becomes}"
    )
    if files.head is not None and not files.head.protect:
        message += ", and protect was taken off in the same change"
    if change.origin is None and files.base is None:
        message += (
            ". Whether the files or somebody in HubSpot moved it is unknown without a base that "
            "can be read: plan with --base REF"
        )
    place = next((each.place for each in (files.head, files.base) if each is not None), None)
    return Refusal(RefusalCode.PROTECTED, message, change.id, place or change.source)


# ---------------------------------------------------------------- thresholds


def too_many_deletes_possible(changes: Sequence[Change], at_least: int, safety: Safety) -> bool:
    """Whether `max_delete_percent` could be passed, were `at_least` all limits there are.

    Where it could not, more observed limits change nothing, and none have to be counted.
    """
    return _past_percent(changes, max(at_least, PERCENT_COUNTS_FROM), safety)


def _past_percent(changes: Sequence[Change], observed: int, safety: Safety) -> bool:
    deletes = sum(each.action is Action.DELETE for each in changes)
    return observed >= PERCENT_COUNTS_FROM and deletes * 100 > safety.max_delete_percent * observed


def _thresholds(changes: Sequence[Change], observed: int, safety: Safety) -> Iterator[Refusal]:
    deletes = count_actions(changes)[Action.DELETE]
    if deletes > safety.max_deletes:
        yield Refusal(
            RefusalCode.MAX_DELETES,
            f"{plural(deletes, 'limit')} would be removed; max_deletes allows {safety.max_deletes}",
        )
    if _past_percent(changes, observed, safety):
        yield Refusal(
            RefusalCode.MAX_DELETE_PERCENT,
            f"{deletes} of {plural(observed, 'observed limit')} would be removed; "
            f"max_delete_percent allows {safety.max_delete_percent} %",
        )
    if len(changes) > safety.max_changes:
        yield Refusal(
            RefusalCode.MAX_CHANGES,
            f"{plural(len(changes), 'limit')} would change; max_changes allows {safety.max_changes}",
        )
