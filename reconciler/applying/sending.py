"""What an answer to a batch says of its inputs, and what it leaves to send.

Pure: from a batch, its answer or the error in its place, and which limits are new, follow facts
about the inputs and the batches that are left to send, until every input stands for itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.applying.knowledge import (
    Accepted,
    Doubtful,
    Fact,
    Refused,
    Untried,
    change_error,
)
from reconciler.errors import (
    Interrupted,
    PortalError,
    ReconcilerError,
    RequestRefused,
    TurnedAway,
)
from reconciler.hubspot.batches import BatchAnswer, BatchStatus, InputError
from reconciler.model.limits import TypeKey
from reconciler.model.plan import Batch, BatchInput, ChangeError, Operation


@dataclass(frozen=True, slots=True)
class Part:
    """A batch to send, and what was tried before.

    `repeated`: it was sent and is not shown. It goes to its own endpoint: where a `create` is in
    doubt, `update` is refused only if the limit does not exist, so that nothing is created twice.
    `refusal`: that of `update`, where `create` is tried instead. `unnamed`: its only input has
    stood alone in an answer with errors that name none, and is sent once more.
    """

    batch: Batch
    repeated: bool = False
    refusal: ChangeError | None = None
    unnamed: bool = False


@dataclass(frozen=True, slots=True)
class Consequence:
    """What follows from an attempt. `error`: what may concern other directions too."""

    facts: tuple[Fact, ...]
    left: tuple[Part, ...] = ()
    error: ReconcilerError | None = None


def consequence(
    part: Part, reply: BatchAnswer | ReconcilerError, new: Collection[TypeKey]
) -> Consequence:
    """What follows from the answer to a batch, or from the error in its place.

    `new`: the limits that did not exist when the plan was made, for which `create` may stand in
    where `update` is refused.
    """
    match reply:
        case BatchAnswer():
            return _answered(part, sort_answer(part.batch, reply), new)
        case RequestRefused():
            return _refused(part, reply, new)
        case _:
            return _failed(part.batch, reply)


def by_endpoint(part: Part, new: Collection[TypeKey]) -> Iterator[Part]:
    """Where the portal wants `create` for new limits, a batch of updates is two batches."""
    if part.repeated or part.batch.operation is not Operation.UPDATE:
        yield part
        return
    created = tuple(each for each in part.batch.inputs if each.key in new)
    updated = tuple(each for each in part.batch.inputs if each.key not in new)
    if created:
        yield Part(replace(part.batch, operation=Operation.CREATE, inputs=created))
    if updated:
        yield Part(replace(part.batch, inputs=updated))


# ---------------------------------------------------------------- answered


def _answered(part: Part, answer: SortedAnswer, new: Collection[TypeKey]) -> Consequence:
    refused, unsettled = answer.refused, answer.unsettled
    if part.unnamed and unsettled:
        refused, unsettled = tuple((each, answer.error) for each in unsettled), ()
    alone = [_refused_alone(part, one, why, new) for one, why in refused]
    facts = (
        Fact(answer.accepted, Accepted()),
        Fact(answer.doubtful, Doubtful(answer.error)),
        *(fact for fact, _ in alone),
        Fact(unsettled, Doubtful(answer.error)),
    )
    left = (*(each for _, parts in alone for each in parts), *_smaller(part, unsettled))
    return Consequence(tuple(each for each in facts if each.inputs), left)


def _refused_alone(
    part: Part, one: BatchInput, why: ChangeError, new: Collection[TypeKey]
) -> tuple[Fact, Sequence[Part]]:
    """One refused input: where it is new, and `update` did not want it, `create` may.

    Where `update` was refused before `create`, its words come first.
    """
    error = why
    if (first := part.refusal) is not None:
        error = replace(first, message=f"{first.message}; tried as a create: {why.message}")
    fact = Fact((one,), Refused(error))
    if part.batch.operation is not Operation.UPDATE or one.key not in new:
        return fact, ()
    batch = replace(part.batch, operation=Operation.CREATE, inputs=(one,))
    return fact, (Part(batch, refusal=why),)


def _smaller(part: Part, unsettled: Sequence[BatchInput]) -> Sequence[Part]:
    """The unsettled inputs in batches that are smaller; a single one once more as it is."""
    if not unsettled:
        return ()
    rest = replace(part.batch, inputs=tuple(unsettled))
    if len(unsettled) < len(part.batch.inputs):
        return (Part(rest),)
    if len(unsettled) > 1:
        return _twins_apart(rest) or _halves(rest)
    return (replace(part, repeated=False, unnamed=True),)


def _twins_apart(batch: Batch) -> Sequence[Part]:
    """Batches without a type ID in common, so that an error names one input; none if it has none.

    The first input of each type ID goes into the first of them, the second into the next.
    """
    if not _shared_type_ids(batch):
        return ()
    seen: Counter[int] = Counter()
    parts: dict[int, list[BatchInput]] = {}
    for each in batch.inputs:
        parts.setdefault(seen[each.key.type_id], []).append(each)
        seen[each.key.type_id] += 1
    return [Part(replace(batch, inputs=tuple(part))) for part in parts.values()]


def _halves(batch: Batch) -> Sequence[Part]:
    """The two halves of a batch of two inputs at least."""
    middle = len(batch.inputs) // 2
    halves = (batch.inputs[:middle], batch.inputs[middle:])
    return [Part(replace(batch, inputs=half)) for half in halves]


# ---------------------------------------------------------------- refused, or without an answer


def _refused(part: Part, refusal: RequestRefused, new: Collection[TypeKey]) -> Consequence:
    """A batch that was refused as a whole is split until the refused inputs stand alone.

    Where an earlier attempt had left without an answer, the refusal does not say what became of it.
    """
    inputs, error = part.batch.inputs, change_error(refusal)
    if len(inputs) == 1:
        fact, left = _refused_alone(part, inputs[0], error, new)
    else:
        fact, left = Fact(inputs, Refused(error)), _halves(part.batch)
    if refusal.may_have_been_written:
        fact = Fact(inputs, Doubtful(error, lasting=True))
    return Consequence((fact,), tuple(left))


def _failed(batch: Batch, error: ReconcilerError) -> Consequence:
    """A request without a usable answer.

    A `create` in doubt was tried once, so that it says nothing of the portal as a whole: it is
    read back, and sent again if the portal does not show it.
    """
    why = change_error(error)
    if isinstance(error, PortalError | Interrupted) and error.may_have_been_written:
        fact = Fact(batch.inputs, Doubtful(why, lasting=True))
        return Consequence((fact,), error=None if batch.operation is Operation.CREATE else error)
    if isinstance(error, TurnedAway):
        return Consequence((Fact(batch.inputs, Refused(why, judged=False)),), error=error)
    untried = Untried(replace(why, message=f"not written: {why.message}"))
    return Consequence((Fact(batch.inputs, untried),), error=error)


# ---------------------------------------------------------------- what a 2xx says of each input


@dataclass(frozen=True, slots=True)
class SortedAnswer:
    """Every input of a batch once.

    Accepted: the answer shows it. Doubtful: the answer is silent, the portal has to be read.
    Refused: an error names it and no other. Unsettled: the answer has errors and does not say for
    which inputs; they are to be sent again in smaller batches.
    """

    accepted: tuple[BatchInput, ...]
    doubtful: tuple[BatchInput, ...]
    refused: tuple[tuple[BatchInput, ChangeError], ...]
    unsettled: tuple[BatchInput, ...]
    error: ChangeError


def sort_answer(batch: Batch, answer: BatchAnswer) -> SortedAnswer:
    """Believe of a 2xx only what it says of each input.

    A success status can mean that nothing was written (observed): `CANCELED`, `numErrors`, a
    missing row. A purge answers without rows, so there silence is consent.
    """
    error = _error(answer)
    is_finished = answer.status in (None, BatchStatus.COMPLETE)
    accepted: list[BatchInput] = []
    silent: list[BatchInput] = []
    for each in batch.inputs:
        rows = answer.confirmed if batch.operation is not Operation.PURGE and is_finished else {}
        shown = each.key in rows and rows[each.key] in (None, each.max)
        (accepted if shown else silent).append(each)
    if not (answer.status is BatchStatus.CANCELED or answer.num_errors or answer.errors):
        if batch.operation is Operation.PURGE and is_finished:
            accepted, silent = silent, []
        return SortedAnswer(tuple(accepted), tuple(silent), (), (), error)
    shared = _shared_type_ids(batch)
    refused, unsettled = [], []
    for each in silent:
        named = [one for one in answer.errors if each.key.type_id in one.type_ids]
        if named and each.key.type_id not in shared:
            refused.append((each, _as_change_error(named[0], answer)))
        else:
            unsettled.append(each)
    return SortedAnswer(tuple(accepted), (), tuple(refused), tuple(unsettled), error)


def _shared_type_ids(batch: Batch) -> frozenset[int]:
    """The type IDs that several inputs of a request have, under different categories.

    An error names a type by its ID alone; the number before it is not the category (observed), so
    that it says of none of these inputs that it is the refused one.
    """
    counts = Counter(each.key.type_id for each in batch.inputs)
    return frozenset(type_id for type_id, count in counts.items() if count > 1)


def _error(answer: BatchAnswer) -> ChangeError:
    if answer.errors:
        return _as_change_error(answer.errors[0], answer)
    return ChangeError(
        f"the portal answered {answer.said} without showing the limit",
        correlation_id=answer.correlation_id,
    )


def _as_change_error(error: InputError, answer: BatchAnswer) -> ChangeError:
    return ChangeError(error.message, error.category, error.correlation_id or answer.correlation_id)
