"""HubSpot's JSON: pydantic models at the edge, turned into values of the domain once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.alias_generators import to_camel

from reconciler.hubspot.answers import BatchAnswer, BatchStatus, InputError, Usage
from reconciler.hubspot.messages import Response
from reconciler.model import (
    Account,
    AccountType,
    AssociationType,
    BatchInput,
    Category,
    CustomObject,
    ObservedLimit,
    TypeKey,
)

NO_LIMIT = 500_000
"""HubSpot's number for "no limit" (observed in object schemas)."""

_LONGEST_TEXT = 600


class Nonsense(Exception):
    """A 2xx that is not what was asked for; `is_json` False: cut off, HTML or empty."""

    def __init__(self, description: str, *, is_json: bool) -> None:
        super().__init__(description)
        self.description = description
        self.is_json = is_json


def plain(text: str) -> str:
    """A server's words in one line, without control characters, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT]}…"


# ---------------------------------------------------------------- reads: strict where it matters


class _Wire(BaseModel):
    """Strict types (`"28"` is no type ID), unknown keys ignored."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )


def _category(value: object) -> Category:
    try:
        return Category(str(value))
    except ValueError:
        raise ValueError(f"unknown category {str(value)[:40]!r}") from None


def _maximum(value: object) -> object:
    return None if value == NO_LIMIT else value


_Category = Annotated[Category, BeforeValidator(_category)]
_TypeId = Annotated[int, Field(ge=1)]
_Maximum = Annotated[int | None, Field(ge=1), BeforeValidator(_maximum)]


class _Row(_Wire):
    category: _Category
    type_id: _TypeId
    label: str | None = None
    user_enforced_max_to_object_ids: _Maximum = None

    @property
    def key(self) -> TypeKey:
        return TypeKey(self.category, self.type_id)

    def type(self) -> AssociationType:
        return AssociationType(self.key, self.label or None)

    def limit(self) -> ObservedLimit:
        return ObservedLimit(self.type(), self.user_enforced_max_to_object_ids)


class _Rows(_Wire):
    results: list[_Row]
    paging: Any = None


class _Schema(_Wire):
    object_type_id: str = Field(pattern=r"^\d+-\d+$")
    name: str = Field(min_length=1)
    fully_qualified_name: str | None = None

    def custom_object(self) -> CustomObject:
        return CustomObject(self.object_type_id, self.name, self.fully_qualified_name or self.name)


class _Schemas(_Wire):
    results: list[_Schema]
    paging: Any = None


class _Account(_Wire):
    portal_id: int = Field(ge=1)
    account_type: str | None = None


class _Usage(_Wire):
    limit: _Maximum = None
    total_records_at_limit: int = Field(ge=0)
    total_records_near_limit: int = Field(ge=0)


_Model = TypeVar("_Model", bound=BaseModel)


def read_limits(response: Response) -> tuple[ObservedLimit, ...]:
    """The rows of one direction; raise `Nonsense` where two of them contradict each other."""
    rows = [row.limit() for row in _rows(response)]
    return _without_copies([(row.type.key, row) for row in rows])


def read_all_limits(response: Response) -> tuple[ObservedLimit, ...]:
    """The rows of all directions: they carry no direction, so that one type may come twice."""
    return tuple(row.limit() for row in _rows(response))


def read_labels(response: Response) -> tuple[AssociationType, ...]:
    """The association types of one direction."""
    types = [row.type() for row in _rows(response)]
    return _without_copies([(each.key, each) for each in types])


def read_custom_objects(response: Response) -> tuple[CustomObject, ...]:
    """The custom objects of the portal."""
    answer = _read(_Schemas, response)
    _refuse_pages(answer.paging)
    return tuple(schema.custom_object() for schema in answer.results)


def read_account(response: Response) -> Account:
    """The portal that the token belongs to."""
    answer = _read(_Account, response)
    known = {str(each): each for each in AccountType}
    return Account(answer.portal_id, known.get(answer.account_type or "", AccountType.UNKNOWN))


def read_usage(response: Response) -> Usage:
    """The usage of one direction."""
    answer = _read(_Usage, response)
    return Usage(answer.limit, answer.total_records_at_limit, answer.total_records_near_limit)


def _rows(response: Response) -> list[_Row]:
    answer = _read(_Rows, response)
    _refuse_pages(answer.paging)
    return answer.results


def _read(model: type[_Model], response: Response) -> _Model:
    document = _json(response.body)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Nonsense(_first_problem(error), is_json=True) from None


