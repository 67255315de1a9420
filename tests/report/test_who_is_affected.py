"""How many records a lowered limit is about, in words: never more than HubSpot counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.model.limits import AssociationType
from reconciler.model.plan import Change, LimitUsage, Origin, Plan, UsageGap
from reconciler.report.view import USAGE_NEEDS_SCOPE, all_groups, sections
from tests.report.factory import COMPANIES, CONTACTS, DEALS, change, label, object_limit, plan

LOWERED = change(CONTACTS, COMPANIES, object_limit(), 10, 8)
USAGE = LimitUsage("0-1", "0-2", 10, 12, 40)


def with_usage(*changes: Change, usage: LimitUsage = USAGE) -> Plan:
    """A plan of these changes that knows the usage of contacts → companies."""
    return replace(plan(*changes), usage=(usage,))


def affected(of: Plan) -> dict[Change, str]:
    """What is said beside the changes of a plan that say anything."""
    rows = [row for group in all_groups(of) for row in group.rows]
    return {row.change: row.affected for row in rows if row.affected}


def words(one: Change, usage: LimitUsage = USAGE) -> str:
    """What is said beside the only change of a plan."""
    return affected(with_usage(one, usage=usage))[one]


def test_records_at_and_near_the_limit_are_counted() -> None:
    """In the words of the contract."""
    assert words(LOWERED) == "12 records at the present limit, 40 near it"
    one = replace(USAGE, at_limit=1, near_limit=0)
    assert words(LOWERED, one) == "1 record at the present limit, 0 near it"


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (None, "usage unknown: needs a crm.objects.*.read scope"),
        (UsageGap.NOT_OFFERED, "usage unknown: HubSpot does not offer it here"),
        (UsageGap.NO_ANSWER, "usage unknown: HubSpot did not answer"),
    ],
)
def test_unknown_usage_is_said_to_be_unknown(why: UsageGap | None, said: str) -> None:
    """Never as 0, and the scope is named only where it is the scope."""
    assert words(LOWERED, LimitUsage("0-1", "0-2", None, None, None, why)) == said


def test_why_usage_is_unknown_is_said_once() -> None:
    """Beside the first row of the report, since it holds for all; the others are unknown still."""
    lowered = [change(CONTACTS, each, object_limit(), 10, 8) for each in (COMPANIES, DEALS)]
    drifted = change(DEALS, CONTACTS, object_limit(), 10, 8, origin=Origin.DRIFT)
    unknown = (("0-1", "0-2"), ("0-1", "0-3"), ("0-3", "0-1"))
    usage = tuple(LimitUsage(*ids, None, None, None) for ids in unknown)
    found = sections(replace(plan(*lowered, drifted), usage=usage))
    said = [row.affected for each in found for row in each.rows]
    assert said == [USAGE_NEEDS_SCOPE, "usage unknown", "usage unknown"]


@pytest.mark.parametrize(
    ("type_", "before", "limit", "counts", "said"),
    [
        (label("Billing"), 5, 25, (12, 40), "{} (object limit 25)"),
        (label("Billing"), None, 25, (0, 0), "{} (object limit 25)"),
        (label("Billing"), 5, None, (12, 40), "{} (HubSpot's own: no object limit is set yet)"),
        (label("Billing"), 5, None, (0, 0), "no records counted: no object limit is set yet"),
        (object_limit(), None, 50_000, (0, 0), "no records counted: no object limit is set yet"),
        (object_limit(), None, 50_000, (1, 0), "{} (HubSpot's own: no object limit is set yet)"),
        (object_limit(), 10, 50_000, (12, 40), "{} (HubSpot counts against 50000)"),
        (object_limit(), 10, None, (12, 40), "{} (HubSpot counts against a limit of its own)"),
    ],
)
def test_it_is_said_which_limit_is_counted_against(
    type_: AssociationType,
    before: int | None,
    limit: int | None,
    counts: tuple[int, int],
    said: str,
) -> None:
    """HubSpot counts for the object limit alone: not by label, nor for a limit that is not yet set."""
    usage = LimitUsage("0-1", "0-2", limit, *counts)
    at, near = counts
    counted = f"{at} record{'' if at == 1 else 's'} at the present limit, {near} near it"
    assert words(change(CONTACTS, COMPANIES, type_, before, 2), usage) == said.format(counted)


@pytest.mark.parametrize("after", [None, 11])
def test_what_restricts_nobody_affects_nobody(after: int | None) -> None:
    """A limit that is raised or removed, beside one of the direction that is lowered."""
    relaxed = replace(LOWERED, after=after)
    lowered = change(CONTACTS, COMPANIES, label("Billing"), 5, 2)
    assert affected(with_usage(relaxed, lowered)).keys() == {lowered}


def test_a_plan_that_did_not_ask_says_nothing() -> None:
    """`--no-usage`: neither known nor unknown."""
    assert affected(plan(LOWERED)) == {}
    elsewhere = change(CONTACTS, DEALS, object_limit(3), 10, 8)
    assert affected(with_usage(LOWERED, elsewhere)).keys() == {LOWERED}


def test_a_direction_says_it_once_in_each_section() -> None:
    """Beside the object limit, or else beside the label that is lowered rather than newly set."""
    new = change(CONTACTS, COMPANIES, label("Admin", 27), None, 2)
    lowered = change(CONTACTS, COMPANIES, label("Billing", 28), 5, 2)
    drifted = replace(change(CONTACTS, COMPANIES, label("Buyer", 29), 7, 2), origin=Origin.DRIFT)
    for changes, speakers in (
        ((LOWERED, new, lowered, drifted), {LOWERED, drifted}),
        ((new, lowered, drifted), {lowered, drifted}),
        ((new,), {new}),
    ):
        assert affected(with_usage(*changes)).keys() == speakers
