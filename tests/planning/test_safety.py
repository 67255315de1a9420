"""What makes a plan unsafe: protection against loosening in passing, and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.errors import PlanRefused
from reconciler.model.limits import AssociationType, Category, DesiredLimit, Safety, TypeKey
from reconciler.model.plan import Origin, Plan, Refusal, RefusalCode
from reconciler.planning.safety import (
    Named,
    check_safe,
    judge,
    named_limits,
    too_many_deletes_possible,
)
from tests.planning.factory import (
    BILLING,
    COMPANIES_CONTACTS,
    CONTACTS_COMPANIES,
    DECISION,
    OBJECT,
    by_id,
    declared,
    history,
    limit,
    make,
    plan,
    portal,
)

UNSAID = "unsaid"
"""The side of a plan that does not name the limit at all."""

Said = int | None | str


def named(said: Said, *, protect: bool) -> list[DesiredLimit]:
    """How one side of a plan names `Billing contact`."""
    return [] if isinstance(said, str) else [limit(BILLING, said, protect=protect)]


def refused(made: Plan) -> bool:
    """Whether a plan refuses to be applied for a protected limit, and for nothing else."""
    assert {each.code for each in made.refusals} <= {RefusalCode.PROTECTED}
    return bool(made.refusals)


# ---------------------------------------------------------------- protection


@pytest.mark.parametrize(
    ("base", "head", "observed", "expected"),
    [
        # the configuration lowers or removes: refused
        (5, 3, 5, True),
        (5, None, 5, True),
        (5, UNSAID, 5, True),
        (None, 4, None, True),
        # so it does although somebody changed the limit in HubSpot, too
        (5, 3, 9, True),
        (5, 3, 4, True),
        (5, 3, None, True),
        (5, UNSAID, 2, True),
        # the configuration raises
        (5, 7, 5, False),
        (5, 7, 9, False),
        # the configuration stays: what somebody set in HubSpot is put back, whatever it is
        (2, 2, 3, False),
        (2, 2, 1, False),
        (2, 2, None, False),
        (None, None, 4, False),
        # first named here
        (UNSAID, 2, None, False),
        # nothing is left to do
        (5, 3, 3, False),
    ],
)
@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "taken-off"])
def test_protection_is_against_the_configuration_being_loosened(
    base: Said, head: Said, observed: int | None, expected: bool, keeps: bool
) -> None:
    """With a base: lowered, removed, no longer named, `protect` kept or taken off in passing."""
    made = plan(
        declared(limit(OBJECT, 9), *named(head, protect=keeps)),
        {OBJECT: 9} | ({} if observed is None else {BILLING: observed}),
        base=[declared(limit(OBJECT, 9), *named(base, protect=True))],
    )
    assert refused(made) is expected


@pytest.mark.parametrize(
    ("base", "head", "observed", "expected"),
    [(5, 3, 5, True), (5, 7, 5, False), (2, 2, 3, False), (UNSAID, 3, None, False)],
)
def test_a_limit_that_is_newly_protected_is_not_lowered_in_the_same_change(
    base: Said, head: Said, observed: int | None, expected: bool
) -> None:
    """The head's `protect` counts as much as the base's."""
    made = plan(
        declared(*named(head, protect=True)),
        {} if observed is None else {BILLING: observed},
        base=[declared(*named(base, protect=False))],
    )
    assert refused(made) is expected


def test_a_removed_file_does_not_remove_a_protected_limit() -> None:
    """The direction is declared at the base only."""
    made = make(
        [declared(limit(BILLING, 1), direction=COMPANIES_CONTACTS)],
        replace(
            portal({BILLING: 5}),
            directions=(
                *portal({BILLING: 5}).directions,
                *portal({BILLING: 1}, direction=COMPANIES_CONTACTS).directions,
            ),
        ),
        history=history([declared(limit(BILLING, 5, protect=True))]),
    )
    assert refused(made)


def test_without_a_base_a_lower_value_is_refused_and_the_way_out_is_named() -> None:
    """Whether the files or HubSpot moved is unknown: the message says to plan with --base."""
    for after in (None, 3):
        made = plan(declared(limit(BILLING, after, protect=True)), {BILLING: 5})
        assert refused(made)
        (refusal,) = made.refusals
        assert "--base" in refusal.message
        assert refusal.change == made.changes[0].id
        assert not refusal.overridden_by_force
    assert not refused(plan(declared(limit(BILLING, 6, protect=True)), {BILLING: 5}))
    assert not refused(plan(declared(limit(BILLING, 6, protect=True)), {}))


def test_a_change_says_whether_its_limit_is_protected() -> None:
    """Here or at the base; also where nothing is refused."""
    for head, base in ((True, False), (False, True), (False, False)):
        made = plan(
            declared(limit(BILLING, 6, protect=head)),
            {BILLING: 5},
            base=[declared(limit(BILLING, 5, protect=base))],
        )
        assert [each.protected for each in made.changes] == [head or base]
        assert not made.refusals


@pytest.mark.parametrize(("head", "expected"), [(3, True), (UNSAID, True), (7, False)])
def test_what_the_target_branch_protects_meanwhile_is_not_loosened(
    head: Said, expected: bool
) -> None:
    """Protection merged since this branch began counts as much as that of the merge base."""
    made = plan(
        declared(limit(OBJECT, 9), *named(head, protect=False)),
        {OBJECT: 9, BILLING: 5},
        base=[declared(limit(OBJECT, 9), *named(5, protect=False))],
        tip=[declared(limit(OBJECT, 9), *named(5, protect=True))],
    )
    assert refused(made) is expected


def test_taking_protection_off_in_passing_is_said() -> None:
    """The refusal names it, and the value the base protects."""
    made = plan(
        declared(limit(BILLING, 3)),
        {BILLING: 9},
        base=[declared(limit(BILLING, 5, protect=True))],
    )
    (refusal,) = made.refusals
    assert refusal.message == (
        '"Billing contact" of contacts → companies is protected at 5; this plan would lower it '
        "to 3, and protect was taken off in the same change"
    )


# ---------------------------------------------------------------- a plan held against files


def reviewed(origin: Origin | None, *, protected: bool = False) -> Plan:
    """A plan that lowers `Billing contact` from 5 to 3, stating no refusal."""
    made = plan(declared(limit(BILLING, 3)), {BILLING: 5})
    (change,) = made.changes
    return replace(made, changes=(replace(change, origin=origin, protected=protected),))


def held(made: Plan, head: Sequence[DesiredLimit], base: Sequence[DesiredLimit] = ()) -> bool:
    """Whether the plan is refused when held against these files at hand."""
    key = CONTACTS_COMPANIES.key
    files = named_limits(
        made.changes,
        portal({BILLING: 5}),
        head={key: declared(*head)},
        base={key: declared(*base)} if base else {},
    )
    found = judge(made, Safety(), observed=1, named=files, force=True)
    assert {each.code for each in found} <= {RefusalCode.PROTECTED}
    return bool(found)


def test_the_files_at_hand_protect_what_a_plan_says_is_not() -> None:
    """A plan file with `protected` cut out is still refused, forced or not."""
    assert held(reviewed(None), [limit(BILLING, 5, protect=True)])
    assert held(reviewed(Origin.CONFIG), [limit(BILLING, 3, protect=True)])
    assert not held(reviewed(None), [limit(BILLING, 5)])
    assert not held(reviewed(None), [])


def test_a_claim_of_drift_counts_only_where_the_files_want_the_same_value() -> None:
    """The files want 3, HubSpot has 5: plausible. The files want 5: it is no drift."""
    assert not held(reviewed(Origin.DRIFT), [limit(BILLING, 3, protect=True)])
    assert held(reviewed(Origin.DRIFT), [limit(BILLING, 5, protect=True)])


def test_the_base_at_hand_knows_what_drift_is() -> None:
    """With the base at hand nobody's claim is needed."""
    protecting = limit(BILLING, 5, protect=True)
    assert held(reviewed(Origin.DRIFT), [limit(BILLING, 3)], [protecting])
    assert held(reviewed(Origin.DRIFT), [limit(BILLING, 3, protect=True)], [limit(BILLING, 5)])
    assert not held(reviewed(None), [limit(BILLING, 3)], [limit(BILLING, 3, protect=True)])


