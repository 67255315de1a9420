"""The limit endpoints: configurations of a direction, of all, and the batch writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import assert_never

from .portal import Associations, AssociationType, Direction, Portal, TypeKey
from .routes import Call, Operation
from .rules import (
    Batch,
    BatchOutcome,
    Input,
    LabelKey,
    Refusal,
    Rules,
    UnknownPurge,
    UnknownType,
    Violation,
    carry_out,
    wanted,
)
from .state import Answer, Outcome
from .wire import Detail, Response, invalid, json_response

_UNKNOWN_TYPE = "crm.associations.INVALID_ASSOCIATION_TYPE"

# What HubSpot's message about an unknown type writes before its ID. It was observed for a request
# about USER_DEFINED, so that it is not the category.
_PREFIX = "0-"


def read(portal: Portal, direction: Direction, label_key: LabelKey) -> Response:
    """The types of a direction that have a limit; no type without one, and no paging."""
    return _rows_response(portal.associations(direction), label_key)


# Remembered, because a benchmark of a client should not measure the stand-in's JSON.
@lru_cache(maxsize=2_000)
def _rows_response(associations: Associations, label_key: LabelKey) -> Response:
    rows = [_row(associations, key, label_key) for key in associations.limits]
    return json_response(200, {"results": rows})


def read_with_nulls(portal: Portal, direction: Direction, label_key: LabelKey) -> Response:
    """A row for every type, with a null where there is no limit: rows may be like that (observed)."""
    associations = portal.associations(direction)
    rows = [_row(associations, key, label_key) for key in associations.types]
    return json_response(200, {"results": rows})


def read_all(portal: Portal, label_key: LabelKey) -> Response:
    """The rows of all directions, which do not say from where to where they go (documented).

    The inverse of a type with a limit comes along without one (observed).
    """
    rows = [
        row
        for direction, associations in portal.directions.items()
        for row in _rows_with_inverses(portal, direction, associations, label_key)
    ]
    return json_response(200, {"results": rows})


def write(
    portal: Portal,
    call: Call,
    batch: Batch,
    rules: Rules,
    now: datetime,
    forced: Mapping[int, Refusal] | None = None,
) -> Outcome:
    """Carry a batch out. A broken rule refuses it with 400, an unknown type with a 2xx (observed).

    `forced` refuses inputs by position and always answers as a batch that succeeded in part.
    """
    if rules.max_inputs is not None and len(batch.inputs) > rules.max_inputs:
        message = f"inputs must have at most {rules.max_inputs} items, not {len(batch.inputs)}."
        return Outcome(invalid(message), portal)
    done = carry_out(batch, portal.associations(batch.direction), rules, forced)
    after = portal.with_associations(batch.direction, done.after) if done.steps else portal
    answer = _answer(portal, call, batch, done, now, rules, partly=bool(done.accepted or forced))
    return Outcome(answer, after, done.steps)


def _answer(
    portal: Portal,
    call: Call,
    batch: Batch,
    done: BatchOutcome,
    now: datetime,
    rules: Rules,
    *,
    partly: bool,
) -> Answer:
    if not done.refusals:
        return accepted_response(call, done, now)
    violations = [one for one in done.refusals.values() if isinstance(one, Violation)]
    if violations and not partly:
        details = (Detail(one.message, _context(one.key)) for one in violations)
        return invalid(violations[0].message, *details)
    errors = [_error(portal, batch.direction, one) for one in done.refusals.values()]
    if partly:
        rows = result_rows(call, done)
        return envelope(call.version.multi_status, "COMPLETE", now, results=rows, errors=errors)
    if call.operation is Operation.PURGE:
        return _unknown_purge(call, rules, now, errors)
    return envelope(_success_status(call, has_body=True), "CANCELED", now, errors=errors)


def _unknown_purge(
    call: Call, rules: Rules, now: datetime, errors: list[dict[str, object]]
) -> Answer:
    match rules.unknown_purge:
        case UnknownPurge.REFUSED:
            return invalid(str(errors[0]["message"]))
        case UnknownPurge.MULTI_STATUS:
            return envelope(207, "CANCELED", now, errors=errors)
        case UnknownPurge.CANCELED:
            return envelope(_success_status(call, has_body=True), "CANCELED", now, errors=errors)
        case _:
            assert_never(rules.unknown_purge)


def accepted_response(call: Call, done: BatchOutcome, now: datetime) -> Response:
    """The answer to a batch of which every input was accepted."""
    status = _success_status(call, has_body=False)
    if status == 204:
        return Response(204)
    return envelope(status, "COMPLETE", now, results=result_rows(call, done))


def envelope(
    status: int,
    batch_status: str,
    now: datetime,
    *,
    results: Iterable[object] = (),
    errors: Iterable[object] = (),
) -> Response:
    """A batch answer; `numErrors` and `errors` are there only when there are errors (documented)."""
    moment = timestamp(now)
    document: dict[str, object] = {
        "status": batch_status,
        "results": list(results),
        "startedAt": moment,
        "completedAt": moment,
    }
    failures = list(errors)
    if failures:
        document |= {"numErrors": len(failures), "errors": failures}
    return json_response(status, document)


def canceled_response(portal: Portal, call: Call, batch: Batch, now: datetime) -> Response:
    """A 2xx that says, in its body alone, that nothing was written (observed)."""
    errors = [_error(portal, batch.direction, UnknownType(one.key)) for one in batch.inputs]
    return envelope(_success_status(call, has_body=True), "CANCELED", now, errors=errors)


def pending_response(call: Call, now: datetime) -> Response:
    """A 2xx that says the batch is still waiting (the status is documented)."""
    return envelope(_success_status(call, has_body=True), "PENDING", now)


def timestamp(moment: datetime) -> str:
    """A moment as HubSpot writes it: ISO 8601 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def result_rows(call: Call, done: BatchOutcome) -> list[dict[str, object]]:
    """Create names the label of each row, update does not, and purge has no rows (documented)."""
    match call.operation:
        case Operation.UPDATE:
            return [_limit_row(one) for one in done.accepted]
        case Operation.CREATE:
            return [_limit_row(one) | {"label": _label(done.after, one)} for one in done.accepted]
        case _:
            return []


