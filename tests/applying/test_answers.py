"""What an answer says of each input of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from reconciler.applying.sending import sort_answer
from reconciler.hubspot.batches import BatchAnswer, BatchStatus, InputError
from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import BatchInput, Operation
from tests.applying.factory import batch, key, label_id

TWO = batch(Operation.UPDATE, _1=5, _2=6)
PURGE = batch(Operation.PURGE, _1=None, _2=None)


def answer(
    confirmed: Mapping[TypeKey, int | None] | None = None,
    status: BatchStatus | None = BatchStatus.COMPLETE,
    *errors: InputError,
    num_errors: int = 0,
) -> BatchAnswer:
    """A 2xx with these rows and errors."""
    return BatchAnswer(
        str(status or "HTTP 200"),
        status,
        confirmed or {},
        errors,
        num_errors or len(errors),
        "the-id",
    )


def error(*numbers: int, correlation_id: str | None = None) -> InputError:
    """An error that names these labels."""
    ids = frozenset(label_id(number) for number in numbers)
    return InputError("no", "VALIDATION_ERROR", None, correlation_id, ids)


def test_a_row_with_the_value_accepts_its_input() -> None:
    """All rows, all accepted; nothing else is left."""
    found = sort_answer(TWO, answer({key(1): 5, key(2): 6}))
    assert (found.accepted, found.doubtful, found.refused, found.unsettled) == (
        TWO.inputs,
        (),
        (),
        (),
    )


def test_a_row_without_a_value_accepts_too() -> None:
    """Rows may come without the limit; reading back decides anyhow."""
    assert sort_answer(TWO, answer({key(1): None, key(2): None})).accepted == TWO.inputs


@pytest.mark.parametrize("rows", [{}, {key(1): 5}, {key(1): 5, key(2): 7}])
def test_a_missing_row_or_another_value_is_doubtful(rows: dict[TypeKey, int | None]) -> None:
    """Silence of an update is no consent."""
    found = sort_answer(TWO, answer(rows))
    assert found.doubtful == TWO.inputs[len(found.accepted) :]
    assert TWO.inputs[1] in found.doubtful
    assert "without showing the limit" in found.error.message


@pytest.mark.parametrize(
    "status", [BatchStatus.PENDING, BatchStatus.PROCESSING, BatchStatus.UNKNOWN]
)
@pytest.mark.parametrize("sent", [TWO, PURGE])
def test_unfinished_batches_are_doubtful(status: BatchStatus, sent: object) -> None:
    """Even with rows: they may tell what is going to be."""
    one = TWO if sent is TWO else PURGE
    found = sort_answer(one, answer({key(1): 5, key(2): 6}, status))
    assert (found.accepted, found.doubtful) == ((), one.inputs)


@pytest.mark.parametrize("status", [None, BatchStatus.COMPLETE])
def test_silence_is_consent_to_a_purge(status: BatchStatus | None) -> None:
    """It answers without rows, or with nothing at all."""
    assert sort_answer(PURGE, answer({}, status)).accepted == PURGE.inputs


def test_an_error_refuses_the_inputs_it_names() -> None:
    """Its message, category and correlation ID go with each; the others were accepted."""
    found = sort_answer(TWO, answer({key(1): 5}, BatchStatus.COMPLETE, error(2)))
    assert found.accepted == TWO.inputs[:1]
    ((refused, why),) = found.refused
    assert refused == TWO.inputs[1]
    assert (why.message, why.category, why.correlation_id) == ("no", "VALIDATION_ERROR", "the-id")


def test_an_error_names_no_input_that_shares_its_type_id() -> None:
    """The error says the type ID only: which of the two it refuses is open."""
    twin = TypeKey(Category.HUBSPOT_DEFINED, label_id(1))
    both = replace(TWO, inputs=(*TWO.inputs, BatchInput(twin, 5)))
    found = sort_answer(both, answer({}, BatchStatus.CANCELED, error(1), error(2)))
    assert [one.key for one, _ in found.refused] == [key(2)]
    assert [one.key for one in found.unsettled] == [key(1), twin]


def test_an_errors_own_correlation_id_is_kept() -> None:
    """The answer's stands in only where the error has none."""
    found = sort_answer(TWO, answer({}, BatchStatus.COMPLETE, error(1, correlation_id="its-own")))
    assert found.refused[0][1].correlation_id == "its-own"


def test_errors_without_names_leave_the_silent_inputs_unsettled() -> None:
    """They are sent again in smaller batches."""
    found = sort_answer(TWO, answer({key(1): 5}, num_errors=1))
    assert (found.accepted, found.unsettled) == (TWO.inputs[:1], TWO.inputs[1:])


def test_canceled_means_that_nothing_was_accepted() -> None:
    """A success status with rows, even: it is not believed."""
    found = sort_answer(TWO, answer({key(1): 5, key(2): 6}, BatchStatus.CANCELED))
    assert (found.accepted, found.unsettled) == ((), TWO.inputs)


def test_a_purge_with_errors_accepts_nothing_unseen() -> None:
    """It shows no rows, so that only the named inputs are known."""
    found = sort_answer(PURGE, answer({}, BatchStatus.COMPLETE, error(1)))
    assert [one for one, _ in found.refused] == [PURGE.inputs[0]]
    assert found.unsettled == PURGE.inputs[1:]


@pytest.mark.parametrize("sent", [TWO, PURGE])
@pytest.mark.parametrize("status", [None, *BatchStatus])
def test_every_input_is_sorted_once(sent: object, status: BatchStatus | None) -> None:
    """Whatever the answer says."""
    one = TWO if sent is TWO else PURGE
    for rows in ({}, {key(1): 5}, {key(1): 5, key(2): 6}):
        for errors in ((), (error(1),), (error(1, 2),), (error(9),)):
            found = sort_answer(one, answer(rows, status, *errors))
            refused = [each for each, _ in found.refused]
            all_ = [*found.accepted, *found.doubtful, *refused, *found.unsettled]
            assert sorted(all_, key=lambda each: each.key) == list(one.inputs)
