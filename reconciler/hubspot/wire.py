"""HubSpot's JSON at the edge: what reads bring, turned into values of the domain.

Strict, for plans are made of it: a damaged answer is never taken as empty. A row of a category that
came later, or with a value outside HubSpot's rules, is kept as unknown and stops nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from reconciler.http.messages import Response
from reconciler.model.limits import (
    LARGEST_NUMBER,
    Account,
    AccountType,
    AssociationType,
    Category,
    CustomObject,
    Direction,
    LabelList,
    NamelessLimit,
    ObservedDirection,
    ObservedLimit,
    SchemaAssociation,
    TypeKey,
    UnknownRow,
)
from reconciler.model.plan import LimitUsage
from reconciler.outgoing import one_line

NO_LIMIT = 500_000
"""HubSpot's number for "no limit" (observed in object schemas)."""

GREATEST_NUMBER = 2**31 - 1
"""Limits and type IDs are 32-bit integers (documented)."""


class Nonsense(Exception):
    """A 2xx that is not what was asked for.

    `lasting`: JSON of the wrong shape, which is asked for again, but not as long as time allows.
    """

    def __init__(self, description: str, *, lasting: bool) -> None:
        super().__init__(description)
        self.description = description
        self.lasting = lasting


class BeyondThisVersion(Exception):
    """A sound answer that this version does not know how to read: asking again changes nothing."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class Wire(BaseModel):
    """Strict types (`"28"` is no type ID), unknown keys ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel)


def _unicode(text: str) -> str:
    if not is_unicode(text):
        raise ValueError("half a character")
    return text


def is_unicode(text: str) -> bool:
    r"""JSON can spell half a character (`\ud800`), which no file or terminal takes."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


Text = Annotated[str, AfterValidator(_unicode)]
Maximum = Annotated[
    int | None,
    Field(ge=1, le=GREATEST_NUMBER),
    BeforeValidator(lambda value: None if value == NO_LIMIT else value),
]

_Model = TypeVar("_Model", bound=BaseModel)


def parse(response: Response) -> object:
    """The answer's JSON; raise `Nonsense`."""
    body = response.body
    if not body.strip():
        raise Nonsense("it is empty", lasting=False)
    try:
        return json.loads(body, parse_int=_number)
    except (ValueError, RecursionError):
        kind = "HTML" if body.lstrip()[:1] == b"<" else "not valid JSON, or cut off"
        raise Nonsense(f"it is {kind}", lasting=False) from None


def understand(model: type[_Model], document: object) -> _Model:
    """A document as a model; raise `Nonsense`."""
    try:
        return model.model_validate(document)
    except RecursionError:
        raise Nonsense("it is nested too deeply", lasting=True) from None
    except ValidationError as error:
        raise Nonsense(_first_problem(error), lasting=True) from None


def _number(digits: str) -> int | float:
    """A number of thousands of digits is none that HubSpot sends, and Python refuses to read it."""
    return int(digits) if len(digits) <= 20 else float("inf")


_PROBLEMS = {
    "missing": "is missing",
    "int_type": "is not a whole number",
    "string_type": "is not text",
    "list_type": "is not a list",
    "model_type": "is not an object",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
    "string_too_short": "is empty",
}


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "the answer"
    return one_line(f"{place} {_PROBLEMS.get(first['type'], 'is not what HubSpot documents')}")


# ------------------------------------------------------------ rows, schemas, accounts, usage


_OBJECT_TYPE_ID = re.compile(r"^[0-9]{1,4}-[0-9]{1,15}$", re.ASCII)
_TYPE_ID = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_CATEGORIES = {str(each): each for each in Category}


class _Answer(Wire):
    """What any answer to a read may have beside its data."""

    status: Any = None
    num_errors: Any = None
    errors: Any = None
    paging: Any = None


