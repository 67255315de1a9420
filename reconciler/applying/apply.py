"""Apply a plan: check it against the portal, write the directions in parallel, read back."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.applying.direction import DirectionRun
from reconciler.applying.knowledge import change_error
from reconciler.applying.progress import Contained, NoProgress, Progress
from reconciler.applying.record import NoRecord, Record
from reconciler.applying.safeguards import Safeguards, check
from reconciler.applying.surroundings import Surroundings
from reconciler.errors import PlanRefused, ReconcilerError
from reconciler.hubspot import Clock, Portal
from reconciler.model import (
    ChangeResult,
    Direction,
    Outcome,
    Plan,
    Result,
    Status,
)

VERIFY_TIMEOUT = 60.0
"""Seconds that written limits have to show, unless told otherwise."""


def apply_plan(
    plan: Plan,
    portal: Portal,
    *,
    clock: Clock,
    safeguards: Safeguards | None = None,
    verify_timeout: float = VERIFY_TIMEOUT,
    progress: Progress | None = None,
    record: Record | None = None,
) -> Result:
    """Make the portal what the plan says, or report exactly what became of each change.

    Raises PlanRefused or a PortalError before the first write; from then on everything is in
    the result. Without `safeguards` the default thresholds hold, and the protection that the plan
    states. `verify_timeout`: seconds that the written limits of a direction have to show.
    """
    around = Surroundings(
        portal,
        clock,
        Contained(progress or NoProgress()),
        record or NoRecord(),
        verify_timeout,
    )
    started_at = timestamp(clock)
    around.record.start(plan)
    try:
        if plan.changes:
            around.progress.checking(len(plan.by_direction))
        check(plan, portal, safeguards or Safeguards())
    except ReconcilerError as error:
        around.record.finish(unwritten(plan, error, clock, started_at, portal.requests))
        raise
    result = _carry_out(plan, around, started_at)
    around.record.finish(result)
    return result


def _carry_out(plan: Plan, around: Surroundings, started_at: str) -> Result:
    runs = [_run(plan, direction, around) for direction in _directions(plan)]
    settled = around.portal.in_parallel([run.run for run in runs])
    changes = _in_plan_order(plan, [each for part in settled for each in part.results])
    ended = outcome(changes, may_have_written=any(part.may_have_written for part in settled))
    return Result(
        ended,
        changes,
        around.portal.requests,
        started_at,
        timestamp(around.clock),
        around.halt.reason if ended in (Outcome.INCOMPLETE, Outcome.FAILED) else None,
    )


def outcome(changes: Sequence[ChangeResult], *, may_have_written: bool) -> Outcome:
    """`failed` only where nothing was written: refused or never sent, to the last change."""
    if not changes:
        return Outcome.NOTHING
    if all(each.status is Status.VERIFIED for each in changes):
        return Outcome.APPLIED
    verified = any(each.status is Status.VERIFIED for each in changes)
    return Outcome.INCOMPLETE if verified or may_have_written else Outcome.FAILED


def untouched(
    plan: Plan, clock: Clock, started_at: str, requests: int, message: str | None = None
) -> Result:
    """The result of an apply that had nothing to do, or was only tried."""
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED) for each in plan.changes)
    return Result(Outcome.NOTHING, changes, requests, started_at, timestamp(clock), message)


def unwritten(
    plan: Plan, error: ReconcilerError, clock: Clock, started_at: str, requests: int
) -> Result:
    """The result of an apply that was refused, or that an error ended, before its first write."""
    ended = Outcome.REFUSED if isinstance(error, PlanRefused) else Outcome.FAILED
    why = change_error(error)
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED, why) for each in plan.changes)
    return Result(ended, changes, requests, started_at, timestamp(clock), error.message)


def _directions(plan: Plan) -> list[Direction]:
    return [changes[0].direction for changes in plan.by_direction.values()]


def _run(plan: Plan, direction: Direction, around: Surroundings) -> DirectionRun:
    batches = [batch for batch in plan.batches if batch.direction_key == direction.key]
    return DirectionRun(direction, plan.by_direction[direction.key], batches, around)


def _in_plan_order(plan: Plan, results: Sequence[ChangeResult]) -> tuple[ChangeResult, ...]:
    by_id = {each.change.id: each for each in results}
    return tuple(by_id[change.id] for change in plan.changes)


def timestamp(clock: Clock) -> str:
    """The time of day in UTC, in ISO 8601, to the second."""
    return clock.wall().strftime("%Y-%m-%dT%H:%M:%SZ")
