"""HubSpot's JSON at the edge: what every answer has in common, and when it makes no sense."""

from __future__ import annotations

import json
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from reconciler.http.messages import Response, plain

NO_LIMIT = 500_000
"""HubSpot's number for "no limit" (observed in object schemas)."""

GREATEST_NUMBER = 2**31 - 1
"""Limits and type IDs are 32-bit integers (documented)."""

_LONGEST_NUMBER = 20


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


def _maximum(value: object) -> object:
    return None if value == NO_LIMIT else value


def _unicode(text: str) -> str:
    if not is_unicode(text):
        raise ValueError("half a character")
    return text


def is_unicode(text: str) -> bool:
    r"""JSON can spell half a character (`\ud800`), which no file or terminal takes."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


Text = Annotated[str, AfterValidator(_unicode)]
Maximum = Annotated[int | None, Field(ge=1, le=GREATEST_NUMBER), BeforeValidator(_maximum)]


_Model = TypeVar("_Model", bound=BaseModel)


def read(model: type[_Model], response: Response) -> _Model:
    """The answer as a model; raise `Nonsense`."""
    return understand(model, parse(response))


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
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float("inf")


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
    return plain(f"{place} {_PROBLEMS.get(first['type'], 'is not what HubSpot documents')}")