def _limit_row(one: Input) -> dict[str, object]:
    return {
        "category": one.key.category.value,
        "typeId": one.key.type_id,
        "userEnforcedMaxToObjectIds": wanted(one),
    }


def _label(associations: Associations, one: Input) -> str | None:
    return associations.types[one.key].label


def _success_status(call: Call, *, has_body: bool) -> int:
    match call.operation:
        case Operation.CREATE:
            return call.version.create_status
        case Operation.PURGE if not has_body:
            return call.version.purge_status
        case _:
            return 200


def _row(associations: Associations, key: TypeKey, label_key: LabelKey) -> dict[str, object]:
    label = associations.types[key].label
    row: dict[str, object] = {"category": key.category.value, "typeId": key.type_id}
    if label_key is LabelKey.ALWAYS or (label_key is LabelKey.LABELLED and label is not None):
        row["label"] = label
    row["userEnforcedMaxToObjectIds"] = associations.limits.get(key)
    return row


def _rows_with_inverses(
    portal: Portal, direction: Direction, associations: Associations, label_key: LabelKey
) -> Iterator[dict[str, object]]:
    others = portal.associations(direction.inverse)
    for key in associations.limits:
        yield _row(associations, key, label_key)
        inverse = inverse_key(associations.types[key])
        if inverse is not None and inverse in others.types and inverse not in others.limits:
            yield _row(others, inverse, label_key)


def inverse_key(association_type: AssociationType) -> TypeKey | None:
    """The key of the type that the inverse direction uses; None: not known."""
    if association_type.inverse_id is None:
        return None
    return TypeKey(association_type.category, association_type.inverse_id)


def _error(portal: Portal, direction: Direction, refusal: Refusal) -> dict[str, object]:
    """One entry of a batch's `errors`, as it was observed for an unknown type."""
    match refusal:
        case Violation():
            return {
                "status": "error",
                "category": "VALIDATION_ERROR",
                "message": refusal.message,
                "context": _context(refusal.key),
            }
        case UnknownType():
            kind = f"{_PREFIX}{refusal.key.type_id}"
            start, end = (_capitals(portal, id_) for id_ in direction)
            return {
                "status": "error",
                "category": "VALIDATION_ERROR",
                "subCategory": _UNKNOWN_TYPE,
                "message": f"{kind} is not a valid association type between {start} and {end}",
                "context": {"type": [kind], "fromObjectType": [start], "toObjectType": [end]},
            }
        case _:
            assert_never(refusal)


def _capitals(portal: Portal, object_type_id: str) -> str:
    """CONTACT (observed); for a custom object type its ID (inferred)."""
    object_type = portal.object_types.with_id(object_type_id)
    return object_type.id if object_type.is_custom else object_type.singular.upper()


def _context(key: TypeKey) -> dict[str, list[str]]:
    return {"category": [key.category.value], "typeId": [str(key.type_id)]}
