"""Sort the inputs of a batch by what the portal's answer says of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reconciler.hubspot.answers import BatchAnswer, BatchStatus, InputError
from reconciler.model.plan import Batch, BatchInput, ChangeError, Operation


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
    shown = [each for each in batch.inputs if _shown(each, batch, answer)]
    silent = [each for each in batch.inputs if each not in shown]
    if not _has_errors(answer):
        agreed = batch.operation is Operation.PURGE and _finished(answer)
        accepted = batch.inputs if agreed else tuple(shown)
        doubtful = () if agreed else tuple(silent)
        return SortedAnswer(accepted, doubtful, (), (), error)
    shared = shared_type_ids(batch)
    refused = [
        (each, _error_of(each, answer))
        for each in silent
        if each.key.type_id not in shared and _named(each, answer)
    ]
    named = [each for each, _ in refused]
    unsettled = tuple(each for each in silent if each not in named)
    return SortedAnswer(tuple(shown), (), tuple(refused), unsettled, error)


def shared_type_ids(batch: Batch) -> frozenset[int]:
    """The type IDs that several inputs of a request have, under different categories.

    An error names a type by its ID alone; the number before it is not the category (observed), so
    that it says of none of these inputs that it is the refused one.
    """
    counts = Counter(each.key.type_id for each in batch.inputs)
    return frozenset(type_id for type_id, count in counts.items() if count > 1)


def _finished(answer: BatchAnswer) -> bool:
    return answer.status in (None, BatchStatus.COMPLETE)


def _has_errors(answer: BatchAnswer) -> bool:
    return bool(answer.status is BatchStatus.CANCELED or answer.num_errors or answer.errors)


def _shown(each: BatchInput, batch: Batch, answer: BatchAnswer) -> bool:
    if answer.status is BatchStatus.CANCELED or not _finished(answer):
        return False
    if batch.operation is Operation.PURGE:
        return False
    return each.key in answer.confirmed and answer.confirmed[each.key] in (None, each.max)


def _named(each: BatchInput, answer: BatchAnswer) -> bool:
    return any(each.key.type_id in error.type_ids for error in answer.errors)


def _error_of(each: BatchInput, answer: BatchAnswer) -> ChangeError:
    found = next(error for error in answer.errors if each.key.type_id in error.type_ids)
    return _as_change_error(found, answer)


def _error(answer: BatchAnswer) -> ChangeError:
    if answer.errors:
        return _as_change_error(answer.errors[0], answer)
    status = answer.status or f"HTTP {answer.http_status}"
    return ChangeError(
        f"the portal answered {status} without showing the limit",
        correlation_id=answer.correlation_id,
    )


def _as_change_error(error: InputError, answer: BatchAnswer) -> ChangeError:
    return ChangeError(error.message, error.category, error.correlation_id or answer.correlation_id)
