"""Whole batches under every switch: one after another or not, all or some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.portal import Category, Direction, TypeKey
from reconciler.sandbox.rules import Batch, Judging, Mixed, Purge, Rules, Update, Verdict, carry_out
from reconciler.sandbox.stand_in import Sandbox
from tests.sandbox.talking import VERSIONS, object_limit, one, options, told, write

OBJECT = TypeKey(Category.HUBSPOT_DEFINED, 279)
BILLING = TypeKey(Category.USER_DEFINED, 28)
DECISION = TypeKey(Category.USER_DEFINED, 30)
HERE = Direction("0-1", "0-2")

INPUTS = st.one_of(
    st.builds(Update, st.sampled_from([OBJECT, BILLING, DECISION]), st.integers(0, 12)),
    st.builds(Purge, st.sampled_from([OBJECT, BILLING, DECISION])),
)
RULES = st.builds(
    Rules,
    judging=st.just(Judging.SEQUENCE),
    mixed=st.sampled_from(Mixed),
    equality=st.sampled_from(Verdict),
    update_of_missing=st.sampled_from(Verdict),
)


@given(inputs=st.lists(INPUTS, min_size=1, max_size=8), rules=RULES)
def test_judged_one_after_another_no_state_breaks_the_rule(
    inputs: list[Update | Purge], rules: Rules
) -> None:
    """Whatever a client sends, no state in between has a label limit above the object limit."""
    before = example_portal().associations(HERE)
    outcome = carry_out(Batch(HERE, tuple(inputs)), before, rules)
    assert not any(step.breaks_rule for step in outcome.steps)
    assert not outcome.after.breaks_rule


@given(inputs=st.lists(INPUTS, min_size=1, max_size=8))
def test_an_atomic_batch_is_all_or_nothing(inputs: list[Update | Purge]) -> None:
    """With one refusal the state is the very one before."""
    before = example_portal().associations(HERE)
    outcome = carry_out(Batch(HERE, tuple(inputs)), before, Rules(mixed=Mixed.ATOMIC))
    assert not outcome.refusals or outcome.after is before
    assert outcome.refusals or len(outcome.accepted) == len(inputs)


def test_in_sequence_an_input_sees_the_ones_before_it() -> None:
    """Raising the object limit first makes room for the label limit of the same request."""
    sandbox = Sandbox(example_portal())
    assert write(sandbox, "update", object_limit(9), one(28, 7)).status == 200
    assert write(sandbox, "update", one(28, 20), object_limit(30)).status == 400


def test_against_the_state_before_an_input_does_not_see_the_others() -> None:
    """The same batch is refused when every input is judged against the state before it."""
    sandbox = Sandbox(example_portal(), options(rules=Rules(judging=Judging.BEFORE)))
    assert write(sandbox, "update", object_limit(9), one(28, 7)).status == 400
    assert sandbox.limits("contacts", "companies")["HUBSPOT_DEFINED", 279] == 5


def test_against_the_state_before_the_history_tells_when_the_rule_broke() -> None:
    """Two inputs that are fine alone can break the rule together, and the history says so."""
    sandbox = Sandbox(example_portal(), options(rules=Rules(judging=Judging.BEFORE)))
    assert write(sandbox, "update", object_limit(2), one(28, 5)).status == 200
    assert [step.breaks_rule for step in sandbox.history] == [False, True]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_partial_batch_writes_its_good_inputs(version: str) -> None:
    """The bad input is told in the body, with 207 in the versions that document it."""
    sandbox = Sandbox(example_portal(), options(rules=Rules(mixed=Mixed.PARTIAL)))
    response = write(sandbox, "update", one(30, 2), one(28, 6), one(999, 1), version=version)
    document = told(response)
    assert response.status == (207 if version in ("v4", "2026-03") else 200)
    assert [row["typeId"] for row in document["results"]] == [30]
    assert document["numErrors"] == len(document["errors"]) == 2
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 30] == 2


def test_a_mixed_batch_with_an_unknown_type_is_canceled_whole() -> None:
    """When batches are atomic, one unknown type cancels the known ones with it."""
    sandbox = Sandbox(example_portal())
    response = write(sandbox, "update", one(30, 2), one(999, 1))
    assert (response.status, told(response)["status"]) == (200, "CANCELED")
    assert ("USER_DEFINED", 30) not in sandbox.limits("contacts", "companies")


def test_a_single_bad_input_is_refused_alike_in_both_modes() -> None:
    """Alone, a violation is 400 whether batches are atomic or partial."""
    for mixed in Mixed:
        sandbox = Sandbox(example_portal(), options(rules=Rules(mixed=mixed)))
        assert write(sandbox, "update", one(28, 6)).status == 400