def test_a_label_of_two_types_protects_both() -> None:
    """What cannot be told apart is not let through."""
    twin = AssociationType(TypeKey(Category.HUBSPOT_DEFINED, 900), "Billing contact")
    key = CONTACTS_COMPANIES.key
    made = reviewed(None)
    files = named_limits(
        made.changes,
        portal({BILLING: 5}, labels=(BILLING, twin)),
        head={key: declared(limit(BILLING, 5, protect=True))},
        base={},
    )
    assert files == {made.changes[0].id: Named(limit(BILLING, 5, protect=True))}


def test_only_the_limit_that_is_protected_is() -> None:
    """Not its neighbours, and not only in the first direction that changes."""
    back = declared(limit(BILLING, 2), direction=COMPANIES_CONTACTS)
    there = declared(limit(OBJECT, 7), limit(BILLING, 3, protect=True))
    observed = portal({OBJECT: 8, BILLING: 5})
    read = (*observed.directions, *portal({BILLING: 3}, direction=COMPANIES_CONTACTS).directions)
    made = make([back, there], replace(observed, directions=read))
    assert {each.id: each.protected for each in made.changes} == {
        "companies>contacts/USER_DEFINED/28": False,
        "contacts>companies/HUBSPOT_DEFINED/279": False,
        "contacts>companies/USER_DEFINED/28": True,
    }
    assert [each.change for each in made.refusals] == ["contacts>companies/USER_DEFINED/28"]


