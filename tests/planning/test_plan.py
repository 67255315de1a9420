"""Comparing desired with observed limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ConfigurationInvalid
from reconciler.model.limits import AssociationType, Category, Label, TypeKey, UnknownRow
from reconciler.model.plan import Action, Change, Origin, Plan, Summary
from reconciler.planning.plan import declared_directions
from tests.calls import calls
from tests.planning.factory import (
    BILLING,
    COMPANIES_CONTACTS,
    DECISION,
    OBJECT,
    PRIMARY,
    by_id,
    declared,
    history,
    limit,
    make,
    plan,
    portal,
)


def told(made: Plan) -> list[tuple[str, int | None, int | None]]:
    """Type, before and after of every change."""
    return [(str(each.type), each.before, each.after) for each in made.changes]


def only(made: Plan) -> Change:
    """The one change of a plan."""
    (change,) = made.changes
    return change


def test_create_update_and_delete() -> None:
    """A declared direction is the whole truth of that direction."""
    made = plan(
        declared(limit(OBJECT, 5, line=3), limit(BILLING, 2, line=5, reason="stand-in")),
        {OBJECT: 5, BILLING: 1, DECISION: 3},
    )
    assert told(made) == [("Billing contact", 1, 2), ("Decision maker", 3, None)]
    assert made.summary == Summary(create=0, update=1, delete=1, unchanged=1, unmanaged=0)
    update, delete = made.changes
    assert (update.source and update.source.line, update.reason) == (5, "stand-in")
    assert delete.source is not None
    assert delete.source.line == 1, "a limit that is left out is blamed on the declaration"


def test_what_hubspot_defines_under_a_label_is_left_alone() -> None:
    """`Primary` is touched only when the file names it."""
    made = plan(declared(limit(OBJECT, 5)), {OBJECT: 5, PRIMARY: 1})
    assert not made.changes
    assert made.summary.unmanaged == 1
    named = plan(declared(limit(OBJECT, 5), limit(PRIMARY, None)), {OBJECT: 5, PRIMARY: 1})
    assert told(named) == [("Primary", 1, None)]
    assert any("Primary" in warning for warning in named.warnings)


def test_a_plan_lists_directions_by_name_and_labels_behind_the_object_limit() -> None:
    """Labels by their text, whatever the order of the file and of their type IDs."""
    last = AssociationType(TypeKey(Category.USER_DEFINED, 1), "Zeta")
    types = (last, DECISION, BILLING, OBJECT)
    head = [
        declared(*(limit(type_, 1) for type_ in types)),
        declared(limit(BILLING, 1), direction=COMPANIES_CONTACTS),
    ]
    seen = portal({}, labels=types)
    other = portal({}, labels=types, direction=COMPANIES_CONTACTS)
    made = make(head, replace(seen, directions=(*seen.directions, *other.directions)))
    assert [(str(each.direction), str(each.type)) for each in made.changes] == [
        ("companies → contacts", "Billing contact"),
        ("contacts → companies", "object limit"),
        ("contacts → companies", "Billing contact"),
        ("contacts → companies", "Decision maker"),
        ("contacts → companies", "Zeta"),
    ]


def test_prune_false_keeps_what_the_file_does_not_name() -> None:
    """Such limits are unmanaged: counted, not touched."""
    made = plan(declared(limit(BILLING, 2), prune=False), {OBJECT: 5, BILLING: 2, DECISION: 1})
    assert not made.changes
    assert made.summary == Summary(unchanged=1, unmanaged=2)


def test_unlimited_removes_what_the_portal_has() -> None:
    """And asks for nothing where there is no limit."""
    assert told(plan(declared(limit(DECISION, None)), {DECISION: 3})) == [
        ("Decision maker", 3, None)
    ]
    assert not plan(declared(limit(DECISION, None), limit(OBJECT, None)), {}).changes


def test_a_new_limit_is_created() -> None:
    """`before` null says that there is none."""
    change = only(plan(declared(limit(BILLING, 1)), {}))
    assert (change.action, change.id) == (
        Action.CREATE,
        "contacts>companies/USER_DEFINED/28",
    )


def test_a_label_limit_above_a_limit_that_stays_is_the_files_error() -> None:
    """The rule is broken by what the portal keeps: the line says so before HubSpot does."""
    with pytest.raises(ConfigurationInvalid) as caught:
        plan(declared(limit(BILLING, 8, line=7), prune=False), {OBJECT: 5})
    (found,) = caught.value.diagnostics
    assert (found.code, found.place.line) == ("label-above-object-limit", 7)


def test_an_object_limit_below_an_unmanaged_label_limit_is_the_files_error() -> None:
    """`Primary` keeps its limit, so the object limit cannot go below it."""
    with pytest.raises(ConfigurationInvalid) as caught:
        plan(declared(limit(OBJECT, 2, line=3)), {OBJECT: 5, PRIMARY: 4})
    assert caught.value.diagnostics[0].place.line == 3


def test_a_label_limit_may_equal_the_object_limit() -> None:
    """HubSpot contradicts itself there, so neither side refuses it; one more is too many."""
    keeps = declared(limit(BILLING, 5, line=7), prune=False)
    assert told(plan(keeps, {OBJECT: 5})) == [("Billing contact", None, 5)]
    with pytest.raises(ConfigurationInvalid):
        plan(keeps, {OBJECT: 4})


def test_a_break_of_the_rule_says_which_of_the_two_limits_to_name() -> None:
    """The one that the file leaves out; where it names both, either may change."""
    name_it = "name the other limit too: the portal has it, the file does not mention it"
    for head, values, expected in (
        (declared(limit(BILLING, 8), prune=False), {OBJECT: 5}, name_it),
        (declared(limit(OBJECT, 2), prune=False), {BILLING: 5}, name_it),
        (declared(limit(OBJECT, 2), limit(BILLING, 5)), {}, "change one of the two, or name both"),
    ):
        with pytest.raises(ConfigurationInvalid) as caught:
            plan(head, values)
        assert [each.hint for each in caught.value.diagnostics] == [expected]


SECOND_OBJECT = AssociationType(TypeKey(Category.INTEGRATOR_DEFINED, 279), None)


def test_the_lowest_of_several_object_limits_caps_the_labels() -> None:
    """And caps no other object limit."""
    head = declared(limit(by_id(OBJECT.key), 9), limit(by_id(SECOND_OBJECT.key), 5))
    types = (OBJECT, SECOND_OBJECT, BILLING)
    assert len(make([head], portal({}, labels=types)).changes) == 2
    for value in (5, 6, 9):
        labelled = declared(*head.limits, limit(BILLING, value))
        if value == 5:
            assert len(make([labelled], portal({}, labels=types)).changes) == 3
            continue
        with pytest.raises(ConfigurationInvalid) as caught:
            make([labelled], portal({}, labels=types))
        (found,) = caught.value.diagnostics
        assert found.message == (
            f'limit {value} of label "Billing contact" would be above the object limit 5 of '
            "contacts → companies, which HubSpot refuses"
        )


def test_an_unmanaged_break_of_the_rule_is_nobodys_error() -> None:
    """What the portal has and the file does not touch is not the file's to mend."""
    made = plan(declared(limit(DECISION, 1), prune=False), {OBJECT: 5, PRIMARY: 9})
    assert told(made) == [("Decision maker", None, 1)]


