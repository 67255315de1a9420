"""Apply a plan: check it against the portal, write the directions in parallel, read back."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.applying.direction import DirectionRun
from reconciler.applying.knowledge import change_error
from reconciler.applying.progress import Contained, NoProgress, Progress
from reconciler.applying.reading import Due
from reconciler.applying.record import NoRecord, Record
from reconciler.applying.safeguards import Safeguards, check
from reconciler.applying.staleness import SETTLE, VERIFY_TIMEOUT, Settling
from reconciler.applying.surroundings import Surroundings
from reconciler.errors import Interrupted, PlanRefused, ReconcilerError
from reconciler.http.clock import Clock
from reconciler.hubspot.portal import Portal
from reconciler.model.limits import Direction
from reconciler.model.plan import ChangeResult, Destination, Outcome, Plan, Result, Status

SHOWN_REASONS = 5
"""Reasons of a refusal that the message of a result names."""


def apply_plan(
    plan: Plan,
    portal: Portal,
    *,
    clock: Clock,
    safeguards: Safeguards | None = None,
    verify_timeout: float = VERIFY_TIMEOUT,
    settle: float = SETTLE,
    progress: Progress | None = None,
    record: Record | None = None,
) -> Result:
    """Make the portal what the plan says, or report exactly what became of each change.

    Raises PlanRefused or a PortalError before the first write; from then on everything is in
    the result. Without `safeguards` the default thresholds hold, and the protection that the plan
    states. `verify_timeout`: seconds that the written limits of a direction have to show.
    `settle`: a change is verified when two reads agree that are at least so many seconds apart;
    for 0 one read will do.
    """
    around = Surroundings(
        portal,
        clock,
        Contained(progress or NoProgress()),
        record or NoRecord(),
        verify_timeout,
        settle,
    )
    started_at = timestamp(clock)
    around.record.start(plan)
    try:
        if plan.changes:
            around.progress.checking(len(plan.by_direction))
        check(
            plan,
            portal,
            safeguards or Safeguards(),
            Settling(clock, settle, verify_timeout),
        )
    except ReconcilerError as error:
        around.record.finish(unwritten(plan, error, clock, started_at, portal.requests))
        raise
    result = _carry_out(plan, around, started_at)
    around.record.finish(result)
    return result


def _carry_out(plan: Plan, around: Surroundings, started_at: str) -> Result:
    runs = [_run(plan, direction, around) for direction in _directions(plan)]
    around.portal.in_parallel([run.write for run in runs])
    _read_back(runs, around)
    settled = [run.finish() for run in runs]
    changes = _in_plan_order(plan, [each for part in settled for each in part.results])
    ended = outcome(changes, may_have_written=any(part.may_have_written for part in settled))
    return Result(
        ended,
        changes,
        around.portal.requests,
        started_at,
        timestamp(around.clock),
        around.halt.reason if ended in (Outcome.INCOMPLETE, Outcome.FAILED) else None,
        Destination.of(plan.portal),
    )


def _read_back(runs: Sequence[DirectionRun], around: Surroundings) -> None:
    """Look at all directions again until all is known: in rounds, so that no thread waits."""
    try:
        while waiting := [(run, due) for run in runs if (due := run.due) is not None]:
            around.clock.wait(_next_round([due for _, due in waiting]) - around.clock.monotonic())
            now = around.clock.monotonic()
            around.portal.in_parallel([run.look for run, due in waiting if due.moment <= now])
            for run, _ in waiting:
                if run.due is None:
                    run.finish()
    except Interrupted as error:
        around.halt.because(error.message)
        for run in runs:
            run.close(error.message)


def _next_round(dues: Sequence[Due]) -> float:
    """The moment when the first direction is to be read, or all that only wait to settle."""
    together = [due.moment for due in dues if due.together]
    first = [due.moment for due in dues if not due.together]
    return min([*first, *([max(together)] if together else [])])


def outcome(changes: Sequence[ChangeResult], *, may_have_written: bool) -> Outcome:
    """`failed` only where nothing can have been written: no write that the portal looked at."""
    if not changes:
        return Outcome.NOTHING
    if all(each.status is Status.VERIFIED for each in changes):
        return Outcome.APPLIED
    open_ = any(each.status in (Status.VERIFIED, Status.UNCERTAIN) for each in changes)
    return Outcome.INCOMPLETE if open_ or may_have_written else Outcome.FAILED


def untouched(
    plan: Plan, clock: Clock, started_at: str, requests: int, message: str | None = None
) -> Result:
    """The result of an apply that had nothing to do, or was only tried."""
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED) for each in plan.changes)
    return Result(
        Outcome.NOTHING,
        changes,
        requests,
        started_at,
        timestamp(clock),
        message,
        Destination.of(plan.portal),
    )


def unwritten(
    plan: Plan, error: ReconcilerError, clock: Clock, started_at: str, requests: int
) -> Result:
    """The result of an apply that was refused, or that an error ended, before its first write."""
    ended = Outcome.REFUSED if isinstance(error, PlanRefused) else Outcome.FAILED
    why = change_error(error)
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED, why) for each in plan.changes)
    return Result(
        ended,
        changes,
        requests,
        started_at,
        timestamp(clock),
        _in_words(error),
        Destination.of(plan.portal),
    )


def _in_words(error: ReconcilerError) -> str:
    """What an error says, with the first few of its reasons."""
    details = error.details if isinstance(error, PlanRefused) else ()
    more = len(details) - SHOWN_REASONS
    shown = [*details[:SHOWN_REASONS], *([f"and {more} more"] if more > 0 else [])]
    return f"{error.message}: {'; '.join(shown)}" if shown else error.message


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
