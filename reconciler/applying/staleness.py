"""Whether a plan still starts from what the portal shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.errors import PlanRefused, PortalUnavailable, WrongPortal, plural
from reconciler.http.clock import Clock
from reconciler.model.limits import (
    Account,
    Direction,
    Observed,
    ObservedDirection,
    TypeKey,
    UnknownRow,
)
from reconciler.model.plan import Change, Plan

VERIFY_TIMEOUT = 60.0
"""Seconds that written limits have to show, by default."""

SETTLE = 2.0
"""Seconds that two reads must be apart that are to agree, by default; for 0 one read will do."""


@dataclass(frozen=True, slots=True)
class Settling:
    """How to find out what a portal shows whose reads may lag (observed of a sibling endpoint).

    Two reads prove something if they agree and are at least `settle` seconds apart; they are
    waited for no longer than `patience` seconds.
    """

    clock: Clock
    settle: float = SETTLE
    patience: float = VERIFY_TIMEOUT


Now = int | UnknownRow | None
"""What the portal shows for a type: a limit, none, or a row that nobody understands."""


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


def now_of(direction: ObservedDirection, key: TypeKey) -> Now:
    """What a read of a direction shows for one type."""
    unknown = next((row for row in direction.unknown if row.key == key and row.in_force), None)
    return unknown or direction.values().get(key)


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


def showing(now: Now) -> str:
    """What the portal shows, as a sentence."""
    return str(now) if isinstance(now, UnknownRow) else f"the portal shows {shown(now)}"


def shown(limit: int | None) -> str:
    """A limit in words."""
    return "no limit" if limit is None else str(limit)
