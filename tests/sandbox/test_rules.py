"""HubSpot's rules of a limit, each switch of what is unknown, and batches judged by them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.portal import Category, Direction, TypeKey
from reconciler.sandbox.rules import Batch, Judging, Mixed, Purge, Rules, Update, Verdict, carry_out
from reconciler.sandbox.stand_in import Sandbox
from tests.sandbox.talking import (
    VERSIONS,
    decoded,
    get,
    limits_path,
    object_limit,
    one,
    options,
    send,
    write,
)


def with_rules(rules: Rules) -> Sandbox:
    """The example portal under these rules."""
    return Sandbox(example_portal(), options(rules=rules))


def test_a_label_limit_above_the_object_limit_is_refused() -> None:
    """Six billing contacts of at most five associations make no sense to HubSpot."""
    sandbox = with_rules(Rules())
    assert write(sandbox, "update", one(28, 6)).status == 400
    assert write(sandbox, "create", one(30, 6)).status == 400


def test_an_object_limit_below_a_label_limit_is_refused() -> None:
    """The object limit cannot go below what a label allows."""
    sandbox = with_rules(Rules())
    write(sandbox, "update", one(28, 4))
    response = write(sandbox, "update", object_limit(3))
    assert response.status == 400
    assert decoded(response)["message"] == "The object limit 3 is too low: a label limit is 4."


def test_equality_is_accepted_or_refused_as_chosen() -> None:
    """HubSpot contradicts itself on equal limits, so both can be played, in both orders."""
    accepting, refusing = with_rules(Rules()), with_rules(Rules(equality=Verdict.REFUSE))
    assert write(accepting, "update", one(28, 5)).status == 200
    assert write(refusing, "update", one(28, 5)).status == 400
    assert write(refusing, "update", object_limit(1)).status == 400
    assert write(refusing, "update", object_limit(2)).status == 200


def test_without_an_object_limit_a_label_limit_is_free() -> None:
    """The rule binds only while the object limit is set."""
    sandbox = with_rules(Rules())
    write(sandbox, "purge", object_limit())
    assert write(sandbox, "update", one(28, 50_000)).status == 200


@pytest.mark.parametrize(("maximum", "status"), [(-1, 400), (0, 400), (1, 200), (50_001, 400)])
def test_limits_range_from_one_to_the_maximum(maximum: int, status: int) -> None:
    """Whole numbers from 1 to 50,000."""
    sandbox = with_rules(Rules())
    assert write(sandbox, "update", one(28, maximum)).status == status


def test_the_maximum_can_be_set() -> None:
    """The API's own maximum is unknown, so it can be played lower."""
    sandbox = with_rules(Rules(maximum=10_000))
    assert write(sandbox, "update", object_limit(10_000)).status == 200
    assert write(sandbox, "update", object_limit(10_001)).status == 400


def test_a_strict_update_refuses_what_does_not_exist() -> None:
    """The documented reading of update: it changes what create has made, and no more."""
    sandbox = with_rules(Rules(update_of_missing=Verdict.REFUSE))
    assert write(sandbox, "update", one(30, 2)).status == 400
    assert write(sandbox, "create", one(30, 2)).status == 201
    assert write(sandbox, "update", one(30, 3)).status == 200


def test_create_refuses_an_existing_limit_unless_told_otherwise() -> None:
    """What HubSpot does is unknown; the default refuses and leaves the limit as it is."""
    sandbox = with_rules(Rules())
    assert write(sandbox, "create", one(28, 2)).status == 400
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 28] == 1
    overwriting = with_rules(Rules(create_of_existing=Verdict.ACCEPT))
    assert write(overwriting, "create", one(28, 2)).status == 201


def test_primary_takes_a_limit_or_not_as_chosen() -> None:
    """Whether Primary accepts a limit is unknown."""
    primary = one(1, 1, "HUBSPOT_DEFINED")
    assert write(with_rules(Rules()), "update", primary).status == 200
    assert write(with_rules(Rules(primary=Verdict.REFUSE)), "update", primary).status == 400


def test_any_number_of_inputs_is_accepted_unless_told_otherwise() -> None:
    """The batch size is unknown; a maximum can be set."""
    inputs = [one(28, 1 + number % 5) for number in range(150)]
    assert write(with_rules(Rules()), "update", *inputs).status == 200
    assert write(with_rules(Rules(max_inputs=100)), "update", *inputs).status == 400
    assert write(with_rules(Rules(max_inputs=100)), "update", *inputs[:100]).status == 200


def test_an_asymmetric_pair_is_two_types_of_one_direction() -> None:
    """Manager and Employee have a limit each; the unlabelled type has one for both ways."""
    sandbox = with_rules(Rules())
    path = f"{limits_path('2026-03', 'contacts', 'contacts')}/batch/update"
    inputs = [one(449, 9, "HUBSPOT_DEFINED"), one(34, 1), one(35, 8), one(36, 3)]
    assert send(sandbox, "POST", path, {"inputs": inputs}).status == 200
    rows = decoded(get(sandbox, limits_path("2026-03", "contact", "0-1")))["results"]
    assert {row["label"]: row["userEnforcedMaxToObjectIds"] for row in rows} == {
        None: 9,
        "Manager": 1,
        "Employee": 8,
        "Sibling": 3,
    }


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
    """The body names the bad input, with 207 in the versions that document it."""
    sandbox = Sandbox(example_portal(), options(rules=Rules(mixed=Mixed.PARTIAL)))
    response = write(sandbox, "update", one(30, 2), one(28, 6), one(999, 1), version=version)
    document = decoded(response)
    assert response.status == (207 if version in ("v4", "2026-03") else 200)
    assert [row["typeId"] for row in document["results"]] == [30]
    assert document["numErrors"] == len(document["errors"]) == 2
    assert sandbox.limits("contacts", "companies")["USER_DEFINED", 30] == 2


def test_a_mixed_batch_with_an_unknown_type_is_canceled_whole() -> None:
    """When batches are atomic, one unknown type cancels the known ones with it."""
    sandbox = Sandbox(example_portal())
    response = write(sandbox, "update", one(30, 2), one(999, 1))
    assert (response.status, decoded(response)["status"]) == (200, "CANCELED")
    assert ("USER_DEFINED", 30) not in sandbox.limits("contacts", "companies")


def test_a_single_bad_input_is_refused_alike_in_both_modes() -> None:
    """Alone, a violation is 400 whether batches are atomic or partial."""
    for mixed in Mixed:
        sandbox = Sandbox(example_portal(), options(rules=Rules(mixed=mixed)))
        assert write(sandbox, "update", one(28, 6)).status == 400
