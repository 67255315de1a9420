"""Request bodies read into values; what HubSpot could not read is a Problem."""

from __future__ import annotations

import json

from .portal import Category, TypeKey
from .routes import Operation
from .rules import Create, Input, Purge, Update
from .wire import Detail, Problem, invalid

_CATEGORIES = {category.value: category for category in Category}


class BadBody(Exception):
    """The body is not what the operation takes; it carries HubSpot's answer to that."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_json(body: bytes) -> object:
    """The body as JSON. Raises BadBody."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadBody(invalid(f"Invalid input JSON: {error}")) from error
    return document


def read_object(body: bytes) -> dict[str, object]:
    """The body as a JSON object. Raises BadBody."""
    document = read_json(body)
    if not isinstance(document, dict):
        raise BadBody(invalid("Invalid input JSON: an object is expected."))
    return document


def read_inputs(operation: Operation, body: bytes) -> tuple[Input, ...]:
    """The inputs of a batch. Raises BadBody when one of them lacks a field or has a wrong type.

    All fields are required (documented): category, typeId and, but for purge, maxToObjectIds.
    """
    inputs = read_object(body).get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise BadBody(invalid("Invalid input JSON: inputs must be a list that is not empty."))
    return tuple(_input(operation, position, one) for position, one in enumerate(inputs))


def _input(operation: Operation, position: int, one: object) -> Input:
    place = f"inputs[{position}]"
    if not isinstance(one, dict):
        raise BadBody(invalid(f"Invalid input JSON: {place} must be an object."))
    key = TypeKey(_category(one.get("category"), place), whole(one, "typeId", place))
    match operation:
        case Operation.UPDATE:
            return Update(key, whole(one, "maxToObjectIds", place))
        case Operation.CREATE:
            return Create(key, whole(one, "maxToObjectIds", place))
        case Operation.PURGE:
            return Purge(key)
        case _:
            raise ValueError(f"{operation.value} takes no inputs")


def _category(value: object, place: str) -> Category:
    category = _CATEGORIES.get(value) if isinstance(value, str) else None
    if category is None:
        raise BadBody(_field_problem(place, "category", f"must be one of {', '.join(_CATEGORIES)}"))
    return category


def whole(document: dict[str, object], name: str, place: str) -> int:
    """A whole number of 32 bits (documented). Raises BadBody."""
    value = document.get(name)
    # JSON true would pass as 1, since Python's bool is an int.
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**31) <= value < 2**31:
        raise BadBody(_field_problem(place, name, "must be a whole number of 32 bits"))
    return value


def text(document: dict[str, object], name: str) -> str:
    """A text that is not empty. Raises BadBody."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise BadBody(_field_problem("body", name, "must be a text that is not empty"))
    if any("\ud800" <= one <= "\udfff" for one in value):
        raise BadBody(_field_problem("body", name, "must be Unicode, without half a character"))
    return value


def optional_text(document: dict[str, object], name: str) -> str | None:
    """A text that is not empty, or None where it is absent or null. Raises BadBody."""
    return None if document.get(name) is None else text(document, name)


def _field_problem(place: str, name: str, demand: str) -> Problem:
    message = f"{name} {demand}"
    return invalid(
        f"Invalid input JSON: {place}: {message}",
        Detail(message, {"field": [f"{place}.{name}"]}),
    )
