"""The order of writes: HubSpot's rule holds after every single input."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.limits import AssociationType, Category, TypeKey
from reconciler.model.plan import Batch, Change, Operation
from reconciler.planning.order import MAXIMUM_INPUTS, order
from tests.planning.factory import (
    BILLING,
    COMPANIES_CONTACTS,
    CONTACTS_COMPANIES,
    DECISION,
    OBJECT,
)

LABELS = tuple(
    AssociationType(TypeKey(Category.USER_DEFINED, number), f"Label {number}")
    for number in range(1, 8)
)
OTHER_OBJECT = AssociationType(TypeKey(Category.INTEGRATOR_DEFINED, 279), None)
THIRD_OBJECT = AssociationType(TypeKey(Category.WORK, 279), None)
OBJECTS = (OBJECT, OTHER_OBJECT, THIRD_OBJECT)
TYPES = {type_.key: type_ for type_ in (*OBJECTS, *LABELS)}
State = dict[TypeKey, int]


def change(type_: AssociationType, before: int | None, after: int | None) -> Change:
    """A change of contacts → companies."""
    return Change(CONTACTS_COMPANIES, type_, before, after)


def changes(before: State, after: State) -> list[Change]:
    """What leads from one state to the other."""
    return [
        change(TYPES[key], before.get(key), after.get(key))
        for key in {**before, **after}
        if before.get(key) != after.get(key)
    ]


def steps(*members: Change) -> list[tuple[int, str, list[str]]]:
    """The batches as step, operation and the labels of the inputs."""
    named = {each.type.key: str(each.type) for each in members}
    return [
        (batch.step, str(batch.operation), [named[each.key] for each in batch.inputs])
        for batch in order(members)
    ]


@dataclass(frozen=True)
class Rule:
    """HubSpot's rule, with equal limits accepted or not: its changelog contradicts itself."""

    equality: bool

    def holds(self, state: State) -> bool:
        tops = [value for key, value in state.items() if TYPES[key].label is None]
        return not tops or all(
            value < min(tops) or (self.equality and value == min(tops))
            for key, value in state.items()
            if TYPES[key].label is not None
        )


@st.composite
def states(draw: st.DrawFn) -> State:
    """A direction's limits that obey the rule with equality accepted."""
    tops = draw(st.lists(st.none() | st.integers(1, 12), max_size=len(OBJECTS)))
    lowest = min((top for top in tops if top is not None), default=12)
    labels = draw(st.lists(st.none() | st.integers(1, lowest), max_size=len(LABELS)))
    values = [*zip(OBJECTS, tops, strict=False), *zip(LABELS, labels, strict=False)]
    return {type_.key: value for type_, value in values if value is not None}


@given(states(), states(), st.randoms(use_true_random=False))
def test_the_rule_holds_after_every_single_input(
    before: State, after: State, shuffle: random.Random
) -> None:
    """From any valid state to any other, in any order inside a batch, under either reading."""
    rules = [
        rule
        for rule in (Rule(equality=True), Rule(equality=False))
        if rule.holds(before) and rule.holds(after)
    ]
    state = dict(before)
    for batch in order(changes(before, after)):
        for each in shuffle.sample(batch.inputs, len(batch.inputs)):
            state.pop(each.key, None)
            if each.max is not None:
                state[each.key] = each.max
            assert all(rule.holds(state) for rule in rules), (batch, state)
    assert state == after


@given(states(), states())
def test_every_change_is_one_input_of_one_batch(before: State, after: State) -> None:
    """Nothing is written twice, nothing is left out, and a purge carries no number."""
    wanted = changes(before, after)
    sent = [(each.key, each.max) for batch in order(wanted) for each in batch.inputs]
    assert sorted(sent, key=str) == sorted(
        [(each.type.key, each.after) for each in wanted], key=str
    )
    for batch in order(wanted):
        purges = batch.operation is Operation.PURGE
        assert all((each.max is None) == purges for each in batch.inputs)


