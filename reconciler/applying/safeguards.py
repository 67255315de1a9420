"""What a plan is held against before the first write: the portal, the thresholds, the files.

A plan file may have passed through many hands. What it says of protection and of the portal is
judged again: by the thresholds of the workspace at hand, by the pair files at hand, by those of
the base where one is given, and by what the portal shows now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from reconciler.applying.knowledge import Now, now_of, showing, shown
from reconciler.applying.reading import never
from reconciler.defaults import SETTLE, VERIFY_TIMEOUT
from reconciler.errors import PlanRefused, PortalUnavailable, WrongPortal, plural
from reconciler.http.clock import Clock
from reconciler.hubspot.portal import Portal
from reconciler.model.limits import (
    Account,
    Desired,
    DesiredDirection,
    Direction,
    Observed,
    ObservedDirection,
    ResolvedDirection,
    Safety,
)
from reconciler.model.plan import Change, Plan
from reconciler.planning.names import names_custom_objects, needs_labels, try_resolve
from reconciler.planning.safety import (
    check_safe,
    judge,
    named_limits,
    too_many_deletes_possible,
)


@dataclass(frozen=True, slots=True)
class Settling:
    """How to find out what a portal shows whose reads may lag (observed of a sibling endpoint).

    Two reads prove something if they agree and are at least `settle` seconds apart; they are
    waited for no longer than `patience` seconds.
    """

    clock: Clock
    settle: float = SETTLE
    patience: float = VERIFY_TIMEOUT


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What may be done, and what the configuration at hand protects.

    `files` and `base` None: not at hand. `force` overrides thresholds and nothing else.
    """

    safety: Safety = field(default_factory=Safety)
    force: bool = False
    files: Desired | None = None
    base: Desired | None = None


def check(plan: Plan, portal: Portal, safeguards: Safeguards, settling: Settling) -> None:
    """Read the portal and raise PlanRefused unless the plan fits it and is safe. Writes nothing.

    Raises PortalUnavailable where its reads do not agree on whether the plan is stale.
    """
    check_stated(plan, safeguards)
    declared = _Declared(portal, safeguards)
    changed = [changes[0].direction for changes in plan.by_direction.values()]

    def planned_portal() -> Account:
        account = portal.account()
        check_portal(plan, account)
        return account

    if declared.asks_for_custom_objects:  # once, and not from every thread that reads a direction
        known, _ = portal.beside(planned_portal, [lambda: declared.protecting])
        account, seen = known, portal.read_all(changed, needs_labels=declared.needs_labels)
    else:
        account, seen = portal.read_beside(
            planned_portal, changed, needs_labels=declared.needs_labels
        )
    if not plan.changes:
        return
    read = partial(portal.read_all, needs_labels=declared.needs_labels)
    observed = confirm_fresh(plan, Observed(account, seen), read, settling)
    head, base = declared.protecting
    check_safe(
        judge(
            plan,
            safeguards.safety,
            observed=_count(plan, observed, declared, safeguards.safety),
            named=named_limits(plan.changes, observed, head=head, base=base),
            force=safeguards.force,
        )
    )


def check_stated(plan: Plan, safeguards: Safeguards) -> None:
    """Raise PlanRefused for what the plan itself gives away, before anything is sent."""
    check_safe(judge(plan, safeguards.safety, observed=0, force=safeguards.force))


def _count(plan: Plan, observed: Observed, declared: _Declared, safety: Safety) -> int:
    """How many limits the portal has in the declared directions, read where it matters.

    Without files at hand those are the directions that the plan changes.
    """
    if not too_many_deletes_possible(plan.changes, observed.limits, safety):
        return observed.limits
    rest = declared.others(observed)
    return observed.limits + Observed(observed.account, rest).limits


_ByKey = dict[tuple[str, str], ResolvedDirection]