def test_a_break_of_the_rule_that_the_files_only_repeat_is_nobodys_error() -> None:
    """So that what was imported from such a portal has nothing to change."""
    head = declared(limit(OBJECT, 5), limit(by_id(BILLING.key), 9))
    assert not plan(head, {OBJECT: 5, BILLING: 9}).changes
    assert told(plan(declared(*head.limits, limit(DECISION, 1)), {OBJECT: 5, BILLING: 9})) == [
        ("Decision maker", None, 1)
    ]


# ---------------------------------------------------------------- labels


TWIN = AssociationType(TypeKey(Category.HUBSPOT_DEFINED, 900), "Billing contact")


def diagnose(*named: tuple[Label, int], line: int = 4) -> list[tuple[str, int, str | None]]:
    """Code, line and hint of what is wrong."""
    head = declared(*(limit(label, number, line=line) for label, number in named))
    with pytest.raises(ConfigurationInvalid) as caught:
        make(
            [head],
            portal({}, labels=(OBJECT, PRIMARY, BILLING, DECISION, TWIN)),
        )
    return [(each.code, each.place.line, each.hint) for each in caught.value.diagnostics]


def test_an_unknown_label_names_the_nearest() -> None:
    """At its line, with what HubSpot shows."""
    assert diagnose((Label("Decison maker"), 1)) == [
        ("label-unknown", 4, 'did you mean "Decision maker"?')
    ]


