"""Four values per limit: the merge base, the head, the tip of the target branch, the portal."""

from __future__ import annotations

import itertools

import pytest

from reconciler.errors import ConfigurationInvalid
from reconciler.model.limits import AssociationType, Label, ResolvedDirection, TypeKey
from reconciler.model.plan import Change, Origin, Plan, RefusalCode, Summary
from reconciler.planning.origin import Behind, Declared, History, Past, moved_on, origin
from tests.planning.factory import (
    BILLING,
    COMPANIES_CONTACTS,
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

CONFIG, DRIFT, CONFLICT, BEHIND = Origin.CONFIG, Origin.DRIFT, Origin.CONFLICT, Behind()
NONE = Declared(None)
UNNAMED = Declared(None, named=False)


def said(value: int | Declared | None) -> Declared | None:
    """A number as a declaration."""
    return Declared(value) if isinstance(value, int) else value


@pytest.mark.parametrize(
    ("base", "head", "tip", "observed", "expected"),
    [
        # The table of the contract: merge base, head, tip, portal.
        (1, 2, 1, 1, CONFIG),
        (1, 1, 1, 3, DRIFT),
        (1, 2, 1, 3, CONFLICT),
        (1, 1, 3, 3, BEHIND),
        # REF has not moved on: three values.
        (1, 1, 1, None, DRIFT),
        (1, NONE, 1, 1, CONFIG),
        (1, NONE, 1, 3, CONFLICT),
        (NONE, 2, NONE, None, CONFIG),
        (NONE, NONE, NONE, 4, DRIFT),
        (UNNAMED, UNNAMED, UNNAMED, 4, DRIFT),
        (None, 2, None, 7, CONFIG),
        # REF moved on and this branch did not touch the limit: its value is old.
        (1, 1, 3, 4, BEHIND),
        (1, 1, 3, None, BEHIND),
        (1, 1, NONE, None, BEHIND),
        (1, 1, None, None, BEHIND),
        (1, 1, None, 4, BEHIND),
        (NONE, NONE, 3, 3, BEHIND),
        (NONE, NONE, None, 3, BEHIND),
        (UNNAMED, UNNAMED, 3, 3, BEHIND),
        (UNNAMED, UNNAMED, 3, 5, BEHIND),
        (UNNAMED, UNNAMED, None, 3, BEHIND),
        # ... and leaves out a limit that it cannot know.
        (None, UNNAMED, 3, 3, BEHIND),
        (None, UNNAMED, 3, 5, BEHIND),
        # REF moved on and so did this branch: the portal has what one of them said.
        (1, 2, 3, 1, CONFIG),
        (1, 2, 3, 3, CONFIG),
        (1, UNNAMED, 3, 3, CONFIG),
        (1, NONE, 3, 1, CONFIG),
        (1, 2, None, None, CONFIG),
        (1, 2, NONE, None, CONFIG),
        (None, 2, 3, 3, CONFIG),
        (None, 2, 3, 4, CONFIG),
        # ... or something that neither did.
        (1, 2, 3, 4, CONFLICT),
        (1, 2, 2, 4, CONFLICT),
        (1, 2, None, 4, CONFLICT),
        # Both made the same change, which is not applied yet.
        (1, 2, 2, 1, CONFIG),
        (1, NONE, None, 1, CONFIG),
    ],
)
def test_who_moved_a_limit(
    base: int | Declared | None,
    head: int | Declared,
    tip: int | Declared | None,
    observed: int | None,
    expected: Origin | Behind,
) -> None:
    """Every combination that differs in what is said of it."""
    now = said(head)
    assert now is not None
    assert origin(said(base), now, said(tip), observed) == expected


VALUES: tuple[Declared | None, ...] = (Declared(1), Declared(2), Declared(3), NONE, UNNAMED, None)


def test_what_holds_for_every_combination() -> None:
    """A value of the base or the tip is nobody's drift, and an old value is never written."""
    for base, head, tip in itertools.product(VALUES, VALUES, VALUES):
        for observed in (1, 2, 3, 4, None):
            if head is None or head.max == observed:
                continue
            found = origin(base, head, tip, observed)
            declared_there = [each.max for each in (base, tip) if each is not None]
            if observed in declared_there:
                assert found in (CONFIG, BEHIND)
            if found is DRIFT:
                assert not moved_on(base, tip)
                assert base is not None
                assert base.max == head.max
            if base is not None and base.max == head.max and moved_on(base, tip):
                assert found == BEHIND
            if not moved_on(base, tip):
                assert found != BEHIND


# ---------------------------------------------------------------- in a plan


def values(made: Plan) -> list[tuple[str, int | None, int | None, Origin | None]]:
    """Type, before, after and origin of every change."""
    return [(str(each.type), each.before, each.after, each.origin) for each in made.changes]


def four(
    base: ResolvedDirection,
    head: ResolvedDirection,
    tip: ResolvedDirection | None,
    observed: dict[AssociationType, int],
) -> Plan:
    """The plan of one direction; `tip` None: the target branch no longer declares it."""
    return plan(head, observed, base=[base], tip=[] if tip is None else [tip])


def test_a_branch_that_is_behind_leaves_its_old_limits_out() -> None:
    """The warning says what the target branch has, and what to do; other limits are planned."""
    old = declared(limit(BILLING, 1), limit(DECISION, 4))
    head = declared(limit(BILLING, 1), limit(DECISION, 5))
    tip = declared(limit(BILLING, 3), limit(DECISION, 4))
    made = four(old, head, tip, {BILLING: 3, DECISION: 4})
    assert values(made) == [("Decision maker", 4, 5, CONFIG)]
    assert made.summary.unchanged == 1
    (warning,) = [each for each in made.warnings if "Billing contact" in each]
    assert "left out of the plan: main sets 3" in warning
    assert "merge or rebase main" in warning


def test_a_plan_without_changes_says_what_it_did_not_compare() -> None:
    """Its last line says that the portal matches, so the last warning says where it may not."""
    old = declared(limit(OBJECT, 9), limit(BILLING, 1))
    tip = declared(limit(OBJECT, 9), limit(BILLING, 3))
    behind = four(old, old, tip, {OBJECT: 9, BILLING: 3})
    assert not behind.changes
    assert behind.warnings[-1] == (
        "nothing else differs, but 1 limit left out for the reasons above may: this plan does not "
        "say that the portal matches the configuration there"
    )
    assert len(behind.warnings) == 2
    with_a_change = four(old, declared(limit(OBJECT, 10), limit(BILLING, 1)), tip, {OBJECT: 9})
    assert with_a_change.changes
    assert not any("nothing else differs" in each for each in with_a_change.warnings)
    assert four(old, old, old, {OBJECT: 9, BILLING: 1}).warnings == ()


def test_what_the_target_branch_added_is_not_deleted() -> None:
    """The head declares the direction and does not name the limit, which it cannot know."""
    old = declared(limit(OBJECT, 5))
    tip = declared(limit(OBJECT, 5), limit(BILLING, 2))
    assert not four(old, old, tip, {OBJECT: 5, BILLING: 2}).changes
    new = plan(old, {OBJECT: 5, BILLING: 2}, base=[], tip=[tip])
    assert not new.changes


def test_what_the_target_branch_removed_is_not_set_again() -> None:
    """A limit, and the whole direction."""
    old = declared(limit(OBJECT, 5), limit(BILLING, 2))
    assert not four(old, old, declared(limit(OBJECT, 5)), {OBJECT: 5}).changes
    assert not four(old, old, None, {}).changes


@pytest.mark.parametrize(
    ("base", "observed", "expected"),
    [(None, 7, CONFIG), (5, 5, CONFIG), (5, 7, None)],
)
def test_a_target_branch_that_cannot_be_read(
    base: int | None, observed: int, expected: Origin | None
) -> None:
    """The merge base alone tells only what this branch began, or changed from what is there."""
    past = [] if base is None else [declared(limit(BILLING, base))]
    made = make(
        [declared(limit(BILLING, 2))],
        portal({BILLING: observed}),
        history=History(Past(tuple(past)), Past((), complete=False), "main"),
    )
    assert [each.origin for each in made.changes] == [expected]
    assert not any("main" in each for each in made.warnings)


def test_a_merge_base_that_cannot_be_read() -> None:
    """Nothing has an origin, and nothing is said of what the target branch does."""
    made = make(
        [declared(limit(BILLING, 2))],
        portal({BILLING: 7}),
        history=History(Past((), complete=False), Past((declared(limit(BILLING, 3)),)), "main"),
    )
    assert [each.origin for each in made.changes] == [None]
    assert not any("main" in each for each in made.warnings)


def test_what_only_this_branch_changes_needs_no_word_about_the_target_branch() -> None:
    """Which has moved on elsewhere."""
    old = declared(limit(OBJECT, 9), limit(BILLING, 1))
    made = four(
        old,
        declared(limit(OBJECT, 9), limit(BILLING, 2)),
        declared(limit(OBJECT, 8), limit(BILLING, 1)),
        {OBJECT: 8, BILLING: 1},
    )
    assert values(made) == [("Billing contact", 1, 2, CONFIG)]
    assert [each for each in made.warnings if "main" in each and "Billing" in each] == []


def test_what_neither_of_two_new_declarations_names_goes() -> None:
    """Both branches declare the direction anew, and a declaration is the whole truth."""
    new = declared(limit(OBJECT, 5))
    made = plan(new, {OBJECT: 5, BILLING: 2}, base=[], tip=[new])
    assert values(made) == [("Billing contact", 2, None, CONFIG)]


@pytest.mark.parametrize(
    ("tip", "words"),
    [
        (declared(limit(OBJECT, 9)), "main no longer names it"),
        (declared(limit(OBJECT, 9), limit(BILLING, None)), "main sets no limit"),
        (declared(limit(OBJECT, 9), limit(BILLING, 4)), "main sets 4"),
        (None, "main no longer declares it"),
    ],
)
def test_the_warning_says_what_the_target_branch_does(
    tip: ResolvedDirection | None, words: str
) -> None:
    """Names the limit no more, lifts it, sets another, or declares the direction no more."""
    old = declared(limit(OBJECT, 9), limit(BILLING, 2))
    made = four(old, old, tip, {OBJECT: 9, BILLING: 3})
    assert any(words in each for each in made.warnings if '"Billing contact"' in each)


def test_what_both_branches_removed_goes() -> None:
    """It is in the portal still: nobody has applied it yet."""
    old = declared(limit(OBJECT, 5), limit(BILLING, 2))
    new = declared(limit(OBJECT, 5))
    assert values(four(old, new, new, {OBJECT: 5, BILLING: 2})) == [
        ("Billing contact", 2, None, CONFIG)
    ]


def test_both_branches_change_a_limit() -> None:
    """What this branch wants is planned, and a warning says that they will conflict."""
    made = four(
        declared(limit(BILLING, 1)),
        declared(limit(BILLING, 2)),
        declared(limit(BILLING, 3)),
        {BILLING: 3},
    )
    assert values(made) == [("Billing contact", 3, 2, CONFIG)]
    assert any("main sets 3" in each and "changed by this branch" in each for each in made.warnings)


def test_a_limit_that_does_not_fit_beside_one_left_out_is_left_out_too() -> None:
    """HubSpot's rule would refuse it; it is no mistake in the file."""
    made = four(
        declared(limit(OBJECT, 9), limit(BILLING, 1)),
        declared(limit(OBJECT, 3), limit(BILLING, 1)),
        declared(limit(OBJECT, 9), limit(BILLING, 5)),
        {OBJECT: 9, BILLING: 5},
    )
    assert not made.changes
    assert sum("left out of the plan" in each for each in made.warnings) == 2
    assert sum("does not fit a limit of main" in each for each in made.warnings) == 1


def test_a_removed_direction_that_the_target_branch_changed() -> None:
    """The removal is planned as this branch's, and the warning says what else there is."""
    other = declared(limit(BILLING, 1), direction=COMPANIES_CONTACTS)
    seen = portal({BILLING: 3})
    both = type(seen)(
        seen.account,
        (
            *seen.directions,
            *portal({BILLING: 1}, direction=COMPANIES_CONTACTS).directions,
        ),
    )
    made = make(
        [other],
        both,
        history=history([declared(limit(BILLING, 1)), other], [declared(limit(BILLING, 3)), other]),
    )
    assert values(made) == [("Billing contact", 3, None, CONFIG)]
    assert any("main sets 3" in each for each in made.warnings)


# ---------------------------------------------------------------- what cannot be read


def incomplete(
    base: list[ResolvedDirection],
    tip: list[ResolvedDirection] | None = None,
    *,
    observed: int = 7,
) -> Change:
    """The change of `Billing contact` to 2 where part of the past cannot be read."""
    past = history(base, tip, complete=False)
    if tip is not None:
        past = type(past)(history(base).base, history(tip, complete=False).base, "main")
    made = make([declared(limit(BILLING, 2))], portal({BILLING: observed}), history=past)
    (change,) = made.changes
    return change


def test_what_cannot_be_read_at_the_base_makes_no_origin() -> None:
    """What a readable file declares has one."""
    assert incomplete([]).origin is None
    assert incomplete([declared(limit(BILLING, 2))]).origin is DRIFT


def test_what_cannot_be_read_at_the_tip_makes_no_drift() -> None:
    """Somebody's commit may have set it; what the base explains is still explained."""
    assert incomplete([declared(limit(BILLING, 2))], []).origin is None
    assert incomplete([declared(limit(BILLING, 1))], [], observed=1).origin is CONFIG


# ---------------------------------------------------------------- what the portal no longer has

RENAMED = AssociationType(BILLING.key, "Invoice contact")


def renamed(
    head: ResolvedDirection,
    base: ResolvedDirection | None,
    tip: ResolvedDirection | None = None,
) -> Plan:
    """The plan where "Billing contact" is "Invoice contact" in HubSpot; another direction is fine."""
    other = declared(limit(DECISION, 2), direction=COMPANIES_CONTACTS)
    seen = portal({OBJECT: 5, RENAMED: 2}, labels=(OBJECT, RENAMED, DECISION))
    both = type(seen)(
        seen.account,
        (*seen.directions, *portal({DECISION: 1}, direction=COMPANIES_CONTACTS).directions),
    )
    past = None
    if base is not None:
        past = history([base, other], None if tip is None else [tip, other])
    return make([head, other], both, history=past)


def test_a_label_that_is_gone_from_the_portal_is_drift() -> None:
    """The plan is refused with the nearest label; nothing is removed; the rest is compared."""
    names = declared(limit(OBJECT, 4), limit(BILLING, 2, line=6))
    made = renamed(names, names)
    assert values(made) == [("Decision maker", 1, 2, DRIFT)]
    assert made.summary == Summary(update=1, unmanaged=2)
    (refusal,) = made.refusals
    assert (refusal.code, refusal.change) == (RefusalCode.VANISHED, None)
    assert not refusal.overridden_by_force
    assert "drift" in refusal.message
    assert '"Billing contact"' in refusal.message
    assert '"Invoice contact"' in refusal.message
    assert refusal.source is not None
    assert refusal.source.line == 6


def test_a_type_that_is_gone_from_the_portal_is_drift() -> None:
    """Named by its ID."""
    names = declared(limit(by_id(TypeKey(BILLING.key.category, 999)), 2))
    (refusal,) = renamed(names, names).refusals
    assert refusal.code is RefusalCode.VANISHED


def test_a_label_that_this_branch_is_the_first_to_name_is_a_mistake() -> None:
    """With a base that does not name it, and without one."""
    names = declared(limit(OBJECT, 5), limit(BILLING, 2))
    for base in (declared(limit(OBJECT, 5)), None):
        with pytest.raises(ConfigurationInvalid) as caught:
            renamed(names, base)
        assert [each.code for each in caught.value.diagnostics] == ["label-unknown"]


def test_another_mistake_beside_a_label_that_is_gone_is_a_mistake() -> None:
    """Exit 3, as ever."""
    base = declared(limit(BILLING, 2))
    with pytest.raises(ConfigurationInvalid) as caught:
        renamed(declared(limit(BILLING, 2), limit(Label("Owner of nothing"), 1)), base)
    assert [each.code for each in caught.value.diagnostics] == ["label-unknown"]


def test_a_label_that_the_target_branch_renamed_too_is_left_out() -> None:
    """The branch is behind: no refusal, and nothing removed."""
    old = declared(limit(OBJECT, 5), limit(BILLING, 2))
    new = declared(limit(OBJECT, 5), limit(RENAMED, 2))
    made = renamed(old, old, new)
    assert values(made) == [("Decision maker", 1, 2, DRIFT)]
    assert not made.refusals
    assert any("merge or rebase main" in each for each in made.warnings)
    assert not renamed(new, old, new).refusals