def test_of_two_names_for_one_type_the_protected_one_counts() -> None:
    """A label that could mean two types may not hide the protection of one of them."""
    twin = AssociationType(TypeKey(Category.HUBSPOT_DEFINED, 900), "Billing contact")
    made, key = reviewed(None), CONTACTS_COMPANIES.key
    protecting = limit(by_id(BILLING.key), 5, protect=True)
    files = named_limits(
        made.changes,
        portal({BILLING: 5}, labels=(BILLING, twin)),
        head={key: declared(limit(BILLING, 5), protecting)},
        base={},
    )
    assert files == {made.changes[0].id: Named(protecting)}


def test_what_a_plan_says_of_protection_holds_without_files_too() -> None:
    """And files that want another value deny the drift that it claims, protecting or not."""
    said = reviewed(None, protected=True)
    assert [each.code for each in judge(said, Safety(), observed=1)] == [RefusalCode.PROTECTED]
    assert not judge(reviewed(Origin.DRIFT, protected=True), Safety(), observed=1)
    assert not held(reviewed(Origin.DRIFT, protected=True), [limit(BILLING, 3)])
    assert held(reviewed(Origin.DRIFT, protected=True), [limit(BILLING, 5)])


def test_a_protected_limit_behind_one_that_is_not_is_found() -> None:
    """Without files at hand the plan's own word counts, change by change."""
    made = plan(declared(limit(OBJECT, 8), limit(BILLING, 3)), {OBJECT: 9, BILLING: 5})
    first, second = made.changes
    said = replace(made, changes=(first, replace(second, protected=True)))
    assert [each.change for each in judge(said, Safety(), observed=2)] == [second.id]


def test_only_where_the_origin_is_unknown_a_refusal_asks_for_a_base() -> None:
    """Neither where the plan knows who moved the limit, nor where the base is at hand."""
    (unknown,) = judge(reviewed(None, protected=True), Safety(), observed=1)
    assert "plan with --base REF" in unknown.message
    assert unknown.source == reviewed(None).changes[0].source is not None
    (known,) = judge(reviewed(Origin.CONFIG, protected=True), Safety(), observed=1)
    assert "--base" not in known.message
    made, key = reviewed(None, protected=True), CONTACTS_COMPANIES.key
    files = named_limits(
        made.changes, portal({BILLING: 5}), head={}, base={key: declared(limit(BILLING, 4))}
    )
    (with_base,) = judge(made, Safety(), observed=1, named=files)
    assert "is protected at 4; this plan would lower it to 3" in with_base.message
    assert "--base" not in with_base.message


def test_a_reason_that_a_plan_states_is_not_found_twice() -> None:
    """Judging again adds only what is new."""
    made = plan(declared(limit(BILLING, 3, protect=True)), {BILLING: 5})
    assert len(made.refusals) == 1
    assert judge(made, Safety(), observed=1) == made.refusals
    assert [each.code for each in judge(made, Safety(max_changes=0), observed=1)] == [
        RefusalCode.PROTECTED,
        RefusalCode.MAX_CHANGES,
    ]


def test_what_a_plan_states_stays_stated() -> None:
    """Whatever is found now, except that thresholds are overridden by force."""
    stated = (Refusal(RefusalCode.PROTECTED, "p", "id"), Refusal(RefusalCode.MAX_CHANGES, "c"))
    made = replace(plan(declared(limit(OBJECT, 9)), {OBJECT: 9}), refusals=stated)
    assert judge(made, Safety(), observed=1) == stated
    assert judge(made, Safety(), observed=1, force=True) == stated[:1]


# ---------------------------------------------------------------- thresholds