def test_a_label_in_another_case_is_told_apart() -> None:
    """Labels match exactly as HubSpot shows them."""
    assert diagnose((Label("decision maker"), 1)) == [
        (
            "label-spelling",
            4,
            'write "Decision maker": labels match exactly as HubSpot shows them',
        )
    ]


@pytest.mark.parametrize(
    ("file", "portal_label", "words", "hint"),
    [
        (
            "Ge\u0301rant",
            "G\xe9rant",
            "U+0301 (combining acute accent)",
            'write "G\\xe9rant" in double',
        ),
        ("Owner's", "Owner\u2019s", "HubSpot has U+2019", 'write "Owner\\u2019s" in double quotes'),
        ("Owner", "Owner ", "HubSpot has U+0020 (space) at the end", 'write "Owner "'),
        ("Head office", "Head\xa0office", "HubSpot has U+00A0", 'write "Head\\xa0office" in'),
    ],
)
def test_labels_that_look_the_same_are_told_apart(
    file: str, portal_label: str, words: str, hint: str
) -> None:
    """What differs in words and code points, and how to write it."""
    shown = AssociationType(TypeKey(Category.USER_DEFINED, 77), portal_label)
    with pytest.raises(ConfigurationInvalid) as caught:
        make([declared(limit(Label(file), 1))], portal({}, labels=(OBJECT, shown)))
    (found,) = caught.value.diagnostics
    assert found.code == "label-spelling"
    assert words in found.message
    assert found.hint is not None
    assert hint in found.hint


def test_a_letter_of_another_alphabet_is_named() -> None:
    """The nearest label would look exactly the same."""
    shown = AssociationType(TypeKey(Category.USER_DEFINED, 77), "Client")
    with pytest.raises(ConfigurationInvalid) as caught:
        make(
            [declared(limit(Label("\u0421lient"), 1))],
            portal({}, labels=(OBJECT, shown)),
        )
    (found,) = caught.value.diagnostics
    assert found.hint is not None
    assert "U+0421 (cyrillic capital letter es)" in found.hint


def test_hundreds_of_unknown_labels_take_little_work() -> None:
    """The nearest labels are looked for only for the first of them."""
    labels = tuple(
        AssociationType(TypeKey(Category.USER_DEFINED, number), f"Label number {number:05}")
        for number in range(1, 301)
    )
    head = declared(*(limit(Label(f"Lable numbr {number:05}"), 1) for number in range(300)))
    with pytest.raises(ConfigurationInvalid) as caught:
        make([head], portal({}, labels=labels))
    hints = [each.hint for each in caught.value.diagnostics]
    assert len(hints) == 300
    assert all(hints[:20])
    assert not any(hints[20:])


def test_a_label_two_categories_share_is_ambiguous() -> None:
    """Until `category` distinguishes them."""
    assert diagnose((Label("Billing contact"), 1)) == [
        (
            "label-ambiguous",
            4,
            "distinguish them by `category`, one of HUBSPOT_DEFINED, USER_DEFINED",
        )
    ]
    head = declared(limit(Label("Billing contact", Category.USER_DEFINED), 1))
    made = make([head], portal({}, labels=(BILLING, TWIN)))
    assert only(made).type == BILLING