def _json(body: bytes) -> object:
    if not body.strip():
        raise Nonsense("it is empty", is_json=False)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        kind = "HTML" if body.lstrip()[:1] == b"<" else "no JSON, or cut off"
        raise Nonsense(f"it is {kind}", is_json=False) from None


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "the answer"
    return plain(f"{place}: {first['msg']}")


def _refuse_pages(paging: object) -> None:
    """These endpoints do not page (documented); if one does, half an answer is no answer."""
    if isinstance(paging, dict) and paging.get("next"):
        raise Nonsense("it is one page of several", is_json=True)


_Value = TypeVar("_Value", ObservedLimit, AssociationType)


def _without_copies(pairs: list[tuple[TypeKey, _Value]]) -> tuple[_Value, ...]:
    seen: dict[TypeKey, _Value] = {}
    for key, value in pairs:
        if seen.setdefault(key, value) != value:
            raise Nonsense(f"it names {key} twice, with different values", is_json=True)
    return tuple(seen.values())


# ---------------------------------------------------------------- writes


def batch_body(inputs: Iterable[BatchInput]) -> bytes:
    """The body of a batch; a purge's inputs carry no limit (documented)."""
    return json.dumps({"inputs": [_input(each) for each in inputs]}).encode()


def _input(each: BatchInput) -> dict[str, str | int]:
    named: dict[str, str | int] = {"category": str(each.key.category), "typeId": each.key.type_id}
    return named if each.max is None else named | {"maxToObjectIds": each.max}


# ---------------------------------------------------------------- lenient: anything may be missing


def _or_none(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    try:
        return handler(value)
    except ValidationError:
        return None


def _text(value: object) -> str | None:
    """A text, whatever stands there: `subCategory` is a string or an object (observed)."""
    if value is None or value == "":
        return None
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> list[object]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _mapping(value: object) -> object:
    return value if isinstance(value, dict) else {}


_Text = Annotated[str | None, BeforeValidator(_text)]
_Count = Annotated[int | None, WrapValidator(_or_none)]
_Status = Annotated[BatchStatus | None, Field(strict=False), WrapValidator(_or_none)]
_LenientRow = Annotated[_Row | None, WrapValidator(_or_none)]
_Context = Annotated[dict[str, Any], BeforeValidator(_mapping)]


class _Detail(_Wire):
    message: _Text = None
    context: _Context = {}


class ErrorBody(_Wire):
    """The body of an error, or one entry of a batch's `errors`."""

    message: _Text = None
    category: _Text = None
    sub_category: _Text = None
    correlation_id: _Text = None
    policy_name: _Text = None
    context: _Context = {}
    errors: Annotated[list[_Detail], BeforeValidator(_objects)] = []

    @property
    def required_scopes(self) -> tuple[str, ...]:
        """The scopes that a 403 names (documented), each once."""
        names = {"requiredGranularScopes", "requiredScopes"}
        found = [each for name, each in self._context_values() if name in names]
        return tuple(dict.fromkeys(plain(each) for each in found))

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


_TYPE_NAMES = {"type", "typeId", "typeIds", "associationTypeId", "associationType"}
_TYPE_ID = re.compile(r"(?:\d{1,4}-)?(\d{1,9})", re.ASCII)
_TYPE_IN_MESSAGE = re.compile(r"\b(\d{1,4}-\d{1,9}) is not a valid association type", re.ASCII)


class _Batch(_Wire):
    status: _Status = None
    results: Annotated[list[_LenientRow], BeforeValidator(_list)] = []
    num_errors: _Count = None
    errors: Annotated[list[ErrorBody], BeforeValidator(_objects)] = []
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
    batch = _read(_Batch, response) if response.body.strip() else _Batch()
    return BatchAnswer(
        http_status=response.status,
        status=batch.status,
        confirmed=_confirmed([row for row in batch.results if row]),
        errors=tuple(each.input_error() for each in batch.errors),
        num_errors=max(batch.num_errors or 0, len(batch.errors)),
        correlation_id=correlation_id(response) or batch.correlation_id,
    )


def correlation_id(response: Response) -> str | None:
    """The ID that HubSpot's support asks for, from the headers."""
    text = response.headers.get("x-hubspot-correlation-id")
    return plain(text) if text else None


def _confirmed(rows: list[_Row]) -> dict[TypeKey, int | None]:
    values: dict[TypeKey, set[int | None]] = {}
    for row in rows:
        values.setdefault(row.key, set()).add(row.user_enforced_max_to_object_ids)
    return {key: found.pop() for key, found in values.items() if len(found) == 1}
