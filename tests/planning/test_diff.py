"""What differs between two states of limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.diff import Difference, differences

LIMITS = st.dictionaries(st.text(max_size=3), st.integers(1, 5))


@given(LIMITS, LIMITS)
def test_differences_lead_from_one_state_to_the_other(
    before: dict[str, int], after: dict[str, int]
) -> None:
    """Every differing key once, with both values, and no equal one."""
    found = differences(before, after)
    keys = [each.key for each in found]
    assert len(keys) == len(set(keys))
    assert {each.key: (each.before, each.after) for each in found} == {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }


def test_disjoint_keys_are_created_and_deleted() -> None:
    """Two states without a common key are not reported as one replaced value."""
    assert differences({"a": 1}, {"b": 1}) == (
        Difference("a", 1, None),
        Difference("b", None, 1),
    )


def test_order_is_that_of_the_states() -> None:
    """A plan lists what it lists in the same order every time."""
    assert [each.key for each in differences({"z": 1, "y": 1}, {"x": 1, "y": 2})] == ["z", "y", "x"]
