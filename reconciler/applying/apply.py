"""Apply a plan: check it against the portal, write the directions in parallel, read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.applying.direction import DirectionRun
from reconciler.applying.events import Checking, Event, Finished, Started
from reconciler.applying.knowledge import change_error
from reconciler.applying.reading import Due
from reconciler.applying.run import Run
from reconciler.applying.safeguards import Safeguards, Settling, check
from reconciler.defaults import SETTLE, VERIFY_TIMEOUT
from reconciler.errors import Interrupted, PlanRefused, ReconcilerError
from reconciler.http.clock import Clock, timestamp
from reconciler.http.messages import report_to
from reconciler.hubspot.portal import Portal
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
    events: Callable[[Event], None] | None = None,
) -> Result:
    """Make the portal what the plan says, or report exactly what became of each change.

    Raises PlanRefused or a PortalError before the first write; from then on everything is in
    the result. Without `safeguards` the default thresholds hold, and the protection that the plan
    states. `verify_timeout`: seconds that the written limits of a direction have to show.
    `settle`: a change is verified when two reads agree that are at least so many seconds apart;
    for 0 one read will do. `events` takes what happens, from several threads: what it raises for
    `Started` is raised, and nothing is sent; what it raises for any other event stops nothing.
    """
    # To this function the callable is what a journal is to `report_to`: it may stop a start.
    run = Run(portal, clock, report_to(journal=events), verify_timeout, settle)
    started_at = timestamp(clock)
    run.report(Started(plan))
    try:
        if plan.changes:
            run.report(Checking(len(plan.by_direction)))
        check(plan, portal, safeguards or Safeguards(), Settling(clock, settle, verify_timeout))
    except ReconcilerError as error:
        run.report(Finished(unwritten(plan, error, clock, started_at, portal.requests)))
        raise
    result = _carry_out(plan, run, started_at)
    run.report(Finished(result))
    return result


def _carry_out(plan: Plan, run: Run, started_at: str) -> Result:
    directions = [
        DirectionRun(
            changes[0].direction,
            changes,
            [batch for batch in plan.batches if batch.direction_key == key],
            run,
        )
        for key, changes in plan.by_direction.items()
    ]
    run.portal.in_parallel([each.write for each in directions])
    _read_back(directions, run)
    ended = [each.finish() for each in directions]
    by_id = {each.change.id: each for part in ended for each in part.results}
    changes = tuple(by_id[change.id] for change in plan.changes)
    found = outcome(changes, may_have_written=any(part.may_have_written for part in ended))
    why = run.halt.reason if found in (Outcome.INCOMPLETE, Outcome.FAILED) else None
    return _result(plan, found, changes, run.clock, started_at, run.portal.requests, why)


def _read_back(directions: Sequence[DirectionRun], run: Run) -> None:
    """Look at all directions again until all is known: in rounds, so that no thread waits."""
    try:
        while waiting := [(each, due) for each in directions if (due := each.due) is not None]:
            run.clock.wait(_next_round([due for _, due in waiting]) - run.clock.monotonic())
            now = run.clock.monotonic()
            run.portal.in_parallel([each.look for each, due in waiting if due.moment <= now])
            for each, _ in waiting:
                if each.due is None:
                    each.finish()
    except Interrupted as error:
        run.halt.because(error.message)
        for each in directions:
            each.close(error.message)


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


# ---------------------------------------------------------------- results


def untouched(
    plan: Plan, clock: Clock, started_at: str, requests: int, message: str | None = None
) -> Result:
    """The result of an apply that had nothing to do, or was only tried."""
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED) for each in plan.changes)
    return _result(plan, Outcome.NOTHING, changes, clock, started_at, requests, message)


def unwritten(
    plan: Plan, error: ReconcilerError, clock: Clock, started_at: str, requests: int
) -> Result:
    """The result of an apply that was refused, or that an error ended, before its first write."""
    ended = Outcome.REFUSED if isinstance(error, PlanRefused) else Outcome.FAILED
    why = change_error(error)
    changes = tuple(ChangeResult(each, Status.NOT_ATTEMPTED, why) for each in plan.changes)
    return _result(plan, ended, changes, clock, started_at, requests, _in_words(error))


def _in_words(error: ReconcilerError) -> str:
    """What an error says, with the first few of its reasons."""
    details = error.details if isinstance(error, PlanRefused) else ()
    more = len(details) - SHOWN_REASONS
    shown = [*details[:SHOWN_REASONS], *([f"and {more} more"] if more > 0 else [])]
    return f"{error.message}: {'; '.join(shown)}" if shown else error.message


def _result(
    plan: Plan,
    ended: Outcome,
    changes: tuple[ChangeResult, ...],
    clock: Clock,
    started_at: str,
    requests: int,
    message: str | None,
) -> Result:
    """How it ended, now."""
    portal = Destination.of(plan.portal)
    return Result(ended, changes, requests, started_at, timestamp(clock), message, portal)