@dataclass(frozen=True)
class _Declared:
    """The directions that the files at hand and the base declare, once they are needed."""

    portal: Portal
    safeguards: Safeguards

    @property
    def protecting(self) -> tuple[_ByKey, _ByKey]:
        """Head and base; neither is resolved where no limit is protected."""
        return self._resolved if self._protects else ({}, {})

    @property
    def asks_for_custom_objects(self) -> bool:
        """Whether the portal has to be asked which types the protected limits are of."""
        return self._protects and names_custom_objects((*self._head, *self._base))

    @property
    def _protects(self) -> bool:
        directions = (*self._head, *self._base)
        return any(limit.protect for each in directions for limit in each.limits)

    def needs_labels(self, seen: ObservedDirection) -> bool:
        """Whether the labels are needed to know which types the protected limits mean."""
        sides = [side.get(seen.direction.key) for side in self.protecting]
        return any(each is not None and needs_labels(each, seen) for each in sides)

    def others(self, observed: Observed) -> tuple[ObservedDirection, ...]:
        """Read the declared directions that were not read yet."""
        head, base = self._resolved
        known: dict[tuple[str, str], Direction] = {
            key: each.direction for key, each in {**base, **head}.items()
        }
        rest = [each for key, each in known.items() if key not in observed.by_key]
        return self.portal.read_all(rest, needs_labels=never)

    @property
    def _head(self) -> Sequence[DesiredDirection]:
        return () if self.safeguards.files is None else self.safeguards.files.directions

    @property
    def _base(self) -> Sequence[DesiredDirection]:
        return () if self.safeguards.base is None else self.safeguards.base.directions

    @cached_property
    def _resolved(self) -> tuple[_ByKey, _ByKey]:
        named = names_custom_objects((*self._head, *self._base))
        custom = self.portal.custom_objects() if named else ()
        head, base = (try_resolve(each, custom).directions for each in (self._head, self._base))
        return {e.direction.key: e for e in head}, {e.direction.key: e for e in base}


# ---------------------------------------------------------------- staleness


@dataclass(frozen=True, slots=True)
class Stale:
    """A change whose `before` does not hold, and what the portal shows instead."""

    change: Change
    now: Now

    def __str__(self) -> str:
        expected = shown(self.change.before)
        return (
            f"{self.change.direction}, {self.change.type}: the plan expects {expected}, "
            f"{showing(self.now)}"
        )


def check_portal(plan: Plan, account: Account) -> None:
    """Raise WrongPortal unless the token belongs to the portal the plan was made for."""
    if account.portal_id != plan.portal.portal_id:
        raise WrongPortal(
            f"the plan is for portal {plan.portal.portal_id}, the token belongs to portal "
            f"{account.portal_id}",
            hint="use the token of the planned portal, or plan for this one",
        )


Read = Callable[[Sequence[Direction]], tuple[ObservedDirection, ...]]
"""Reads some directions of the portal."""


def confirm_fresh(plan: Plan, observed: Observed, read: Read, settling: Settling) -> Observed:
    """Raise PlanRefused, naming every limit whose `before` no longer holds; else what is read last.

    That somebody changed a limit is said only where two reads agree on it. Raises
    PortalUnavailable where none do in time.
    """
    clock = settling.clock
    deadline = clock.monotonic() + settling.patience + settling.settle
    found = find_stale(plan, observed)
    suspects = list(dict.fromkeys(each.change.direction for each in found))
    agreed = not found or settling.settle == 0
    while not agreed:
        if clock.monotonic() >= deadline:
            raise _unsettled(found, settling)
        clock.wait(settling.settle)
        again = {each.direction.key: each for each in read(suspects)}
        observed = Observed(observed.account, tuple({**observed.by_key, **again}.values()))
        before, found = found, find_stale(plan, observed)
        agreed = found == before
    refuse_stale(plan, found)
    return observed


def find_stale(plan: Plan, observed: Observed) -> tuple[Stale, ...]:
    """Every change whose `before` does not hold, in the plan's order."""
    stale = (
        Stale(change, now_of(observed.by_key[change.direction.key], change.type.key))
        for change in plan.changes
    )
    return tuple(each for each in stale if each.now != each.change.before)


def refuse_stale(plan: Plan, stale: Sequence[Stale]) -> None:
    """Raise PlanRefused, naming every limit, unless there is none."""
    if not stale:
        return
    applied = sum(each.now == each.change.after for each in stale)
    hint = (
        "the portal already shows what this plan would write: it was applied before"
        if applied == len(plan.changes)
        else "make the plan again and have it reviewed"
    )
    raise PlanRefused(
        f"the plan is stale: {len(stale)} of its {plural(len(plan.changes), 'limit')} changed in the "
        "portal since it was made",
        hint=hint,
        details=[str(each) for each in stale],
    )


def _unsettled(stale: Sequence[Stale], settling: Settling) -> PortalUnavailable:
    last = f"; the last read: {stale[0]}" if stale else ""
    return PortalUnavailable(
        f"the portal is still settling: no two reads {settling.settle:g} s apart agree on "
        f"whether the plan is stale{last}",
        hint="nothing was written; run again in a minute",
    )
