"""A pair file's document as pydantic models: what the parser and the JSON Schema share."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from reconciler.config.object_types import (
    ID_PATTERN,
    NAME_PATTERN,
    STANDARD,
    InvalidName,
    canonical,
)
from reconciler.config.validation import problem
from reconciler.errors import DiagnosticCode
from reconciler.model.limits import MAXIMUM_LIMIT, MINIMUM_LIMIT, Category

UNLIMITED: Final = "unlimited"
_CATEGORIES = " ".join(Category)


def read_maximum(value: object) -> int | None:
    """A limit's value: a whole number that HubSpot can hold, or None for `unlimited`."""
    if value == UNLIMITED:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise problem(DiagnosticCode.LIMIT_NOT_A_NUMBER)
    if not MINIMUM_LIMIT <= value <= MAXIMUM_LIMIT:
        raise problem(DiagnosticCode.LIMIT_OUT_OF_RANGE)
    return value


def read_limit(value: object) -> object:
    """The mapping form of a limit that may be written as its value alone."""
    return value if isinstance(value, (dict, BaseModel)) else {"max": value}


def read_category(value: object) -> Category:
    """One of HubSpot's categories, by its exact name."""
    if isinstance(value, str) and value in Category.__members__:
        return Category(value)
    raise problem(DiagnosticCode.CATEGORY_UNKNOWN, words=_CATEGORIES)


def read_type_id(value: object) -> int:
    """An association type's ID: a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise problem(DiagnosticCode.VALUE_NOT_A_NUMBER, wanted="a whole number from 1")
    return value


def read_object_type(value: str) -> str:
    """A text that names an object type."""
    named = canonical(value)
    if isinstance(named, InvalidName):
        raise problem(DiagnosticCode.OBJECT_TYPE_INVALID, problem=named.problem, hint=named.hint)
    return value


def read_label(value: str) -> str:
    """A label exactly as written."""
    if not value:
        raise problem(DiagnosticCode.LABEL_EMPTY)
    return value


def given(value: object) -> object:
    """Refuse null where a key may be absent."""
    if value is None:
        raise problem(DiagnosticCode.VALUE_NULL)
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


MAXIMUM_SCHEMA: Final[dict[str, Any]] = {
    "description": "A whole number, or unlimited: a limit the portal has is removed.",
    "anyOf": [
        {"type": "integer", "minimum": MINIMUM_LIMIT, "maximum": MAXIMUM_LIMIT},
        {"const": UNLIMITED},
    ],
}
_SOMETHING_DECLARED: Final[dict[str, Any]] = {
    "anyOf": [
        {"required": ["max"]},
        {"required": ["labels"], "properties": {"labels": {"minProperties": 1}}},
        {"required": ["types"], "properties": {"types": {"minItems": 1}}},
    ]
}


class _Shorthand:
    """In the JSON Schema, a limit may also be its value alone."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [*MAXIMUM_SCHEMA["anyOf"], handler(schema)]}


Maximum = Annotated[int | None, BeforeValidator(read_maximum), WithJsonSchema(MAXIMUM_SCHEMA)]
CategoryName = Annotated[
    Category,
    BeforeValidator(read_category),
    WithJsonSchema({"type": "string", "enum": list(Category.__members__)}),
]
TypeId = Annotated[
    int, BeforeValidator(read_type_id), WithJsonSchema({"type": "integer", "minimum": 1})
]
ObjectTypeName = Annotated[
    str,
    AfterValidator(read_object_type),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [
                {"enum": [plural for _, _, plural in STANDARD]},
                {"pattern": f"^(?:{ID_PATTERN}|{NAME_PATTERN})$"},
            ],
        }
    ),
]
LabelText = Annotated[
    str, AfterValidator(read_label), WithJsonSchema({"type": "string", "minLength": 1})
]


def _prose(value: str | None) -> str | None:
    """A text without outer white space; line ends inside stay. Nothing left: no reason."""
    return None if value is None else value.strip() or None


Reason = Annotated[
    str | None,
    BeforeValidator(given),
    AfterValidator(_prose),
    Field(description="Why the limit is what it is; shown in plans and reports."),
]
Protect = Annotated[
    bool, Field(description="Refuse plans in which the configuration lowers or removes this limit.")
]
Prune = Annotated[
    bool | None,
    BeforeValidator(given),
    Field(
        description="Whether limits that the portal has and the file does not name are deleted. "
        "Left out: what the document around it or the workspace says."
    ),
]


class LimitForm(_Strict):
    """One limit with what may be said about it."""

    model_config = ConfigDict(title="Limit")

    max: Maximum
    category: Annotated[
        CategoryName | None,
        BeforeValidator(given),
        Field(description="Settles a label that types of two categories share."),
    ] = None
    protect: Protect = False
    reason: Reason = None


Limit = Annotated[LimitForm, BeforeValidator(read_limit), _Shorthand]


class TypeForm(_Strict):
    """One limit of a type that no label can name."""

    model_config = ConfigDict(title="Limit by type ID")

    category: Annotated[CategoryName, Field(description="Who defined the association type.")]
    type_id: Annotated[TypeId, Field(description="The association type's ID in HubSpot.")]
    max: Maximum
    protect: Protect = False
    reason: Reason = None


class DirectionForm(_Strict):
    """The limits of one direction."""

    model_config = ConfigDict(title="Direction", json_schema_extra=_SOMETHING_DECLARED)

    max: Annotated[
        LimitForm | None,
        BeforeValidator(read_limit),
        _Shorthand,
        Field(
            description="The object limit: how many records of the other object type a record "
            "may be associated with, whatever the label."
        ),
    ] = None
    labels: Annotated[
        dict[LabelText, Limit],
        Field(description="Label limits, by the label exactly as HubSpot shows it."),
    ] = {}
    types: Annotated[
        list[TypeForm], Field(description="Limits of types that no label can name.")
    ] = []
    prune: Prune = None

    @property
    def empty(self) -> bool:
        return self.max is None and not self.labels and not self.types


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
        BeforeValidator(given),
        Field(description="The limits of the other direction; left out, it is left alone."),
    ] = None
