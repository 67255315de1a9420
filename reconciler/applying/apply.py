"""Apply a plan: check it against the portal, write the directions in parallel, read back."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from reconciler.applying.direction import DirectionRun, Surroundings, never
from reconciler.applying.halt import Halt
from reconciler.applying.progress import NoProgress, Progress
from reconciler.applying.staleness import check_fresh, check_portal
from reconciler.errors import PlanRefused, ReconcilerError
from reconciler.hubspot import Clock, Portal
from reconciler.model import (
    ChangeError,
    ChangeResult,
    Direction,
    Observed,
    Outcome,
    Plan,
    Refusal,
    Result,
    Status,
)

VERIFY_TIMEOUT = 60.0
"""Seconds that written limits have to show, unless told otherwise."""


def check(plan: Plan, portal: Portal) -> None:
    """Read the portal and raise PlanRefused unless the plan still fits it. Writes nothing."""
    account = portal.account()
    check_portal(plan, account)
    read = portal.read_all(_directions(plan), needs_labels=never)
    check_fresh(plan, Observed(account, tuple(read)))


def check_safe(refusals: Sequence[Refusal]) -> None:
    """Raise PlanRefused when a plan has a reason not to be applied."""
    if refusals:
        forced = all(each.lifted_by_force for each in refusals)
        raise PlanRefused(
            "the plan is not safe to apply",
            details=[each.message for each in refusals],
            hint="`--force` lifts thresholds, after a look at the plan"
            if forced
            else "take `protect: true` off in a change of its own; `--force` does not lift it",
        )


def apply_plan(
    plan: Plan,
    portal: Portal,
    *,
    clock: Clock,
    verify_timeout: float = VERIFY_TIMEOUT,
    progress: Progress | None = None,
) -> Result:
    """Make the portal what the plan says, or report exactly what became of each change.

    Raises PlanRefused or a PortalError before the first write; from then on everything is in
    the result. `verify_timeout`: seconds from a direction's last write until it must show.
    """
    started_at = _timestamp(clock)
    told = progress or NoProgress()
    if not plan.changes:
        check_portal(plan, portal.account())
        return Result(Outcome.NOTHING, (), portal.requests, started_at, _timestamp(clock))
    told.checking(len(plan.by_direction))
    check(plan, portal)
    around = Surroundings(portal, clock, told, Halt(), verify_timeout, Event())
    runs = [_run(plan, direction, around) for direction in _directions(plan)]
    settled = portal.in_parallel([run.run for run in runs])
    changes = _in_plan_order(plan, [each for part in settled for each in part.results])
    return Result(
        outcome(changes, may_have_written=any(part.may_have_written for part in settled)),
        changes,
        portal.requests,
        started_at,
        _timestamp(clock),
        around.halt.reason,
    )


def outcome(changes: Sequence[ChangeResult], *, may_have_written: bool) -> Outcome:
    """`failed` only where nothing was written: refused or never sent, to the last change."""
    if all(each.status is Status.VERIFIED for each in changes):
        return Outcome.APPLIED
    verified = any(each.status is Status.VERIFIED for each in changes)
    return Outcome.INCOMPLETE if verified or may_have_written else Outcome.FAILED


def nothing(plan: Plan, clock: Clock) -> Result:
    """The result of an apply that had nothing to do, or was only tried."""
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED) for each in plan.changes)
    now = _timestamp(clock)
    return Result(Outcome.NOTHING, changes, 0, now, now)


def refused(plan: Plan, error: PlanRefused, clock: Clock) -> Result:
    """The result of an apply that was refused before its first write."""
    return _nothing_written(plan, Outcome.REFUSED, error, clock)


def failed(plan: Plan, error: ReconcilerError, clock: Clock) -> Result:
    """The result of an apply that an error ended before its first write."""
    return _nothing_written(plan, Outcome.FAILED, error, clock)


def _nothing_written(plan: Plan, outcome: Outcome, error: ReconcilerError, clock: Clock) -> Result:
    why = ChangeError(error.message)
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED, why) for each in plan.changes)
    now = _timestamp(clock)
    return Result(outcome, changes, 0, now, now, error.message)


def _directions(plan: Plan) -> list[Direction]:
    return [changes[0].direction for changes in plan.by_direction.values()]


def _run(plan: Plan, direction: Direction, around: Surroundings) -> DirectionRun:
    batches = [batch for batch in plan.batches if batch.direction_key == direction.key]
    return DirectionRun(direction, plan.by_direction[direction.key], batches, around)


def _in_plan_order(plan: Plan, results: Sequence[ChangeResult]) -> tuple[ChangeResult, ...]:
    by_id = {each.change.id: each for each in results}
    return tuple(by_id[change.id] for change in plan.changes)


def _timestamp(clock: Clock) -> str:
    return clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
