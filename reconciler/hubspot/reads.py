"""What reads bring, turned into values of the domain: strict, for plans are made of it.

A damaged answer is never taken as empty. A row of a category that came later, or with a value
outside HubSpot's rules, is kept as unknown and stops nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from reconciler.http.messages import Response, plain
from reconciler.hubspot.answers import Usage
from reconciler.hubspot.documents import (
    GREATEST_NUMBER,
    NO_LIMIT,
    BeyondThisVersion,
    Maximum,
    Nonsense,
    Text,
    Wire,
    is_unicode,
    parse,
    understand,
)
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
    def leaves_label_out(self) -> bool:
        return "label" not in self.model_fields_set

    @property
    def has_odd_label(self) -> bool:
        return self.label is not None and not is_unicode(self.label)

    @property
    def maximum(self) -> int | None:
        """The limit, None for none; raise `ValueError` for a value outside HubSpot's rules."""
        value = self.user_enforced_max_to_object_ids
        if value is None or (type(value) is int and value == NO_LIMIT):
            return None
        if type(value) is not int or not 1 <= value <= GREATEST_NUMBER:
            raise ValueError
        return value

    @property
    def in_force(self) -> bool:
        return self.user_enforced_max_to_object_ids not in (None, NO_LIMIT)

    def __str__(self) -> str:
        label = f' "{plain(self.label)[:60]}"' if self.label else ""
        return f"{plain(self.category)[:40]}/{_shown(self.type_id)}{label}"


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


def _text_or_none(value: object) -> object:
    return value if isinstance(value, str) else None


class _Account(_Answer):
    portal_id: int = Field(ge=1, le=LARGEST_NUMBER)
    account_type: Annotated[str | None, BeforeValidator(_text_or_none)] = None


class _Scopes(_Answer):
    scopes: list[Text]


class _Usage(_Answer):
    limit: Maximum = None
    total_records_at_limit: int = Field(ge=0, le=LARGEST_NUMBER)
    total_records_near_limit: int = Field(ge=0, le=LARGEST_NUMBER)


def read_limits(response: Response, direction: Direction) -> ObservedDirection:
    """The rows of one direction; raise `Nonsense` where two of them contradict each other."""
    rows = [_limit(row) for row in _answer(_Rows, response).results]
    _refuse_contradictions((_key(row), row) for row in rows)
    rows = list(dict.fromkeys(rows))
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
    return tuple(_limit(row) for row in _answer(_Rows, response).results)


def read_labels(response: Response) -> LabelList:
    """The association types of one direction."""
    rows = [_type(row) for row in _answer(_Rows, response).results]
    _refuse_contradictions((row.key, row) for row in rows)
    rows = list(dict.fromkeys(rows))
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
    return Account(answer.portal_id, known.get(answer.account_type or "", AccountType.UNKNOWN))


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


def read_usage(response: Response) -> Usage:
    """The usage of one direction."""
    answer = _answer(_Usage, response)
    return Usage(answer.limit, answer.total_records_at_limit, answer.total_records_near_limit)


_Model = TypeVar("_Model", bound=_Answer)


def _answer(model: type[_Model], response: Response) -> _Model:
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


def _limit(row: _Row) -> ObservedLimit | NamelessLimit | UnknownRow:
    key = row.key
    if key is None or row.has_odd_label:
        return _unknown(row, key, in_force=row.in_force)
    nameless = row.leaves_label_out or row.label == ""
    type_ = AssociationType(key, row.label)
    try:
        maximum = row.maximum
    except ValueError:
        value = _shown(row.user_enforced_max_to_object_ids)
        return UnknownRow(str(row), f"the limit {value}", key, None if nameless else type_)
    return NamelessLimit(key, maximum) if nameless else ObservedLimit(type_, maximum)


def _type(row: _Row) -> AssociationType | UnknownRow:
    key = row.key
    if key is None or row.has_odd_label or row.leaves_label_out:
        return _unknown(row, key, in_force=False)
    return AssociationType(key, row.label or None)


def _unknown(row: _Row, key: TypeKey | None, *, in_force: bool) -> UnknownRow:
    if row.category not in _CATEGORIES:
        unknown = "the category"
    elif key is None:
        unknown = "the type ID"
    else:
        unknown = "the label"
    return UnknownRow(str(row), unknown, key, in_force=in_force)


def _key(row: ObservedLimit | NamelessLimit | UnknownRow) -> TypeKey | None:
    return row.type.key if isinstance(row, ObservedLimit) else row.key


def _refuse_contradictions(rows: Iterable[tuple[TypeKey | None, object]]) -> None:
    seen: dict[TypeKey, object] = {}
    for key, row in rows:
        if key is not None and seen.setdefault(key, row) != row:
            raise Nonsense(f"it names {key} twice, with different values", lasting=True)


def _shown(value: object) -> str:
    """A value of the answer in words, in one line and of bounded length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return plain(text[:200])[:60]
