"""A plan as a whole: checked before the first write, its outcome true in the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import reconciler
from reconciler.applying.apply import outcome, untouched, unwritten
from reconciler.applying.events import Event, Started
from reconciler.applying.safeguards import Safeguards, Settling, check
from reconciler.errors import ExitCode, PlanRefused, PortalUnavailable
from reconciler.http.messages import report_to
from reconciler.model.plan import ChangeResult, Outcome, Status
from tests.applying import scenario, truth
from tests.applying.factory import change, portal, wanted
from tests.applying.scenario import USUAL, plan, world
from tests.applying.world import WIDE, World
from tests.clock import VirtualClock


def results(*statuses: Status) -> list[ChangeResult]:
    """One change of each status."""
    return [ChangeResult(change(number), each) for number, each in enumerate(statuses, start=1)]


@pytest.mark.parametrize(
    ("statuses", "may_have_written", "expected"),
    [
        ([], False, Outcome.NOTHING),
        ([Status.VERIFIED, Status.VERIFIED], True, Outcome.APPLIED),
        ([Status.VERIFIED, Status.NOT_ATTEMPTED], True, Outcome.INCOMPLETE),
        ([Status.UNCERTAIN], True, Outcome.INCOMPLETE),
        ([Status.UNCERTAIN], False, Outcome.INCOMPLETE),
        ([Status.FAILED, Status.NOT_ATTEMPTED], False, Outcome.FAILED),
        ([Status.FAILED], True, Outcome.INCOMPLETE),
        ([Status.NOT_ATTEMPTED], False, Outcome.FAILED),
    ],
)
def test_an_apply_failed_only_where_nothing_was_written(
    statuses: list[Status], expected: Outcome, *, may_have_written: bool
) -> None:
    """Exit 1 promises that; everything else that is not whole is incomplete."""
    assert outcome(results(*statuses), may_have_written=may_have_written) is expected


def test_every_kind_of_step_is_applied_and_verified(tmp_path: Path) -> None:
    """One read per direction before, two after, and an empty plan in the end."""
    made = world(tmp_path, USUAL)
    ran = made.apply(plan(USUAL))
    truth.check(ran)
    assert ran.result.outcome is Outcome.APPLIED
    reads = [entry for entry in ran.requests if entry.operation == "read"]
    assert len(reads) == 3 * len(plan(USUAL).by_direction)
    assert made.plan(scenario.configuration()).changes == ()


def test_whoever_watches_cannot_stop_an_apply(tmp_path: Path) -> None:
    """A reader for people raises at every event: everything is written and verified."""

    def broken(_: Event) -> None:
        raise ValueError("nobody reads this")

    made = world(tmp_path, USUAL)
    ran = made.apply(plan(USUAL), ["update#1:503", "update#3:drop"], reader=broken)
    assert ran.result.outcome is Outcome.APPLIED
    assert made.plan(scenario.configuration()).changes == ()


def test_all_directions_settle_at_the_same_time(tmp_path: Path) -> None:
    """One wait for all after the last first read, with one thread as with many."""
    made = world(tmp_path, USUAL)
    ran = made.apply(plan(USUAL), settle=7.0)
    truth.check(ran)
    assert ran.seconds == pytest.approx(7.0)
    begun = ran.requests[0].time
    times = [round(entry.time - begun, 3) for entry in ran.requests if entry.operation == "read"]
    directions = len(plan(USUAL).by_direction)
    assert times == [0.0] * 2 * directions + [7.0] * directions


def test_one_direction_that_lags_keeps_no_other_from_settling(tmp_path: Path) -> None:
    """The others are read a second time while the first is waited for, and not a third time."""
    made = world(tmp_path, USUAL)
    made.clock.wait(100.0)
    ran = made.apply(plan(USUAL), ["read@deals/contacts#2-:lag,seconds=8"])
    truth.check(ran)
    assert ran.code is ExitCode.DONE
    assert ran.seconds <= 8.0 + 5.0 + 2.0
    reads = [entry.path for entry in ran.requests if entry.operation == "read"]
    assert sorted(Counter(reads).values())[:-1] == [3] * (len(plan(USUAL).by_direction) - 1)


def test_the_result_is_in_the_order_of_the_plan(tmp_path: Path) -> None:
    """However many requests are sent at a time."""
    made = World.in_process(tmp_path, scenario.portal(), concurrency=8)
    planned = made.plan(scenario.configuration())
    ran = made.apply(planned)
    truth.check(ran)
    assert [each.change for each in ran.result.changes] == list(planned.changes)


def test_an_empty_plan_checks_the_portal_and_no_more(tmp_path: Path) -> None:
    """One request; outcome `nothing`."""
    made = World.in_process(tmp_path, portal(1, {1: 2}))
    ran = made.apply(made.plan(wanted({1: 2})))
    truth.check(ran)
    assert ran.result.outcome is Outcome.NOTHING
    assert [entry.operation for entry in ran.requests] == ["account"]


def test_nothing_is_written_before_everything_was_checked(tmp_path: Path) -> None:
    """The last direction is stale: the first is not written either."""
    made = world(tmp_path, USUAL)
    made.sandbox.edit("tickets", "contacts", 60, 8)
    ran = made.apply(plan(USUAL))
    truth.check(ran)
    assert ran.code is ExitCode.REFUSED
    assert {each.error.message for each in ran.result.changes if each.error} == {
        "the plan is stale: 1 of its 16 limits changed in the portal since it was made"
    }


def test_a_dry_run_reads_and_writes_nothing(tmp_path: Path) -> None:
    """It raises what an apply would."""
    made = world(tmp_path, USUAL)
    with made.connected(report_to()) as (connected, _):
        check(plan(USUAL), connected, Safeguards(WIDE), Settling(made.clock))
        made.sandbox.edit("tickets", "contacts", 60, 8)
        with pytest.raises(PlanRefused, match="stale"):
            check(plan(USUAL), connected, Safeguards(WIDE), Settling(made.clock))
    assert [step.origin.value for step in made.sandbox.history] == ["edit", "edit"]


def test_the_public_function_is_the_same(tmp_path: Path) -> None:
    """`reconciler.apply_plan`, without a reader."""
    made = World.in_process(tmp_path, portal(1, {1: 1}))
    planned = made.plan(wanted({1: 2}))
    with made.connected(report_to()) as (connected, _):
        result = reconciler.apply_plan(planned, connected, clock=made.clock)
    assert result.outcome is Outcome.APPLIED
    assert made.sandbox.limits("contacts", "companies") == {("USER_DEFINED", 101): 2}


def test_what_takes_the_events_can_stop_no_more_than_the_start(tmp_path: Path) -> None:
    """From Python, without `report_to`: what it raises for `Started` is raised, all else is not."""
    made = World.in_process(tmp_path, portal(1, {1: 1}))
    planned = made.plan(wanted({1: 2}))

    def refusing(event: Event) -> None:
        raise RuntimeError(type(event).__name__)

    def starting(event: Event) -> None:
        if not isinstance(event, Started):
            refusing(event)

    with made.connected(report_to()) as (connected, _):
        with pytest.raises(RuntimeError, match="Started"):
            reconciler.apply_plan(planned, connected, clock=made.clock, events=refusing)
        assert connected.requests == 0
        result = reconciler.apply_plan(planned, connected, clock=made.clock, events=starting)
    assert result.outcome is Outcome.APPLIED


# ---------------------------------------------------------------- results of applies that were none


def test_a_refused_apply_has_a_result() -> None:
    """Refused, with the reason at every change, and the requests it took."""
    result = unwritten(plan(USUAL), PlanRefused("stale"), VirtualClock(), "then", 6)
    assert (result.outcome, result.requests, result.message) == (Outcome.REFUSED, 6, "stale")
    assert {each.status for each in result.changes} == {Status.NOT_ATTEMPTED}
    assert (result.started_at, result.finished_at) == ("then", "2026-11-21T09:00:00Z")


def test_an_apply_that_an_error_ended_has_a_result() -> None:
    """Failed; what HubSpot's support asks for is kept."""
    error = PortalUnavailable("down", category="C", correlation_id="the-id")
    result = unwritten(plan(USUAL), error, VirtualClock(), "then", 1)
    assert result.outcome is Outcome.FAILED
    assert {each.error.correlation_id for each in result.changes if each.error} == {"the-id"}


def test_an_apply_that_had_nothing_to_do_has_a_result() -> None:
    """Nothing was asked for, or only whether the plan fits."""
    result = untouched(plan(USUAL), VirtualClock(), "then", 6)
    assert (result.outcome, result.requests) == (Outcome.NOTHING, 6)
