"""Drift is a claim about a person: it is made only where two reads agree."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import reconciler
from reconciler.errors import PortalSettling
from reconciler.http.messages import report_to
from reconciler.model.plan import Plan
from reconciler.planning.origin import Observation
from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.portal import Portal as PortalState
from tests.applying.factory import label_id, portal, wanted
from tests.applying.world import World
from tests.cli.running import Desk, git
from tests.cli.test_base import repository
from tests.planning.factory import CONTEXT

__all__ = ["repository"]

SETTLE = 2.0


def spoiled(folder: Path, state: PortalState, *faults: str) -> World:
    """A portal in virtual time with these faults."""
    made = World.in_process(folder, state)
    made.clock.wait(100)
    made.sandbox.set_faults(tuple(parse_fault(rule) for rule in faults))
    return made


def confirmed(made: World, *, base: int | None = 1, settle: float = SETTLE) -> Plan:
    """Plan `Label 1: 1` and `Label 2: 1`, with a base that says `base` of both."""
    desired = wanted({1: 1, 2: 1})
    before = None if base is None else wanted({1: base, 2: base})
    with made.connected(report_to()) as (connected, _):
        observation: Observation = reconciler.observe(connected, desired, base=before)
        plan = reconciler.make_plan(observation, context=CONTEXT)
        reconciler.confirm_drift(plan, observation, connected, clock=made.clock, settle=settle)
    return plan


def reads(made: World) -> list[float]:
    """When the limits were read."""
    return [each.time for each in made.sandbox.requests if each.operation == "read"]


def test_drift_is_read_once_more_after_the_settle_time(tmp_path: Path) -> None:
    """Where both reads agree it is reported."""
    made = spoiled(tmp_path, portal(2, {1: 1, 2: 7}))
    plan = confirmed(made)
    assert [(str(each.type), each.origin) for each in plan.changes] == [("Label 2", "drift")]
    first, second = reads(made)
    assert second - first >= SETTLE


@pytest.mark.parametrize("base", [None, 7])
def test_what_claims_nothing_of_a_person_is_read_once(tmp_path: Path, base: int | None) -> None:
    """Without a base there is no origin, and what the branch changes is no drift."""
    made = spoiled(tmp_path, portal(2, {1: 1, 2: 7}))
    assert confirmed(made, base=base).changes
    assert len(reads(made)) == 1


def test_a_steady_state_is_read_once(tmp_path: Path) -> None:
    """D + 1 requests, and no wait."""
    made = spoiled(tmp_path, portal(2, {1: 1, 2: 1}))
    begun = made.clock.monotonic()
    assert not confirmed(made).changes
    assert len(made.sandbox.requests) == 2
    assert made.clock.monotonic() == begun


@pytest.mark.parametrize("settle", [0, 1, 2, 30])
@pytest.mark.parametrize("value", [7, None])
def test_reads_that_alternate_make_no_claim(
    tmp_path: Path, settle: float, value: int | None
) -> None:
    """The portal is still settling, whatever the time between the reads: exit code 1."""
    made = spoiled(tmp_path, portal(2, {1: 1} if value is None else {1: 1, 2: value}))
    made.sandbox.edit("contacts", "companies", label_id(2), 1)
    made.sandbox.set_faults([parse_fault("read:flap")])
    with pytest.raises(PortalSettling, match="still settling") as caught:
        confirmed(made, settle=settle)
    shown = "no limit" if value is None else value
    assert f"contacts → companies, Label 2: {shown}, then 1" in caught.value.message
    assert caught.value.exit_code == 1


def test_a_change_of_another_limit_between_the_reads_is_seen_too(tmp_path: Path) -> None:
    """The direction is what is read, and it is not still."""
    made = spoiled(tmp_path, portal(2, {1: 1, 2: 7}))
    label = f"type={label_id(1)},category=USER_DEFINED,max=9"
    made.sandbox.set_faults([parse_fault(f"read#2:edit,from=contacts,to=companies,{label}")])
    with pytest.raises(PortalSettling, match="Label 1: 1, then 9"):
        confirmed(made)


def test_a_plan_against_a_settling_portal_exits_1(repository: Desk) -> None:
    """Its own write of a moment ago is not reported as somebody's drift."""
    git(repository, "checkout", "-q", "main")
    assert repository.server is not None
    repository.server.edit("contacts", "companies", 28, 2)
    repository.server.edit("contacts", "companies", 28, 3)
    repository.server.edit("contacts", "companies", 28, 2)
    repository.server.set_faults([parse_fault("read@contacts/companies:flap")])
    ran = repository.run_here("plan", "--base", "main", "--settle", "0.2", "--out", "plan.json")
    assert ran.code == 1
    assert "the portal is still settling" in ran.err
    assert "Billing contact: 3, then 2" in ran.err
    assert not (repository.folder / "plan.json").exists()


def test_real_drift_takes_the_settle_time_and_is_reported(repository: Desk) -> None:
    """Two directions are waited for together."""
    assert repository.server is not None
    repository.server.edit("contacts", "companies", 28, 4)
    repository.server.edit("companies", "contacts", 31, 5)
    before = len(repository.server.requests)
    begun = time.monotonic()
    ran = repository.run_here("plan", "--base", "main", "--settle", "1", "--format", "json")
    assert time.monotonic() - begun >= 1
    assert {each["origin"] for each in ran.json["changes"]} == {"drift"}
    usage = 1  # one of the two directions gets a lower limit
    assert len(repository.server.requests) - before == 1 + 2 + 2 + usage
