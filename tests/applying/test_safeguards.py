"""A plan is for one portal in one state, and for no other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.applying.knowledge import shown
from reconciler.applying.safeguards import (
    Settling,
    check_portal,
    confirm_fresh,
    find_stale,
    refuse_stale,
)
from reconciler.errors import PlanRefused, PortalUnavailable, WrongPortal
from reconciler.model.limits import (
    Account,
    AccountType,
    AssociationType,
    Direction,
    NamelessLimit,
    Observed,
    ObservedDirection,
    ObservedLimit,
    UnknownRow,
)
from reconciler.model.plan import Plan
from tests.clock import VirtualClock
from tests.planning.factory import (
    BILLING,
    CONTACTS_COMPANIES,
    DECISION,
    OBJECT,
    declared,
    limit,
    plan,
    portal,
)

BEFORE = {OBJECT: 5, BILLING: 1}
CHANGED = {OBJECT: 5, BILLING: 3}


def planned() -> Plan:
    """Raises both limits and sets one that is new."""
    head = declared(limit(OBJECT, 9), limit(BILLING, 2), limit(DECISION, 3))
    return plan(head, BEFORE)


def check_fresh(plan: Plan, observed: Observed) -> None:
    """Judge a plan by one read."""
    refuse_stale(plan, find_stale(plan, observed))


class Reads:
    """Reads that show one state after the other, the last one for ever; counts them."""

    def __init__(self, *states: dict[AssociationType, int]) -> None:
        self.count = 0
        self._states = states

    def __call__(self, directions: Sequence[Direction]) -> tuple[ObservedDirection, ...]:
        assert list(directions) == [CONTACTS_COMPANIES]
        self.count += 1
        return portal(self._states[min(self.count, len(self._states)) - 1]).directions


def test_the_portal_of_the_plan_is_accepted() -> None:
    """Whatever its account type says by now."""
    check_portal(planned(), Account(1234567, AccountType.SANDBOX))


def test_another_portal_is_refused() -> None:
    """Both numbers are told."""
    with pytest.raises(WrongPortal, match=r"portal 1234567.*portal 99"):
        check_portal(planned(), Account(99, AccountType.STANDARD))


def test_the_state_the_plan_was_made_from_is_fresh() -> None:
    """What the plan does not change may have changed."""
    check_fresh(planned(), portal(BEFORE))


def test_rows_without_a_limit_are_no_limit() -> None:
    """A null is as good as no row."""
    rows = portal(BEFORE).directions[0].limits
    null = ObservedDirection(CONTACTS_COMPANIES, (*rows, ObservedLimit(DECISION, None)))
    check_fresh(planned(), Observed(Account(1234567, AccountType.STANDARD), (null,)))


@pytest.mark.parametrize(
    ("now", "expected", "found"),
    [
        ({OBJECT: 5, BILLING: 3}, "1", "3"),
        ({OBJECT: 5}, "1", "no limit"),
        ({**BEFORE, DECISION: 4}, "no limit", "4"),
    ],
)
def test_a_changed_limit_is_stale(
    now: dict[AssociationType, int], expected: str, found: str
) -> None:
    """What the plan expects and what the portal shows, by name."""
    with pytest.raises(PlanRefused, match="1 of its 3 limits changed") as caught:
        check_fresh(planned(), portal(now))
    (detail,) = caught.value.details
    assert f"the plan expects {expected}, the portal shows {found}" in detail
    assert detail.startswith("contacts → companies, ")


def test_a_replayed_plan_is_told_apart() -> None:
    """The portal shows already what it would write."""
    with pytest.raises(PlanRefused) as caught:
        check_fresh(planned(), portal({OBJECT: 9, BILLING: 2, DECISION: 3}))
    assert caught.value.hint is not None
    assert "it was applied before" in caught.value.hint


def test_a_plan_applied_in_part_is_to_be_made_again() -> None:
    """The next plan has what is left."""
    with pytest.raises(PlanRefused) as caught:
        check_fresh(planned(), portal({OBJECT: 9, BILLING: 1}))
    assert caught.value.hint is not None
    assert "make the plan again" in caught.value.hint


def test_no_limit_has_words() -> None:
    """`None` is nothing to show a person."""
    assert (shown(None), shown(3)) == ("no limit", "3")


@pytest.mark.parametrize("before", [BILLING, DECISION])
def test_a_row_that_nobody_understands_is_stale(before: AssociationType) -> None:
    """Neither a limit that was known nor "no limit" still holds."""
    rows = tuple(row for row in portal(BEFORE).directions[0].limits if row.type != before)
    odd = UnknownRow(str(before.key), "the limit 0", before.key, before)
    seen = ObservedDirection(CONTACTS_COMPANIES, rows, unknown=(odd,))
    with pytest.raises(PlanRefused) as caught:
        check_fresh(planned(), Observed(Account(1234567, AccountType.STANDARD), (seen,)))
    (detail,) = caught.value.details
    assert "this version does not know the limit 0 of USER_DEFINED/" in detail


def test_a_row_without_its_label_still_shows_its_value() -> None:
    """A change names its type by ID: the label is not asked for."""
    nameless = (NamelessLimit(BILLING.key, 1),)
    seen = ObservedDirection(CONTACTS_COMPANIES, (ObservedLimit(OBJECT, 5),), nameless=nameless)
    check_fresh(planned(), Observed(Account(1234567, AccountType.STANDARD), (seen,)))


# ---------------------------------------------------------------- a claim about a person


def test_a_fresh_plan_costs_no_second_read() -> None:
    """Nobody is accused of anything."""
    reads = Reads(CHANGED)
    confirm_fresh(planned(), portal(BEFORE), reads, Settling(VirtualClock()))
    assert reads.count == 0


def test_that_somebody_changed_a_limit_needs_two_reads_that_agree() -> None:
    """They are the settling time apart."""
    clock, reads = VirtualClock(), Reads(CHANGED)
    begun = clock.monotonic()
    with pytest.raises(PlanRefused, match="stale"):
        confirm_fresh(planned(), portal(CHANGED), reads, Settling(clock, settle=2.0))
    assert (reads.count, clock.monotonic() - begun) == (1, 2.0)


def test_one_late_read_makes_no_plan_stale() -> None:
    """The next two agree that nothing has changed, and what they show is what counts."""
    clock, reads = VirtualClock(), Reads(BEFORE)
    found = confirm_fresh(planned(), portal(CHANGED), reads, Settling(clock, settle=2.0))
    assert found == portal(BEFORE)
    assert reads.count == 2


def test_reads_that_never_agree_refuse_nothing_and_write_nothing() -> None:
    """The portal is still settling: exit 1, once the time allowed is up."""
    clock, reads = VirtualClock(), Reads(*([BEFORE, CHANGED] * 20))
    with pytest.raises(PortalUnavailable, match="still settling") as caught:
        confirm_fresh(planned(), portal(CHANGED), reads, Settling(clock, 2.0, patience=10.0))
    assert (caught.value.exit_code, reads.count) == (1, 6)


def test_without_a_settling_time_one_read_decides() -> None:
    """`--settle 0`."""
    reads = Reads(BEFORE)
    with pytest.raises(PlanRefused, match="stale"):
        confirm_fresh(planned(), portal(CHANGED), reads, Settling(VirtualClock(), settle=0.0))
    assert reads.count == 0
