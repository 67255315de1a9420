"""What differs between two plans of one portal, by DeepDiff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import deepdiff
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.limits import Place
from reconciler.model.plan import Change, Origin, Plan, Refusal, RefusalCode
from reconciler.model.since import Outline, Revision, Since
from reconciler.planning.order import order
from reconciler.planning.since import since, since_json
from tests.report.factory import (
    CAR,
    COMPANIES,
    CONTACTS,
    DEALS,
    PORTAL,
    change,
    label,
    object_limit,
    small_changes,
)
from tests.report.factory import plan as make_plan


def plan(*changes: Change, refusals: Sequence[Refusal] = ()) -> Plan:
    """A plan of the portal `production`."""
    made = make_plan(*changes, refusals=tuple(refusals))
    return replace(made, batches=order(made.changes))


def compared(earlier: Plan, now: Plan) -> Since:
    """What differs between complete plans."""
    return since(Outline.of(earlier), Outline.of(now))


LOWERED = change(CONTACTS, CAR, object_limit(5), 10, 8, origin=Origin.CONFIG)
GONE = change(CONTACTS, DEALS, label("Champion"), 20, None, origin=Origin.CONFIG)


def test_changes_are_keyed_by_their_id() -> None:
    """One limit more, one that is gone, one with another value, and one that is the same."""
    raised = change(CONTACTS, COMPANIES, object_limit(7), 5, 6, line=3)
    more = replace(raised, after=7)
    same = change(DEALS, CONTACTS, object_limit(9), None, 4)
    found = compared(plan(raised, GONE, same), plan(LOWERED, more, same))
    assert found == Since(added=(LOWERED,), gone=(GONE,), revised=(Revision(raised, more),))


def test_plans_that_share_no_change_are_compared_change_by_change() -> None:
    """DeepDiff's default reports two dictionaries without a common key as one replaced value."""
    found = compared(plan(GONE), plan(LOWERED))
    assert (found.added, found.gone) == ((LOWERED,), (GONE,))


def test_a_first_and_a_last_change_are_found() -> None:
    """One plan is empty."""
    assert compared(plan(), plan(LOWERED)) == Since(added=(LOWERED,))
    assert compared(plan(LOWERED), plan()) == Since(gone=(LOWERED,))


def test_an_id_that_begins_with_two_underscores_counts() -> None:
    """DeepDiff ignores such keys unless it is asked not to."""
    strange = replace(CAR, name="__car")
    here = change(strange, CONTACTS, object_limit(5), 10, 8)
    assert compared(plan(), plan(here)).added == (here,)
    assert len(compared(plan(here), plan(replace(here, after=7))).revised) == 1


def test_what_no_digest_covers_is_no_difference() -> None:
    """Times, commits, lines, reasons, warnings and the words of a threshold."""
    many = Refusal(RefusalCode.MAX_CHANGES, "501 changes, 500 are allowed")
    before = plan(LOWERED, refusals=[many])
    moved = replace(LOWERED, source=Place("b.yaml", 3, 1), reason="because")
    now = replace(
        plan(moved, refusals=[replace(many, message="502 changes, 500 are allowed")]),
        created_at="2027-01-01T00:00:00Z",
        warnings=("look",),
        portal=replace(PORTAL, name="other", base_url="https://other"),
    )
    assert before.digest == now.digest
    assert compared(before, now).is_empty


def test_another_origin_is_a_difference_of_its_own() -> None:
    """Nobody has to approve again, and a reviewer wants to know that somebody else changed it."""
    conflict = replace(LOWERED, origin=Origin.CONFLICT)
    assert compared(plan(LOWERED), plan(conflict)) == Since(moved=(Revision(LOWERED, conflict),))


def test_a_plan_with_a_base_differs_from_none_without_one_by_that_alone() -> None:
    """Without a base no change has an origin: nothing has moved."""
    assert compared(plan(replace(LOWERED, origin=None)), plan(LOWERED)).is_empty


def test_protection_is_a_difference() -> None:
    """It is under the digest."""
    protected = replace(LOWERED, protected=True)
    assert compared(plan(LOWERED), plan(protected)).revised == (Revision(LOWERED, protected),)


def test_refusals_differ_by_what_they_are_about() -> None:
    """By the change, or by their words where they are about no change."""
    refusal = partial(Refusal, RefusalCode.VANISHED)
    one, two = refusal("no label A"), refusal("no label B")
    protected = Refusal(RefusalCode.PROTECTED, "is protected", LOWERED.id)
    found = compared(plan(refusals=[one]), plan(refusals=[one, two, protected]))
    assert found == Since(refused=(two, protected))
    assert compared(plan(refusals=[one, two]), plan(refusals=[one])).no_longer_refused == (two,)


def test_another_destination_is_said() -> None:
    """A portal and an API version are under the digest."""
    now = plan(LOWERED)
    there = replace(now, portal=replace(PORTAL, portal_id=7, api_version="v4"))
    found = compared(now, there)
    assert found == Since(portal_id=(1234567, 7), api_version=("2026-03", "v4"))


@given(st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3)), st.booleans())
def test_equal_digests_are_no_difference_and_others_are_one(
    before: set[int], after: set[int], protected: bool
) -> None:
    """Whatever is under the digest is compared."""
    changes = small_changes()
    first = plan(*(changes[at] for at in sorted(before)))
    second = plan(*(replace(changes[at], protected=protected) for at in sorted(after)))
    assert compared(first, second).is_empty is (first.digest == second.digest)


def test_the_same_plan_does_not_call_deepdiff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its import takes longer than the rest of the command."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("nothing differs")

    monkeypatch.setattr(deepdiff, "DeepDiff", never)
    assert compared(plan(*small_changes()), plan(*small_changes())).is_empty


def test_it_is_deepdiff_that_finds_the_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its tree does not have is no difference."""
    monkeypatch.setattr(deepdiff, "DeepDiff", lambda *_, **__: {})
    assert compared(plan(GONE), plan(LOWERED)).is_empty


def test_the_json_has_changes_as_plans_have_them() -> None:
    """And both sides of what differs."""
    earlier, now = plan(GONE, LOWERED), plan(replace(LOWERED, after=7))
    document = since_json(compared(earlier, now), earlier, now)
    assert document["digest"] == earlier.digest
    assert document["same_digest"] is False
    assert [each["label"] for each in document["gone"]] == ["Champion"]  # type: ignore[attr-defined]
    (revised,) = document["revised"]  # type: ignore[misc]
    assert (revised["was"]["after"], revised["now"]["after"]) == (8, 7)  # type: ignore[has-type]
    assert document["refusals"] == {"added": [], "gone": []}
