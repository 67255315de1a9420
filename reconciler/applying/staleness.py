"""Whether a plan still starts from what the portal shows."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.errors import PlanRefused, WrongPortal
from reconciler.model import Account, Change, Observed, Plan


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
        f"the plan is stale: {len(stale)} of its {len(plan.changes)} limits changed in the "
        "portal since it was made",
        hint=hint,
        details=[_described(change, now) for change, now in stale],
    )


def _stale(plan: Plan, observed: Observed) -> Iterator[tuple[Change, int | None]]:
    values = {key: each.values() for key, each in observed.by_key.items()}
    for change in plan.changes:
        now = values[change.direction.key].get(change.type.key)
        if now != change.before:
            yield change, now


def _described(change: Change, now: int | None) -> str:
    return (
        f"{change.direction}, {change.type}: the plan expects {shown(change.before)}, "
        f"the portal shows {shown(now)}"
    )


def shown(limit: int | None) -> str:
    """A limit in words."""
    return "no limit" if limit is None else str(limit)
