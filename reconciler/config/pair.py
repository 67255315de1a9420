"""A pair file's document as pydantic models: what the parser and the JSON Schema share."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from reconciler.config.nodes import Entry, Mapping, Node, Scalar, Step, child
from reconciler.config.object_types import InvalidName, canonical
from reconciler.config.validation import Checked, Subject, check, problem
from reconciler.config.values import scalar_value
from reconciler.config.wording import quoted
from reconciler.model import MAXIMUM_LIMIT, MINIMUM_LIMIT, Category

UNLIMITED: Final = "unlimited"
_CATEGORIES = " ".join(Category)


def read_maximum(value: object) -> int | None:
    """A limit's value: a whole number that HubSpot can hold, or None for `unlimited`."""
    if value == UNLIMITED:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise problem("limit-not-a-number")
    if not MINIMUM_LIMIT <= value <= MAXIMUM_LIMIT:
        raise problem("limit-out-of-range")
    return value


def read_limit(value: object) -> object:
    """The mapping form of a limit that may be written as its value alone."""
    return value if isinstance(value, (dict, BaseModel)) else {"max": value}


def read_category(value: object) -> Category:
    """One of HubSpot's categories, by its exact name."""
    if isinstance(value, str) and value in Category.__members__:
        return Category(value)
    raise problem("unknown-category", words=_CATEGORIES)


def read_type_id(value: object) -> int:
    """An association type's ID: a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise problem("not-a-number", wanted="a whole number from 1")
    return value


def read_object_type(value: str) -> str:
    """A text that names an object type."""
    named = canonical(value)
    if isinstance(named, InvalidName):
        raise problem("object-type-invalid", problem=named.problem, hint=named.hint)
    return value


def read_label(value: str) -> str:
    """A label exactly as written."""
    if not value:
        raise problem("empty-label")
    return value


def given(value: object) -> object:
    """Refuse null where a key may be absent."""
    if value is None:
        raise problem("null-value")
    return value


Maximum = Annotated[int | None, BeforeValidator(read_maximum)]
CategoryName = Annotated[Category, BeforeValidator(read_category)]
TypeId = Annotated[int, BeforeValidator(read_type_id)]
ObjectTypeName = Annotated[str, AfterValidator(read_object_type)]
LabelText = Annotated[str, AfterValidator(read_label)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LimitForm(_Strict):
    """One limit with what may be said about it."""

    max: Maximum
    category: Annotated[CategoryName | None, BeforeValidator(given)] = None
    protect: bool = False
    reason: Annotated[str | None, BeforeValidator(given)] = None


class TypeForm(_Strict):
    """One limit of a type that no label can name."""

    category: CategoryName
    type_id: TypeId
    max: Maximum
    protect: bool = False
    reason: Annotated[str | None, BeforeValidator(given)] = None


Limit = Annotated[LimitForm, BeforeValidator(read_limit)]


class DirectionForm(_Strict):
    """The limits of one direction."""

    max: Annotated[LimitForm | None, BeforeValidator(read_limit)] = None
    labels: dict[LabelText, Limit] = Field(default_factory=dict)
    types: list[TypeForm] = Field(default_factory=list)
    prune: Annotated[bool | None, BeforeValidator(given)] = None

    @property
    def empty(self) -> bool:
        return self.max is None and not self.labels and not self.types


class PairForm(DirectionForm):
    """The limits between two object types."""

    from_: ObjectTypeName = Field(alias="from")
    to: ObjectTypeName
    inverse: Annotated[DirectionForm | None, BeforeValidator(given)] = None


_LIMIT_KEYS = tuple(LimitForm.model_fields)
_TYPE_KEYS = tuple(TypeForm.model_fields)
_DIRECTION_KEYS = tuple(DirectionForm.model_fields)
_PAIR_KEYS = ("from", "to", *_DIRECTION_KEYS, "inverse")


def describe(steps: tuple[Step, ...]) -> Subject:
    """Words for what stands at a location of a pair file's document."""
    match steps:
        case ():
            return Subject("the document", _PAIR_KEYS)
        case ("inverse",):
            return Subject("`inverse`", _DIRECTION_KEYS)
        case ("inverse", *rest):
            subject = _describe_part(tuple(rest))
            return Subject(f"{subject.words} of `inverse`", subject.keys)
        case _:
            return _describe_part(steps)


def _describe_part(steps: tuple[Step, ...]) -> Subject:
    match steps:
        case ("max",) | ("max", "max"):
            return Subject("the object limit", _LIMIT_KEYS)
        case ("labels", label) | ("labels", label, "max"):
            return Subject(f"the label limit of {quoted(str(label))}", _LIMIT_KEYS)
        case ("labels", label, key):
            return Subject(f"`{key}` of the label {quoted(str(label))}")
        case ("types", int(index)):
            return Subject(f"entry {index + 1} of `types`", _TYPE_KEYS)
        case ("types", int(index), key):
            return Subject(f"`{key}` of entry {index + 1} of `types`")
        case (*_, key):
            return Subject(f"`{key}`")
        case _:
            return Subject("the document")


def read_pair(node: Node, path: str) -> Checked[PairForm]:
    """Validate a document; what is wrong with its object types is reported and stood in for."""
    checked = check(PairForm, node, path, describe)
    if checked.model is not None or not isinstance(node, Mapping):
        return checked
    again = check(PairForm, _with_stand_ins(node), path, describe)
    return Checked(again.model, again.node, checked.diagnostics, whole=False)


def names_object_types(document: Node) -> bool:
    """Whether a document says which direction it is about."""
    return all(_names_object_type(child(document, key)) for key in ("from", "to"))


def _with_stand_ins(document: Mapping) -> Mapping:
    entries = dict(document.entries)
    for key in ("from", "to"):
        if not _names_object_type(child(document, key)):
            stand_in = Scalar("unknown", True, document.line, document.column)  # noqa: FBT003
            entries[key] = Entry(stand_in, stand_in)
    return Mapping(entries, document.line, document.column)


def _names_object_type(node: Node | None) -> bool:
    return (
        isinstance(node, Scalar)
        and isinstance(scalar_value(node), str)
        and not isinstance(canonical(node.text), InvalidName)
    )