def test_a_removed_object_limit_goes_first() -> None:
    """The object limit and the labels to purge in one request, then the labels to set."""
    assert steps(change(OBJECT, 5, None), change(BILLING, 3, None), change(DECISION, 2, 9)) == [
        (1, "purge", ["object limit", "Billing contact"]),
        (2, "update", ["Decision maker"]),
    ]


def test_a_raised_object_limit_makes_room_first() -> None:
    """The object limit, then everything else."""
    assert steps(change(OBJECT, 5, 9), change(BILLING, 3, None), change(DECISION, 2, 9)) == [
        (1, "update", ["object limit"]),
        (2, "update", ["Decision maker"]),
        (2, "purge", ["Billing contact"]),
    ]


def test_a_lowered_object_limit_comes_last() -> None:
    """Labels come down before the object limit does."""
    assert steps(change(OBJECT, 9, 5), change(BILLING, 8, None), change(DECISION, 9, 5)) == [
        (1, "purge", ["Billing contact"]),
        (1, "update", ["Decision maker"]),
        (2, "update", ["object limit"]),
    ]


def test_a_new_object_limit_comes_last() -> None:
    """Until it is set, nothing caps the labels."""
    assert steps(change(OBJECT, None, 5), change(DECISION, 9, 5)) == [
        (1, "update", ["Decision maker"]),
        (2, "update", ["object limit"]),
    ]


def test_several_object_limits_make_room_before_labels_and_close_in_after_them() -> None:
    """What is removed or raised comes first, what is lowered or newly set comes last."""
    lowered = change(OTHER_OBJECT, 9, 5)
    labels = (change(BILLING, 3, None), change(DECISION, 2, 4))
    assert steps(change(OBJECT, 3, None), change(THIRD_OBJECT, 3, 6), lowered, *labels) == [
        (1, "purge", ["object limit", "Billing contact"]),
        (2, "update", ["object limit"]),
        (3, "update", ["Decision maker"]),
        (4, "update", ["object limit"]),
    ]
    assert steps(change(OBJECT, None, 6), change(THIRD_OBJECT, 3, 6), *labels) == [
        (1, "update", ["object limit"]),
        (2, "update", ["Decision maker"]),
        (2, "purge", ["Billing contact"]),
        (3, "update", ["object limit"]),
    ]
    first, *_, last = order([change(OBJECT, None, 6), change(THIRD_OBJECT, 3, 6), *labels])
    assert first.inputs[0].key == THIRD_OBJECT.key
    assert last.inputs[0].key == OBJECT.key


def test_without_an_object_change_labels_share_one_step() -> None:
    """Nothing depends on anything: purge and update are two requests of one step."""
    assert steps(change(BILLING, 3, None), change(DECISION, None, 2)) == [
        (1, "purge", ["Billing contact"]),
        (1, "update", ["Decision maker"]),
    ]


def test_no_request_has_more_than_a_hundred_inputs() -> None:
    """HubSpot documents no bound, so requests stay small."""
    many = [
        change(AssociationType(TypeKey(Category.USER_DEFINED, number), f"{number}"), None, 1)
        for number in range(1, 252)
    ]
    sizes = [len(batch.inputs) for batch in order(many)]
    assert sizes == [MAXIMUM_INPUTS, MAXIMUM_INPUTS, 51]


def test_directions_do_not_share_requests() -> None:
    """Every request is of one direction; each direction's steps count from 1."""
    there = Change(CONTACTS_COMPANIES, BILLING, None, 1)
    back = Change(COMPANIES_CONTACTS, DECISION, None, 1)
    batches: tuple[Batch, ...] = order([there, back])
    assert [(batch.direction_key, batch.step) for batch in batches] == [
        (("0-1", "0-2"), 1),
        (("0-2", "0-1"), 1),
    ]
