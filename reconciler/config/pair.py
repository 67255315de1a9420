"""A pair file's document as pydantic models, which the JSON Schema is made from as well."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from reconciler.config.nodes import Mapping, Node, Step
from reconciler.config.object_types import (
    ID_PATTERN,
    NAME_PATTERN,
    STANDARD,
    InvalidName,
    canonical,
)
from reconciler.config.validation import TAG, Steps, Subject, check
from reconciler.config.words import LIMIT_WORDS, quoted
from reconciler.errors import Diagnostic, DiagnosticCode
from reconciler.model.limits import MAXIMUM_LIMIT, MINIMUM_LIMIT, Category

UNLIMITED: Final = "unlimited"

_NUMBER, _WORD, _MAPPING = f"{TAG}number", f"{TAG}word", f"{TAG}mapping"


def _kind_of_maximum(value: object) -> str:
    return _WORD if isinstance(value, str) else _NUMBER


def _kind_of_limit(value: object) -> str:
    if isinstance(value, dict):
        return _MAPPING
    return _WORD if isinstance(value, str) else _NUMBER


class Strict(BaseModel):
    """What all models of the configuration's files have in common."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_Number = Annotated[int, Field(ge=MINIMUM_LIMIT, le=MAXIMUM_LIMIT), Tag(_NUMBER)]
_Word = Annotated[Literal["unlimited"], Tag(_WORD)]
Maximum = Annotated[
    _Number | _Word,
    Discriminator(_kind_of_maximum),
    Field(description="A whole number, or unlimited: a limit the portal has is removed."),
]
CategoryName = Annotated[Category, Field(strict=False)]
ObjectTypeName = Annotated[
    str,
    Field(
        pattern=f"^(?:{ID_PATTERN}|{NAME_PATTERN})$",
        json_schema_extra={"anyOf": [{"enum": [plural for _, _, plural in STANDARD]}, {}]},
    ),
]
Reason = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True)] | None,
    Field(description="Why the limit is what it is; shown in plans and reports."),
]
Protect = Annotated[
    bool, Field(description="Refuse plans in which the configuration lowers or removes this limit.")
]
Prune = Annotated[
    bool | None,
    Field(
        description="Whether limits that the portal has and the file does not name are deleted. "
        "Left out: what the document around it or the workspace says."
    ),
]


class LimitForm(Strict):
    """One limit with what may be said about it."""

    model_config = ConfigDict(title="Limit")

    max: Maximum
    category: Annotated[
        CategoryName | None,
        Field(description="Distinguishes a label that types of two categories share."),
    ] = None
    protect: Protect = False
    reason: Reason = None


Limit = Annotated[
    Annotated[LimitForm, Tag(_MAPPING)] | _Number | _Word, Discriminator(_kind_of_limit)
]


class TypeForm(Strict):
    """One limit of a type that no label can name."""

    model_config = ConfigDict(title="Limit by type ID")

    category: Annotated[CategoryName, Field(description="Who defined the association type.")]
    type_id: Annotated[int, Field(ge=1, description="The association type's ID in HubSpot.")]
    max: Maximum
    protect: Protect = False
    reason: Reason = None


_SOMETHING_DECLARED: Final[dict[str, Any]] = {
    "anyOf": [
        {"required": ["max"]},
        {"required": ["labels"], "properties": {"labels": {"minProperties": 1}}},
        {"required": ["types"], "properties": {"types": {"minItems": 1}}},
    ]
}


class DirectionForm(Strict):
    """The limits of one direction."""

    model_config = ConfigDict(title="Direction", json_schema_extra=_SOMETHING_DECLARED)

    max: Annotated[
        Limit | None,
        Field(
            description="The object limit: how many records of the other object type a record "
            "may be associated with, whatever the label."
        ),
    ] = None
    labels: Annotated[
        dict[Annotated[str, Field(min_length=1)], Limit],
        Field(description="Label limits, by the label exactly as HubSpot shows it."),
    ] = {}
    types: Annotated[
        list[TypeForm], Field(description="Limits of types that no label can name.")
    ] = []
    prune: Prune = None