@pytest.mark.parametrize(
    ("safety", "code"),
    [
        (Safety(max_deletes=1), RefusalCode.MAX_DELETES),
        (Safety(max_changes=1), RefusalCode.MAX_CHANGES),
    ],
)
def test_a_plan_past_a_threshold_says_so(safety: Safety, code: RefusalCode) -> None:
    """The plan is made all the same."""
    made = plan(declared(limit(OBJECT, 9)), {OBJECT: 9, BILLING: 5, DECISION: 2}, safety=safety)
    assert [each.code for each in made.refusals] == [code]
    assert made.refusals[0].overridden_by_force
    assert made.summary.delete == 2


@pytest.mark.parametrize(
    ("safety", "refused_at_one_less"),
    [
        (Safety(max_deletes=2), Safety(max_deletes=1)),
        (Safety(max_changes=3), Safety(max_changes=2)),
        (Safety(max_delete_percent=20), Safety(max_delete_percent=19)),
    ],
)
def test_a_threshold_that_is_reached_is_not_passed(
    safety: Safety, refused_at_one_less: Safety
) -> None:
    """Two of ten limits removed and one raised."""
    values = dict.fromkeys(LABELS, 1)
    head = declared(limit(LABELS[2], 2), *(limit(type_, 1) for type_ in LABELS[3:]))
    assert plan(head, values, safety=safety).refusals == ()
    assert len(plan(head, values, safety=refused_at_one_less).refusals) == 1


def test_the_percentage_does_not_count_below_ten_limits() -> None:
    """All of nine limits may go."""
    assert plan(declared(), dict.fromkeys(LABELS[:9], 1)).refusals == ()
    assert len(plan(declared(), dict.fromkeys(LABELS[:10], 1)).refusals) == 1


LABELS = tuple(
    AssociationType(TypeKey(Category.USER_DEFINED, number), f"L{number}") for number in range(1, 11)
)


def test_the_percentage_counts_from_ten_limits_up() -> None:
    """One of two limits deleted is no alarm; four of ten are."""
    values = dict.fromkeys(LABELS, 1)
    keep = declared(*(limit(type_, 1) for type_ in LABELS[4:]))
    made = plan(keep, values)
    assert [each.code for each in made.refusals] == [RefusalCode.MAX_DELETE_PERCENT]
    keep_more = declared(*(limit(type_, 1) for type_ in LABELS[3:]))
    assert not plan(keep_more, values).refusals


@pytest.mark.parametrize(
    ("deletes", "at_least", "possible"),
    [(3, 3, False), (4, 4, True), (4, 13, True), (4, 14, False), (0, 0, False)],
)
def test_other_directions_are_counted_only_where_they_matter(
    deletes: int, at_least: int, possible: bool
) -> None:
    """More observed limits never bring a plan past the percentage, once ten are known."""
    made = plan(declared(), dict.fromkeys(LABELS[:deletes], 1))
    assert too_many_deletes_possible(made.changes, at_least, Safety()) is possible


# ---------------------------------------------------------------- the words of a refusal


def refusal(code: RefusalCode) -> Refusal:
    """A reason not to apply a plan."""
    return Refusal(code, f"because of {code}")


def test_a_safe_plan_passes() -> None:
    """No reason, no error; one reason is enough for one."""
    check_safe([])
    with pytest.raises(PlanRefused):
        check_safe([refusal(RefusalCode.MAX_CHANGES)])


def test_a_threshold_names_the_way_past_it() -> None:
    """`--force`, after a look."""
    with pytest.raises(PlanRefused) as caught:
        check_safe([refusal(RefusalCode.MAX_DELETES), refusal(RefusalCode.MAX_CHANGES)])
    assert caught.value.details == ("because of max_deletes", "because of max_changes")
    assert caught.value.hint is not None
    assert "`--force` overrides thresholds" in caught.value.hint


def test_a_reason_that_force_does_not_override_says_so() -> None:
    """Not even beside a threshold."""
    for others in ([], [refusal(RefusalCode.MAX_CHANGES)]):
        with pytest.raises(PlanRefused) as caught:
            check_safe([refusal(RefusalCode.VANISHED), *others])
        assert caught.value.hint == "`--force` overrides thresholds only"
    with pytest.raises(PlanRefused) as caught:
        check_safe([refusal(RefusalCode.MAX_CHANGES)])
    assert caught.value.hint == "look at the plan; `--force` overrides thresholds"


def test_protection_is_not_overridden() -> None:
    """Not even beside a threshold that is."""
    with pytest.raises(PlanRefused) as caught:
        check_safe([refusal(RefusalCode.MAX_DELETES), refusal(RefusalCode.PROTECTED)])
    assert caught.value.hint is not None
    assert "`--force` does not override it" in caught.value.hint
