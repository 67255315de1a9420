"""Batches on the wire: what is sent, what the answer says of each input, and error bodies.

Lenient, for any field may be missing or odd.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from reconciler.http.messages import Response
from reconciler.hubspot.wire import Maximum, Wire, parse, understand
from reconciler.model.limits import Category, TypeKey
from reconciler.model.plan import BatchInput
from reconciler.outgoing import one_line

CORRELATION_ID = "x-hubspot-correlation-id"
"""The header with the ID that HubSpot's support asks for."""


class BatchStatus(StrEnum):
    """The status of a batch (documented)."""

    COMPLETE = "COMPLETE"
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    CANCELED = "CANCELED"
    UNKNOWN = "UNKNOWN"
    """A status that came later: it says nothing of what was written."""


@dataclass(frozen=True, slots=True)
class InputError:
    """One entry of a batch's `errors`; `type_ids` are those its text or context names."""

    message: str
    category: str | None = None
    sub_category: str | None = None
    correlation_id: str | None = None
    type_ids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """A 2xx to a write, which does not prove that anything was written (observed).

    `confirmed`: the limit of each type that `results` names, None for no limit. `status` None:
    the body was empty or named none. `said`: the status as it came, for messages.
    """

    said: str
    status: BatchStatus | None
    confirmed: Mapping[TypeKey, int | None]
    errors: tuple[InputError, ...]
    num_errors: int
    correlation_id: str | None


def batch_body(inputs: Iterable[BatchInput]) -> bytes:
    """The body of a batch; a purge's inputs carry no limit (documented)."""
    return json.dumps({"inputs": [_input(each) for each in inputs]}).encode()


def _input(each: BatchInput) -> dict[str, str | int]:
    named: dict[str, str | int] = {"category": str(each.key.category), "typeId": each.key.type_id}
    return named if each.max is None else named | {"maxToObjectIds": each.max}


def _or_none(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    try:
        return handler(value)
    except ValidationError:
        return None


def _text(value: object) -> str | None:
    """A text, whatever stands there: `subCategory` is a string or an object (observed)."""
    if value is None or value == "":
        return None
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _status(value: object) -> BatchStatus | None:
    if value is None:
        return None
    known = {str(each): each for each in BatchStatus}
    return known.get(value, BatchStatus.UNKNOWN) if isinstance(value, str) else BatchStatus.UNKNOWN


def _list(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list) else ()


def _errors(value: object) -> tuple[object, ...]:
    """One object per error, whatever was said of it: what is no object is its message."""
    found = value if isinstance(value, list) else [value] if value else []
    return tuple(each if isinstance(each, dict) else {"message": each} for each in found)


def _count(value: object) -> int:
    """A number of errors; what is neither nothing nor a number says that there are some."""
    if type(value) is int and value >= 0:
        return value
    return 1 if value else 0


def _mapping(value: object) -> object:
    return value if isinstance(value, dict) else {}


_Text = Annotated[str | None, BeforeValidator(_text)]
_Count = Annotated[int, BeforeValidator(_count)]
_Status = Annotated[BatchStatus | None, BeforeValidator(_status)]


class _Row(Wire):
    category: Annotated[Category, Field(strict=False)]
    type_id: int
    user_enforced_max_to_object_ids: Maximum = None

    @property
    def key(self) -> TypeKey:
        return TypeKey(self.category, self.type_id)


_LenientRow = Annotated[_Row | None, WrapValidator(_or_none)]
_Context = Annotated[dict[str, Any], BeforeValidator(_mapping)]


class _Detail(Wire):
    message: _Text = None
    context: _Context = Field(default_factory=dict)


class ErrorBody(Wire):
    """The body of an error, or one entry of a batch's `errors`."""

    message: _Text = None
    category: _Text = None
    sub_category: _Text = None
    correlation_id: _Text = None
    policy_name: _Text = None
    context: _Context = Field(default_factory=dict)
    errors: Annotated[tuple[_Detail, ...], BeforeValidator(_errors)] = ()

    @property
    def required_scopes(self) -> tuple[str, ...]:
        """The scopes that a 403 names (documented), each once."""
        names = {"requiredGranularScopes", "requiredScopes"}
        found = [each for name, each in self._context_values() if name in names]
        return tuple(dict.fromkeys(one_line(each)[:100] for each in found[:_NAMED_SCOPES]))

    def type_ids(self) -> frozenset[int]:
        """The type IDs that the context or the message names, as `5` or `0-5` (observed)."""
        named = [each for name, each in self._context_values() if name in _TYPE_NAMES]
        named += _TYPE_IN_MESSAGE.findall(self.message or "")
        return frozenset(int(match[1]) for each in named if (match := _TYPE_ID.fullmatch(each)))

    def input_error(self) -> InputError:
        """What a batch answer says of its inputs."""
        return InputError(
            message=self.message or "no message",
            category=self.category,
            sub_category=self.sub_category,
            correlation_id=self.correlation_id,
            type_ids=self.type_ids(),
        )

    def _context_values(self) -> Iterator[tuple[str, str]]:
        for context in [self.context, *(detail.context for detail in self.errors)]:
            for name, value in context.items():
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, str | int):
                        yield name, str(each)


_NAMED_SCOPES = 20
_TYPE_NAMES = {"type", "typeId", "typeIds", "associationTypeId", "associationType"}
_TYPE_ID = re.compile(r"(?:\d{1,4}-)?(\d{1,9})", re.ASCII)
_TYPE_IN_MESSAGE = re.compile(r"\b(\d{1,4}-\d{1,9}) is not a valid association type", re.ASCII)


class _Batch(Wire):
    status: _Status = None
    results: Annotated[tuple[_LenientRow, ...], BeforeValidator(_list)] = ()
    num_errors: _Count = 0
    errors: Annotated[tuple[ErrorBody, ...], BeforeValidator(_errors)] = ()
    correlation_id: _Text = None


def read_error(body: bytes) -> ErrorBody:
    """The body of an error response; HTML, nothing or nonsense read as an empty one."""
    try:
        return ErrorBody.model_validate(json.loads(body))
    except (ValueError, RecursionError):
        return ErrorBody()


def read_batch(response: Response) -> BatchAnswer:
    """The answer to a write, empty or not; raise `Nonsense` when it is no JSON object.

    A row that makes no sense confirms nothing, nor do two that contradict each other.
    """
    batch = understand(_Batch, parse(response)) if response.body.strip() else _Batch()
    return BatchAnswer(
        said=str(batch.status or f"HTTP {response.status}"),
        status=batch.status,
        confirmed=_confirmed([row for row in batch.results if row]),
        errors=tuple(each.input_error() for each in batch.errors),
        num_errors=max(batch.num_errors, len(batch.errors)),
        correlation_id=response.headers.get(CORRELATION_ID) or batch.correlation_id,
    )


def _confirmed(rows: list[_Row]) -> dict[TypeKey, int | None]:
    values: dict[TypeKey, set[int | None]] = {}
    for row in rows:
        values.setdefault(row.key, set()).add(row.user_enforced_max_to_object_ids)
    return {key: found.pop() for key, found in values.items() if len(found) == 1}