class _Row(Wire):
    """A row of limits or labels. It names no direction. A label left out is not a null one."""

    category: str
    type_id: int
    label: str | None = None
    user_enforced_max_to_object_ids: Any = None

    @property
    def key(self) -> TypeKey | None:
        """None for a category that this version does not know, or an ID that none can have."""
        category = _CATEGORIES.get(self.category)
        if category is None or not 1 <= self.type_id <= GREATEST_NUMBER:
            return None
        return TypeKey(category, self.type_id)

    @property
    def maximum(self) -> int | None:
        """The limit, None for none; raise `ValueError` for a value outside HubSpot's rules."""
        value = self.user_enforced_max_to_object_ids
        if value is None or (type(value) is int and value == NO_LIMIT):
            return None
        if type(value) is not int or not 1 <= value <= GREATEST_NUMBER:
            raise ValueError
        return value

    def __str__(self) -> str:
        label = f' "{one_line(self.label)[:60]}"' if self.label else ""
        return f"{one_line(self.category)[:40]}/{_shown(self.type_id)}{label}"


class _Rows(_Answer):
    results: list[_Row]


class _Schema(Wire):
    object_type_id: str = Field(pattern=_OBJECT_TYPE_ID.pattern)
    name: Text = Field(min_length=1)
    fully_qualified_name: Text | None = None
    associations: Any = None

    def custom_object(self) -> CustomObject:
        found = self.associations if isinstance(self.associations, list) else ()
        return CustomObject(
            self.object_type_id,
            self.name,
            self.fully_qualified_name or self.name,
            tuple(each for row in found if (each := _association(row)) is not None),
        )


def _association(row: object) -> SchemaAssociation | None:
    """A hint of where a type belongs; one that makes no sense is none."""
    if not isinstance(row, dict):
        return None
    type_id, ends = row.get("id"), (row.get("fromObjectTypeId"), row.get("toObjectTypeId"))
    if not (isinstance(type_id, str) and _TYPE_ID.fullmatch(type_id)):
        return None
    if not all(isinstance(end, str) and _OBJECT_TYPE_ID.fullmatch(end) for end in ends):
        return None
    return SchemaAssociation(int(type_id), str(ends[0]), str(ends[1]))


class _Schemas(_Answer):
    results: list[_Schema]


class _Account(_Answer):
    portal_id: int = Field(ge=1, le=LARGEST_NUMBER)
    account_type: Any = None


class _Scopes(_Answer):
    scopes: list[Text]


class _Usage(_Answer):
    """A limit that makes no sense is none: the counts are what was asked for."""

    limit: Any = None
    total_records_at_limit: int = Field(ge=0, le=LARGEST_NUMBER)
    total_records_near_limit: int = Field(ge=0, le=LARGEST_NUMBER)


class _UsageType(Wire):
    object_type_id: Text


class _UsageTypes(_Answer):
    results: list[_UsageType]


_Read = TypeVar("_Read", bound=_Answer)
_Value = TypeVar("_Value")


def read_usage_types(response: Response) -> frozenset[str]:
    """The object types that have records at or near a limit."""
    return frozenset(each.object_type_id for each in _answer(_UsageTypes, response).results)


def read_limits(response: Response, direction: Direction) -> ObservedDirection:
    """The rows of one direction; raise `Nonsense` where two of them contradict each other."""
    rows = _distinct(_limit(row) for row in _answer(_Rows, response).results)
    return ObservedDirection(
        direction,
        tuple(row for row in rows if isinstance(row, ObservedLimit)),
        nameless=tuple(row for row in rows if isinstance(row, NamelessLimit)),
        unknown=tuple(row for row in rows if isinstance(row, UnknownRow)),
    )


def read_all_limits(
    response: Response,
) -> tuple[ObservedLimit | NamelessLimit | UnknownRow, ...]:
    """The rows of all directions: they carry no direction, so that one type may come twice."""
    return tuple(_limit(row)[1] for row in _answer(_Rows, response).results)


def read_labels(response: Response) -> LabelList:
    """The association types of one direction."""
    rows = _distinct(_type(row) for row in _answer(_Rows, response).results)
    return LabelList(
        tuple(row for row in rows if isinstance(row, AssociationType)),
        tuple(row for row in rows if isinstance(row, UnknownRow)),
    )


def read_custom_objects(response: Response) -> tuple[CustomObject, ...]:
    """The custom objects of the portal."""
    return tuple(schema.custom_object() for schema in _answer(_Schemas, response).results)