def test_a_label_of_another_category_says_which() -> None:
    """`category` that does not fit is not `unknown label`."""
    assert diagnose((Label("Decision maker", Category.WORK), 1)) == [
        ("label-category-unknown", 4, "its category is USER_DEFINED")
    ]


def test_one_type_named_twice_is_an_error() -> None:
    """By label and by type ID: both places are told."""
    head = declared(limit(BILLING, 1, line=3), limit(by_id(BILLING.key), 2, line=8))
    with pytest.raises(ConfigurationInvalid) as caught:
        make([head], portal({}))
    (found,) = caught.value.diagnostics
    assert (found.code, found.place.line) == ("limit-duplicate", 8)
    assert found.related is not None
    assert found.related.line == 3


def test_an_unknown_type_id_is_an_error() -> None:
    """With the types the direction has."""
    head = declared(limit(by_id(TypeKey(Category.USER_DEFINED, 999)), 2))
    with pytest.raises(ConfigurationInvalid) as caught:
        make([head], portal({}))
    assert caught.value.diagnostics[0].code == "type-unknown"


def test_all_errors_of_all_directions_are_told_at_once() -> None:
    """One run, every mistake."""
    assert len(diagnose((Label("One"), 1), (Label("Two"), 1))) == 2


# ---------------------------------------------------------------- the base


def origin_of(base: int | None, head: int | None, observed: int | None) -> Origin | None:
    """The origin of the one change of `Billing contact`."""
    made = plan(
        declared(limit(BILLING, head)),
        {} if observed is None else {BILLING: observed},
        base=[declared(limit(BILLING, base))],
    )
    return only(made).origin


def test_three_values_tell_who_moved_a_limit() -> None:
    """The table of the contract."""
    assert origin_of(1, 2, 1) is Origin.CONFIG
    assert origin_of(1, 1, 3) is Origin.DRIFT
    assert origin_of(1, 2, 3) is Origin.CONFLICT
    assert origin_of(1, 1, None) is Origin.DRIFT
    assert origin_of(None, 2, None) is Origin.CONFIG
    assert origin_of(None, None, 4) is Origin.DRIFT


def test_a_direction_the_base_does_not_declare_is_new() -> None:
    """Whatever the portal has there, this branch is the first to speak of it."""
    made = plan(declared(limit(BILLING, 2)), {BILLING: 7}, base=[])
    assert only(made).origin is Origin.CONFIG


def test_a_limit_added_in_hubspot_is_drift() -> None:
    """Neither side of the branch names it, and the direction was declared before."""
    same = declared(limit(OBJECT, 5))
    assert only(plan(same, {OBJECT: 5, DECISION: 1}, base=[same])).origin is Origin.DRIFT


def test_without_a_base_nothing_has_an_origin() -> None:
    """A two-way plan does not pretend to know."""
    assert only(plan(declared(limit(BILLING, 2)), {BILLING: 7})).origin is None


def test_a_direction_that_is_no_longer_declared_loses_its_limits() -> None:
    """Only those the base named, and with the place where they stood."""
    removed = declared(limit(BILLING, 2, line=9), prune=False)
    head = declared(limit(BILLING, 1), direction=COMPANIES_CONTACTS)
    observed = portal({BILLING: 2, DECISION: 3})
    other = portal({BILLING: 1}, direction=COMPANIES_CONTACTS)
    both = type(observed)(observed.account, (*observed.directions, *other.directions))
    made = make([head], both, history=history([removed, head]))
    change = only(made)
    assert (change.before, change.after, change.origin) == (2, None, Origin.CONFIG)
    assert change.reason == "no longer declared; it was at configs/a.yaml:9:1"
    assert made.summary.unmanaged == 1
    assert [
        each.direction.key for each in declared_directions([head], history([removed, head]))
    ] == [
        ("0-2", "0-1"),
        ("0-1", "0-2"),
    ]


# ---------------------------------------------------------------- warnings


