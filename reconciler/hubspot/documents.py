"""HubSpot's JSON at the edge: what every answer has in common, and when it makes no sense."""

from __future__ import annotations

import json
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from reconciler.hubspot.messages import Response
from reconciler.model import AssociationType, Category, ObservedLimit, TypeKey

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


class Wire(BaseModel):
    """Strict types (`"28"` is no type ID), unknown keys ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel)


def _category(value: object) -> Category:
    try:
        return Category(str(value))
    except ValueError:
        raise ValueError(f"unknown category {str(value)[:40]!r}") from None


def _maximum(value: object) -> object:
    return None if value == NO_LIMIT else value


def _unicode(text: str) -> str:
    r"""JSON can spell half a character (`\ud800`), which no file or terminal takes."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half a character")
    return text


Text = Annotated[str, AfterValidator(_unicode)]
_Category = Annotated[Category, BeforeValidator(_category)]
_TypeId = Annotated[int, Field(ge=1)]
Maximum = Annotated[int | None, Field(ge=1), BeforeValidator(_maximum)]


class Row(Wire):
    """A row of limits or labels. It names no direction."""

    category: _Category
    type_id: _TypeId
    label: Text | None = None
    user_enforced_max_to_object_ids: Maximum = None

    @property
    def key(self) -> TypeKey:
        return TypeKey(self.category, self.type_id)

    def type(self) -> AssociationType:
        return AssociationType(self.key, self.label or None)

    def limit(self) -> ObservedLimit:
        return ObservedLimit(self.type(), self.user_enforced_max_to_object_ids)


_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], response: Response) -> _Model:
    """The answer as a model; raise `Nonsense`."""
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