def read_account(response: Response) -> Account:
    """The portal that the token belongs to."""
    answer = _answer(_Account, response)
    known = {str(each): each for each in AccountType}
    account_type = answer.account_type if isinstance(answer.account_type, str) else ""
    return Account(answer.portal_id, known.get(account_type, AccountType.UNKNOWN))


@dataclass(frozen=True, slots=True)
class Probe:
    """The account, and the portal's time of day; None where it sent none that can be read."""

    account: Account
    date: datetime | None


def read_probe(response: Response) -> Probe:
    """The account with the time at which the portal answered (the header `Date`)."""
    account = read_account(response)
    try:
        return Probe(account, parsedate_to_datetime(response.headers.get("date", "")))
    except ValueError:
        return Probe(account, None)


def read_scopes(response: Response) -> frozenset[str]:
    """The scopes of the token."""
    return frozenset(_answer(_Scopes, response).scopes)


def read_usage(response: Response, direction: Direction) -> LimitUsage:
    """The usage of one direction."""
    answer = _answer(_Usage, response)
    stated = type(answer.limit) is int and 1 <= answer.limit <= GREATEST_NUMBER
    limit = answer.limit if stated and answer.limit != NO_LIMIT else None
    at, near = answer.total_records_at_limit, answer.total_records_near_limit
    return LimitUsage(*direction.key, limit, at, near)


def _answer(model: type[_Read], response: Response) -> _Read:
    """The answer as a model: 200 alone, complete and without errors, or it says nothing."""
    if response.status != 200:
        raise Nonsense("a read is answered with 200 or not at all", lasting=False)
    document = parse(response)
    state = understand(_Answer, document)
    if state.status not in (None, "COMPLETE"):
        raise Nonsense(f"its status is {_shown(state.status)}", lasting=False)
    if state.errors or state.num_errors:
        raise Nonsense(
            f"it reports errors: {_shown(state.errors or state.num_errors)}", lasting=False
        )
    if isinstance(state.paging, dict) and state.paging.get("next"):
        raise BeyondThisVersion(
            "the answer is one page of several, and this version does not read further pages"
        )
    return understand(model, document)


def _limit(row: _Row) -> tuple[TypeKey | None, ObservedLimit | NamelessLimit | UnknownRow]:
    """A row of limits, under the type that it is about."""
    key = row.key
    if key is None or not is_unicode(row.label or ""):
        in_force = row.user_enforced_max_to_object_ids not in (None, NO_LIMIT)
        return key, _unknown(row, key, in_force=in_force)
    nameless = "label" not in row.model_fields_set or row.label == ""
    type_ = AssociationType(key, row.label)
    try:
        maximum = row.maximum
    except ValueError:
        value = _shown(row.user_enforced_max_to_object_ids)
        return key, UnknownRow(str(row), f"the limit {value}", key, None if nameless else type_)
    return key, NamelessLimit(key, maximum) if nameless else ObservedLimit(type_, maximum)


def _type(row: _Row) -> tuple[TypeKey | None, AssociationType | UnknownRow]:
    """A row of labels, under the type that it is about."""
    key = row.key
    if key is None or not is_unicode(row.label or "") or "label" not in row.model_fields_set:
        return key, _unknown(row, key, in_force=False)
    return key, AssociationType(key, row.label or None)


def _unknown(row: _Row, key: TypeKey | None, *, in_force: bool) -> UnknownRow:
    if row.category not in _CATEGORIES:
        unknown = "the category"
    elif key is None:
        unknown = "the type ID"
    else:
        unknown = "the label"
    stated = (one_line(row.category)[:40], row.type_id)
    return UnknownRow(str(row), unknown, key, stated=stated, in_force=in_force)


def _distinct(rows: Iterable[tuple[TypeKey | None, _Value]]) -> list[_Value]:
    """The rows, each once; raise `Nonsense` where two of one type contradict each other."""
    found: dict[TypeKey | _Value, _Value] = {}
    for key, row in rows:
        first = found.setdefault(row if key is None else key, row)
        if first is not row and first != row:
            raise Nonsense(f"it names {key} twice, with different values", lasting=True)
    return list(found.values())


def _shown(value: object) -> str:
    """A value of the answer in words, in one line and of bounded length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return one_line(text[:200])[:60]
