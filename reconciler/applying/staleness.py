"""Whether a plan still starts from what the portal shows."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.errors import PlanRefused, WrongPortal, plural
from reconciler.model import (
    Account,
    Change,
    Observed,
    ObservedDirection,
    Plan,
    TypeKey,
    UnknownRow,
)


def check_portal(plan: Plan, account: Account) -> None:
    """Raise WrongPortal unless the token belongs to the portal the plan was made for."""
    if account.portal_id != plan.portal.portal_id:
        raise WrongPortal(
            f"the plan is for portal {plan.portal.portal_id}, the token belongs to portal "
            f"{account.portal_id}",
            hint="use the token of the planned portal, or plan for this one",
        )


def check_fresh(plan: Plan, observed: Observed) -> None:
    """Raise PlanRefused, naming every limit whose `before` no longer holds."""
    stale = list(_stale(plan, observed))
    if not stale:
        return
    applied = sum(now == change.after for change, now in stale)
    hint = (
        "the portal already shows what this plan would write: it was applied before"
        if applied == len(plan.changes)
        else "make the plan again and have it reviewed"
    )
    raise PlanRefused(
        f"the plan is stale: {len(stale)} of its {plural(len(plan.changes), 'limit')} changed in the "
        "portal since it was made",
        hint=hint,
        details=[_described(change, now) for change, now in stale],
    )


Now = int | UnknownRow | None
"""What the portal shows in place of a `before`: a limit, none, or a row that nobody understands."""


def _stale(plan: Plan, observed: Observed) -> Iterator[tuple[Change, Now]]:
    for change in plan.changes:
        now = _now(observed.by_key[change.direction.key], change.type.key)
        if now != change.before:
            yield change, now


def _now(direction: ObservedDirection, key: TypeKey) -> Now:
    unknown = next((row for row in direction.unknown if row.key == key), None)
    return unknown or direction.values().get(key)


def _described(change: Change, now: Now) -> str:
    found = str(now) if isinstance(now, UnknownRow) else f"the portal shows {shown(now)}"
    return f"{change.direction}, {change.type}: the plan expects {shown(change.before)}, {found}"


def shown(limit: int | None) -> str:
    """A limit in words."""
    return "no limit" if limit is None else str(limit)
