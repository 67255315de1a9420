"""What differs between two states of limits, as DeepDiff finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import deepdiff
import pytest
from deepdiff import DeepDiff
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import Change
from reconciler.planning.diff import Difference, differences
from tests.planning.factory import BILLING, DECISION, OBJECT, declared, limit, plan

HERE, THERE = ("0-1", "0-2"), ("0-2", "0-1")
ONE, TWO, THREE = (TypeKey(Category.USER_DEFINED, number) for number in (1, 2, 3))

State = Mapping[tuple[str, str], Mapping[TypeKey, int]]
STATES: st.SearchStrategy[State] = st.dictionaries(
    st.tuples(st.sampled_from(["0-1", "__2-3"]), st.sampled_from(["0-2", "2-4"])),
    st.dictionaries(
        st.builds(TypeKey, st.sampled_from(Category), st.integers(1, 3)), st.integers(1, 3)
    ),
)


@settings(max_examples=50)
@given(STATES, STATES)
def test_differences_lead_from_one_state_to_the_other(before: State, after: State) -> None:
    """Every differing limit once, with both values, no equal one, and no direction without any."""
    found = differences(before, after)
    assert all(found.values())
    listed = [(direction, each.key) for direction, group in found.items() for each in group]
    assert len(listed) == len(set(listed))
    assert {
        (direction, each.key): (each.before, each.after)
        for direction, group in found.items()
        for each in group
    } == {
        (direction, key): (old.get(key), new.get(key))
        for direction in before.keys() | after.keys()
        for old, new in [(before.get(direction, {}), after.get(direction, {}))]
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }


def test_added_removed_and_changed_limits_of_one_direction() -> None:
    """Beside an equal one."""
    found = differences(
        {HERE: {OBJECT.key: 9, ONE: 1, TWO: 2}}, {HERE: {OBJECT.key: 9, TWO: 5, THREE: 3}}
    )
    assert found.keys() == {HERE}
    assert set(found[HERE]) == {
        Difference(ONE, 1, None),
        Difference(TWO, 2, 5),
        Difference(THREE, None, 3),
    }


def test_directions_with_limits_on_one_side_only() -> None:
    """All that one has is new, all that the other has goes."""
    found = differences({HERE: {ONE: 1, TWO: 2}, THERE: {}}, {HERE: {}, THERE: {ONE: 1}})
    assert found == {
        HERE: [Difference(ONE, 1, None), Difference(TWO, 2, None)],
        THERE: [Difference(ONE, None, 1)],
    }


def test_disjoint_keys_are_created_and_deleted() -> None:
    """Two states without a common key are not reported as one replaced value."""
    found = differences({HERE: {ONE: 1}}, {HERE: {TWO: 1}})
    assert set(found[HERE]) == {Difference(ONE, 1, None), Difference(TWO, None, 1)}


# ---------------------------------------------------------------- DeepDiff decides


class Recorder:
    """Stands in for DeepDiff, notes what it is given, and answers what `answer` makes of it."""

    def __init__(self, answer: type) -> None:
        self.calls: list[tuple[State, State]] = []
        self._answer = answer

    def __call__(self, before: State, after: State, **options: Any) -> Any:
        self.calls.append((before, after))
        return self._answer(before, after, **options)


def planned() -> tuple[Change, ...]:
    """A plan that creates, changes and removes one limit each, and keeps one."""
    made = plan(
        declared(limit(OBJECT, 9), limit(BILLING, 2), limit(DECISION, 4)),
        {OBJECT: 8, DECISION: 4},
    )
    return made.changes


def test_a_plan_is_one_call_of_deepdiff_over_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal limits are not among what it is given."""
    recorder = Recorder(DeepDiff)
    monkeypatch.setattr(deepdiff, "DeepDiff", recorder)
    assert [(each.before, each.after) for each in planned()] == [(8, 9), (None, 2)]
    assert recorder.calls == [
        ({HERE: {OBJECT.key: 8}}, {HERE: {OBJECT.key: 9, BILLING.key: 2}}),
    ]


def test_the_changes_of_a_plan_are_read_from_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """What DeepDiff does not report is not planned, and its values are those of the changes."""
    monkeypatch.setattr(deepdiff, "DeepDiff", lambda *_, **__: {})
    assert planned() == ()
    other = DeepDiff(
        {HERE: {OBJECT.key: 7}}, {HERE: {OBJECT.key: 6}}, view="tree", threshold_to_diff_deeper=0
    )
    monkeypatch.setattr(deepdiff, "DeepDiff", lambda *_, **__: other)
    assert [(each.type, each.before, each.after) for each in planned()] == [(OBJECT, 7, 6)]


def test_a_steady_plan_does_not_call_deepdiff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing differs, so there is nothing to ask."""
    recorder = Recorder(DeepDiff)
    monkeypatch.setattr(deepdiff, "DeepDiff", recorder)
    assert not plan(declared(limit(OBJECT, 9)), {OBJECT: 9}).changes
    assert recorder.calls == []