class PairForm(DirectionForm):
    """The limits between two object types, as far as they are kept by this repository."""

    model_config = ConfigDict(title="Association limits of a pair of object types")

    from_: Annotated[
        ObjectTypeName,
        Field(
            alias="from",
            description="The object type whose records are limited: a standard name, an object "
            "type ID (0-1, 2-123), or a custom object's name.",
        ),
    ]
    to: Annotated[
        ObjectTypeName, Field(description="The object type that they are associated with.")
    ]
    inverse: Annotated[
        DirectionForm | None,
        Field(description="The limits of the other direction; left out, it is left alone."),
    ] = None


def read_pair(node: Node) -> tuple[PairForm | None, list[Diagnostic]]:
    """A document's model, or everything that is wrong with it."""
    if isinstance(node, Mapping) and node.entries.keys() >= _PLAN_KEYS:
        saved_plan = Diagnostic(
            DiagnosticCode.SAVED_PLAN,
            "this is a saved plan, not a pair file",
            node.place,
            hint="move it out of the folder of pair files; `reconciler show` renders it",
        )
        return None, [saved_plan]
    return check(PairForm, node, describe)


_PLAN_KEYS = {"batches", "format_version"}
"""Keys that every saved plan has, and no pair file."""

_LIMIT_KEYS = tuple(LimitForm.model_fields)
_TYPE_KEYS = tuple(TypeForm.model_fields)
_DIRECTION_KEYS = tuple(DirectionForm.model_fields)
_PAIR_KEYS = ("from", "to", *_DIRECTION_KEYS, "inverse")


def describe(steps: Steps) -> Subject:
    """What is at a location of a pair file's document."""
    match steps:
        case ():
            return Subject("the document", _PAIR_KEYS)
        case ("inverse",):
            return Subject("`inverse`", _DIRECTION_KEYS)
        case ("inverse", *rest):
            subject = _describe_part(tuple(rest))
            return subject._replace(words=f"{subject.words} of `inverse`")
        case ("from" | "to" as key,):
            code = DiagnosticCode.OBJECT_TYPE_INVALID
            return Subject(f"`{key}`", code=code, explain=_explain_object_type)
        case _:
            return _describe_part(steps)


def _describe_part(steps: Steps) -> Subject:
    match steps:
        case ("max",) | ("max", "max"):
            return Subject("the object limit", _LIMIT_KEYS, LIMIT_WORDS)
        case ("labels", _, "[key]"):
            return Subject("a label", code=DiagnosticCode.LABEL_EMPTY, explain=_explain_label)
        case ("labels", label) | ("labels", label, "max"):
            return Subject(f"the label limit of {quoted(str(label))}", _LIMIT_KEYS, LIMIT_WORDS)
        case ("labels", label, key):
            return _property(f"`{key}` of the label {quoted(str(label))}", key)
        case ("types", int(index)):
            return Subject(f"entry {index + 1} of `types`", _TYPE_KEYS)
        case ("types", int(index), key):
            return _property(f"`{key}` of entry {index + 1} of `types`", key)
        case (*_, key):
            return _property(f"`{key}`", key)
        case _:
            return Subject("the document")


def _property(words: str, key: Step) -> Subject:
    wanted = {"max": LIMIT_WORDS, "type_id": "a whole number from 1"}.get(str(key), "")
    return Subject(words, wanted=wanted, code=DiagnosticCode.CATEGORY_UNKNOWN)


def _explain_object_type(text: str) -> tuple[str, str]:
    named = canonical(text)
    if isinstance(named, InvalidName):
        return f": {quoted(text)} {named.problem}", named.hint
    raise ValueError(f"valid: {text}")


def _explain_label(_: str) -> tuple[str, str]:
    return " is empty", "write the label as HubSpot shows it; the object limit is `max`"