def test_the_warning_for_lowered_limits_names_them_and_says_what_hubspot_refuses() -> None:
    """New associations, and merging records that would be above a limit together (observed)."""
    made = plan(
        declared(limit(OBJECT, 4), limit(BILLING, 2), limit(DECISION, 3)),
        {OBJECT: 5, DECISION: 1},
    )
    (warning,) = made.warnings
    assert warning == (
        "2 limits set or lowered (contacts → companies object limit: 5 → 4, contacts → companies "
        '"Billing contact": unlimited → 2): records already above keep their associations, new '
        "ones are refused, and HubSpot refuses to merge records that together are above; marked ↓ "
        "and +"
    )
    assert plan(declared(limit(OBJECT, 6)), {OBJECT: 5}).warnings == ()


def test_the_warning_for_lowered_limits_names_the_first_few() -> None:
    """Short however many there are, and however long their labels."""
    labels = [
        AssociationType(TypeKey(Category.USER_DEFINED, number), "x" * 500)
        for number in range(1, 51)
    ]
    head = declared(*(limit(by_id(label.key), 1) for label in labels))
    made = make([head], portal({}, labels=labels))
    (warning,) = made.warnings
    assert warning.startswith("50 limits set or lowered (")
    assert ", and 45 more): records" in warning
    assert len(warning) < 1_000


# ---------------------------------------------------------------- size and time


@pytest.mark.parametrize("with_base", [False, True])
def test_work_grows_with_the_limits_and_not_with_their_square(with_base: bool) -> None:
    """Limits of one direction that all change, safety included: twice as many, twice the calls."""

    def planning(count: int) -> int:
        labels = [
            AssociationType(TypeKey(Category.USER_DEFINED, number), f"Label number {number}")
            for number in range(101, 101 + count)
        ]
        observed = portal(dict.fromkeys(labels, 1), labels=labels)
        head = declared(*(limit(label, 2, protect=True) for label in labels))
        past = history([head]) if with_base else None
        assert len(make([head], observed, history=past).changes) == count
        return calls(lambda: make([head], observed, history=past))

    assert planning(800) < 2.1 * planning(400)


# ---------------------------------------------------------------- convergence


@given(
    st.dictionaries(st.sampled_from([OBJECT, BILLING, DECISION, PRIMARY]), st.integers(5, 9)),
    st.dictionaries(st.sampled_from([BILLING, DECISION]), st.none() | st.integers(1, 4)),
    st.booleans(),
)
def test_carrying_a_plan_out_leaves_nothing_to_plan(
    values: dict[AssociationType, int],
    wanted: dict[AssociationType, int | None],
    prune: bool,
) -> None:
    """plan(apply(plan)) is empty, whatever there was and whatever is wanted."""
    head = declared(*(limit(type_, number) for type_, number in wanted.items()), prune=prune)
    top = values.get(OBJECT, 9)
    values = {type_: min(value, top) for type_, value in values.items()}
    after = dict(values)
    for change in plan(head, values).changes:
        after.pop(change.type, None)
        if change.after is not None:
            after[change.type] = change.after
    assert not plan(head, after).changes


def test_a_plan_without_changes_says_that_unknown_limits_were_not_compared() -> None:
    """A row without a limit is reported and leaves nothing open."""
    rows = [UnknownRow(f"row {number}", "the limit", in_force=number < 7) for number in range(8)]
    for unknown, expected in ((rows, 7), (rows[7:], 0), (rows[6:], 1)):
        seen = portal({OBJECT: 5})
        (direction,) = seen.directions
        odd = replace(seen, directions=(replace(direction, unknown=tuple(unknown)),))
        made = make([declared(limit(OBJECT, 5))], odd)
        assert made.summary == Summary(unchanged=1, unmanaged=expected)
        words = f"nothing else differs, but {expected} limit"
        assert made.warnings[-1].startswith(words) == bool(expected)
        assert sum("this version does not know" in each for each in made.warnings) == min(
            6, len(unknown)
        )
