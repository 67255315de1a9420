"""What follows from the answer to a batch, or from the error in its place: facts, and what is left.

Each row of the table is one batch and one reply; nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from reconciler.applying.knowledge import Accepted, Doubtful, Fact, Refused, Untried, change_error
from reconciler.applying.sending import Part, by_endpoint, consequence
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
from reconciler.hubspot.batches import BatchAnswer, BatchStatus
from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import BatchInput, ChangeError, Operation
from tests.applying.factory import batch, key, label_id
from tests.applying.test_answers import answer, error

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
