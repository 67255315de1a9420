"""What reads bring, turned into values of the domain: strict, for plans are made of it."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import Field

from reconciler.hubspot.answers import Usage
from reconciler.hubspot.documents import Maximum, Nonsense, Row, Text, Wire, read
from reconciler.hubspot.messages import Response
from reconciler.model import (
    Account,
    AccountType,
    AssociationType,
    CustomObject,
    ObservedLimit,
    TypeKey,
)


class _Rows(Wire):
    results: list[Row]
    paging: Any = None


class _Schema(Wire):
    object_type_id: str = Field(pattern=r"^\d+-\d+$")
    name: Text = Field(min_length=1)
    fully_qualified_name: Text | None = None

    def custom_object(self) -> CustomObject:
        return CustomObject(self.object_type_id, self.name, self.fully_qualified_name or self.name)


class _Schemas(Wire):
    results: list[_Schema]
    paging: Any = None


class _Account(Wire):
    portal_id: int = Field(ge=1)
    account_type: str | None = None


class _Usage(Wire):
    limit: Maximum = None
    total_records_at_limit: int = Field(ge=0)
    total_records_near_limit: int = Field(ge=0)


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
    answer = read(_Schemas, response)
    _refuse_pages(answer.paging)
    return tuple(schema.custom_object() for schema in answer.results)


def read_account(response: Response) -> Account:
    """The portal that the token belongs to."""
    answer = read(_Account, response)
    known = {str(each): each for each in AccountType}
    return Account(answer.portal_id, known.get(answer.account_type or "", AccountType.UNKNOWN))


def read_usage(response: Response) -> Usage:
    """The usage of one direction."""
    answer = read(_Usage, response)
    return Usage(answer.limit, answer.total_records_at_limit, answer.total_records_near_limit)


def _rows(response: Response) -> list[Row]:
    answer = read(_Rows, response)
    _refuse_pages(answer.paging)
    return answer.results


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
