"""What follows from the answer to a batch, or from the error in its place: facts, and what is left.

Each row of the table is one batch and one reply; nothing is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from reconciler.applying.knowledge import Accepted, Doubtful, Fact, Refused, Untried, change_error
from reconciler.applying.sending import Part, by_endpoint, consequence, sort_answer
from reconciler.errors import (
    AnswerNotUnderstood,
    AuthenticationFailed,
    DailyLimitReached,
    EndpointMissing,
    Interrupted,
    PermissionMissing,
    PortalUnavailable,
    ReconcilerError,
    Redirected,
    RequestRefused,
)
from reconciler.hubspot.batches import BatchAnswer, BatchStatus, InputError
from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import BatchInput, ChangeError, Operation
from tests.applying.factory import batch, key, label_id

UPDATE = Part(batch(Operation.UPDATE, _1=5, _2=6, _3=7))
PURGE = Part(batch(Operation.PURGE, _1=None, _2=None))
ONE = Part(batch(Operation.UPDATE, _1=5))
CREATE = Part(batch(Operation.CREATE, _1=5))
FIRST, SECOND, THIRD = UPDATE.batch.inputs
NEW = frozenset({key(1)})
REFUSAL = RequestRefused("no", category="VALIDATION_ERROR", correlation_id="the-id")
WHY = change_error(REFUSAL)
NAMED = ChangeError("no", "VALIDATION_ERROR", "the-id")
FIRST_WORDS = ChangeError("create it first", "VALIDATION_ERROR", "first-id")
SILENT = change_error(ReconcilerError("the portal answered COMPLETE without showing the limit"))


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


def of(part: Part, *inputs: BatchInput, **more: object) -> Part:
    """A part of a batch."""
    found = Part(replace(part.batch, inputs=inputs))
    return replace(found, **more)  # type: ignore[arg-type]  # fields of a Part, checked by it


def created(one: BatchInput, refusal: ChangeError) -> Part:
    """`create` in place of an `update` that was refused."""
    return Part(replace(UPDATE.batch, operation=Operation.CREATE, inputs=(one,)), refusal=refusal)


@dataclass(frozen=True)
class Row:
    """A batch, the reply to it, which limits are new, and what follows."""

    claim: str
    part: Part
    reply: BatchAnswer | ReconcilerError
    facts: tuple[tuple[tuple[BatchInput, ...], type], ...]
    left: tuple[Part, ...] = ()
    new: frozenset[TypeKey] = frozenset()
    halts: bool = False

    def __str__(self) -> str:
        return self.claim


ALL = {key(1): 5, key(2): 6, key(3): 7}
TWIN = BatchInput(TypeKey(Category.HUBSPOT_DEFINED, label_id(1)), 9)
WITH_TWIN = Part(replace(UPDATE.batch, inputs=(FIRST, TWIN, SECOND)))

ROWS = (
    Row("shown is accepted", UPDATE, answer(ALL), ((UPDATE.batch.inputs, Accepted),)),
    Row(
        "silence is in doubt",
        UPDATE,
        answer({key(1): 5}),
        (((FIRST,), Accepted), ((SECOND, THIRD), Doubtful)),
    ),
    Row("silence of a purge is consent", PURGE, answer({}), ((PURGE.batch.inputs, Accepted),)),
    Row(
        "a named input is refused and not sent again",
        UPDATE,
        answer({key(1): 5, key(3): 7}, BatchStatus.COMPLETE, error(2)),
        (((FIRST, THIRD), Accepted), ((SECOND,), Refused)),
    ),
    Row(
        "a named input that is new is tried as a create",
        UPDATE,
        answer({key(2): 6, key(3): 7}, BatchStatus.COMPLETE, error(1)),
        (((SECOND, THIRD), Accepted), ((FIRST,), Refused)),
        (created(FIRST, NAMED),),
        NEW,
    ),
    Row(
        "what errors do not name is sent again without the rest",
        UPDATE,
        answer({key(1): 5}, BatchStatus.COMPLETE, num_errors=1),
        (((FIRST,), Accepted), ((SECOND, THIRD), Doubtful)),
        (of(UPDATE, SECOND, THIRD),),
    ),
    Row(
        "a canceled batch is halved",
        UPDATE,
        answer({}, BatchStatus.CANCELED),
        ((UPDATE.batch.inputs, Doubtful),),
        (of(UPDATE, FIRST), of(UPDATE, SECOND, THIRD)),
    ),
    Row(
        "inputs that share a type ID are sent apart, so that an error names one",
        WITH_TWIN,
        answer({}, BatchStatus.CANCELED, error(1)),
        ((WITH_TWIN.batch.inputs, Doubtful),),
        (of(UPDATE, FIRST, SECOND), of(UPDATE, TWIN)),
    ),
    Row(
        "an input that stands alone and is not named is sent once more",
        ONE,
        answer({}, num_errors=1),
        (((FIRST,), Doubtful),),
        (replace(ONE, unnamed=True),),
    ),
    Row(
        "and then it is the refused one",
        replace(ONE, unnamed=True),
        answer({}, num_errors=1),
        (((FIRST,), Refused),),
    ),
    Row(
        "a refused batch is halved",
        UPDATE,
        REFUSAL,
        ((UPDATE.batch.inputs, Refused),),
        (of(UPDATE, FIRST), of(UPDATE, SECOND, THIRD)),
    ),
    Row("one that stands alone is refused", ONE, REFUSAL, (((FIRST,), Refused),)),
    Row(
        "where it is new, create may",
        ONE,
        REFUSAL,
        (((FIRST,), Refused),),
        (created(FIRST, WHY),),
        NEW,
    ),
    Row("create is tried once", CREATE, REFUSAL, (((FIRST,), Refused),), new=NEW),
    Row(
        "a refusal after an attempt in doubt leaves the doubt",
        UPDATE,
        RequestRefused("no", may_have_been_written=True),
        ((UPDATE.batch.inputs, Doubtful),),
        (of(UPDATE, FIRST), of(UPDATE, SECOND, THIRD)),
    ),
    *(
        Row(
            f"{type(reply).__name__} is about the request: it is not halved",
            UPDATE,
            reply,
            ((UPDATE.batch.inputs, Refused),),
            halts=True,
        )
        for reply in (
            AuthenticationFailed("no"),
            PermissionMissing("no"),
            EndpointMissing("no"),
            Redirected("elsewhere"),
        )
    ),
    *(
        Row(
            f"{type(reply).__name__} before it left is not attempted",
            UPDATE,
            reply,
            ((UPDATE.batch.inputs, Untried),),
            halts=True,
        )
        for reply in (
            PortalUnavailable("locked"),
            DailyLimitReached("used up"),
            Interrupted("interrupted"),
            ReconcilerError("the journal is full"),
        )
    ),
    *(
        Row(
            f"{type(reply).__name__} after it left is in doubt",
            UPDATE,
            reply,
            ((UPDATE.batch.inputs, Doubtful),),
            halts=True,
        )
        for reply in (
            PortalUnavailable("no answer", may_have_been_written=True),
            AnswerNotUnderstood("nonsense", may_have_been_written=True),
            Interrupted("interrupted", may_have_been_written=True),
            AuthenticationFailed("no", may_have_been_written=True),
        )
    ),
    Row(
        "a create in doubt says nothing of the portal as a whole",
        CREATE,
        PortalUnavailable("no answer", may_have_been_written=True),
        (((FIRST,), Doubtful),),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_each_reply_has_its_consequence(row: Row) -> None:
    """Facts about the inputs, batches left to send, and whether other directions are concerned."""
    found = consequence(row.part, row.reply, row.new)
    assert [(fact.inputs, type(fact.known)) for fact in found.facts] == list(row.facts)
    assert found.left == row.left
    assert (found.error is not None) == row.halts


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_input_has_one_fact_and_is_left_at_most_once(row: Row) -> None:
    """None is lost and none is sent twice; what is accepted is not sent again."""
    found = consequence(row.part, row.reply, row.new)
    noted = [one for fact in found.facts for one in fact.inputs]
    assert sorted(noted, key=lambda one: one.key) == sorted(
        row.part.batch.inputs, key=lambda one: one.key
    )
    left = [one for part in found.left for one in part.batch.inputs]
    accepted = {one for fact in found.facts if fact.known == Accepted() for one in fact.inputs}
    assert len(left) == len(set(left))
    assert not accepted & set(left)


def test_what_left_without_an_answer_stays_in_doubt() -> None:
    """The doubt lasts: no refusal of a later attempt takes it away. Silence in an answer does not."""
    lost = consequence(UPDATE, PortalUnavailable("gone", may_have_been_written=True), frozenset())
    silent = consequence(ONE, answer({}), frozenset())
    assert [fact.known for fact in lost.facts] == [Doubtful(ChangeError("gone"), lasting=True)]
    assert [fact.known for fact in silent.facts] == [
        Doubtful(replace(SILENT, correlation_id="the-id"))
    ]


@pytest.mark.parametrize("kind", [AuthenticationFailed, PermissionMissing, EndpointMissing])
def test_at_the_door_nobody_judged_the_inputs(kind: type[AuthenticationFailed]) -> None:
    """So that they need no watching."""
    (fact,) = consequence(ONE, kind("no"), NEW).facts
    assert fact == Fact((FIRST,), Refused(ChangeError("no"), judged=False))


def test_the_words_of_update_come_before_those_of_create() -> None:
    """Category and correlation ID are those of the first."""
    (fact,) = consequence(replace(CREATE, refusal=FIRST_WORDS), REFUSAL, NEW).facts
    words = replace(FIRST_WORDS, message="create it first; tried as a create: no")
    assert fact.known == Refused(words)


# ---------------------------------------------------------------- which endpoint


def parts(part: Part) -> list[tuple[Operation, tuple[BatchInput, ...]]]:
    """Where each input goes."""
    return [(each.batch.operation, each.batch.inputs) for each in by_endpoint(part, NEW)]


def test_where_create_is_needed_new_limits_are_created() -> None:
    """And those that exist are updated, in a batch of their own."""
    assert parts(UPDATE) == [(Operation.CREATE, (FIRST,)), (Operation.UPDATE, (SECOND, THIRD))]
    assert parts(ONE) == [(Operation.CREATE, (FIRST,))]
    assert parts(of(UPDATE, SECOND)) == [(Operation.UPDATE, (SECOND,))]


@pytest.mark.parametrize("part", [PURGE, CREATE, replace(UPDATE, repeated=True)])
def test_other_batches_go_to_their_own_endpoint(part: Part) -> None:
    """A repeated update is refused only where the limit does not exist: nothing is created twice."""
    assert list(by_endpoint(part, NEW)) == [part]


# ---------------------------------------------------------------- what a 2xx says of each input

TWO = batch(Operation.UPDATE, _1=5, _2=6)
TWO_PURGED = batch(Operation.PURGE, _1=None, _2=None)


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
@pytest.mark.parametrize("sent", [TWO, TWO_PURGED])
def test_unfinished_batches_are_doubtful(status: BatchStatus, sent: object) -> None:
    """Even with rows: they may tell what is going to be."""
    one = TWO if sent is TWO else TWO_PURGED
    found = sort_answer(one, answer({key(1): 5, key(2): 6}, status))
    assert (found.accepted, found.doubtful) == ((), one.inputs)


@pytest.mark.parametrize("status", [None, BatchStatus.COMPLETE])
def test_silence_is_consent_to_a_purge(status: BatchStatus | None) -> None:
    """It answers without rows, or with nothing at all."""
    assert sort_answer(TWO_PURGED, answer({}, status)).accepted == TWO_PURGED.inputs


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
    found = sort_answer(TWO_PURGED, answer({}, BatchStatus.COMPLETE, error(1)))
    assert [one for one, _ in found.refused] == [TWO_PURGED.inputs[0]]
    assert found.unsettled == TWO_PURGED.inputs[1:]


@pytest.mark.parametrize("sent", [TWO, TWO_PURGED])
@pytest.mark.parametrize("status", [None, *BatchStatus])
def test_every_input_is_sorted_once(sent: object, status: BatchStatus | None) -> None:
    """Whatever the answer says."""
    one = TWO if sent is TWO else TWO_PURGED
    for rows in ({}, {key(1): 5}, {key(1): 5, key(2): 6}):
        for errors in ((), (error(1),), (error(1, 2),), (error(9),)):
            found = sort_answer(one, answer(rows, status, *errors))
            refused = [each for each, _ in found.refused]
            all_ = [*found.accepted, *found.doubtful, *refused, *found.unsettled]
            assert sorted(all_, key=lambda each: each.key) == list(one.inputs)
