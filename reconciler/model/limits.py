"""Limits and what they belong to: object types, directions, association types; desired, observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

MINIMUM_LIMIT = 1
"""Smallest limit HubSpot knows (documented)."""

UI_MAXIMUM_LIMIT = 10_000
"""Largest limit HubSpot's settings page takes (documented); above it a warning is given."""

MAXIMUM_LIMIT = 50_000
"""The product's ceiling (documented). With most subscriptions a portal's own maximum is lower, and
its refusal names the range that it accepts (documented)."""

LARGEST_NUMBER = 2**53 - 1
"""Largest whole number that every JSON reader takes exactly; IDs and amounts above it are refused
wherever they come in, so that a plan that was written can be read."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value is: file path, line and column, both counted from 1.

    `end` is the column behind its last character, None where that is not known or on another line.
    """

    path: str
    line: int
    column: int
    end: int | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Category(StrEnum):
    """Who defined an association type (documented)."""

    HUBSPOT_DEFINED = "HUBSPOT_DEFINED"
    USER_DEFINED = "USER_DEFINED"
    INTEGRATOR_DEFINED = "INTEGRATOR_DEFINED"
    WORK = "WORK"


@dataclass(frozen=True, slots=True, order=True)
class ObjectType:
    """An object type with its ID (`0-1`, `2-123`) and the name to show (`contacts`).

    `names`: the standard names of the type where a file means it by one of them, which a custom
    object of the portal may have too; none where it is meant by its ID. `often_custom`: whether
    custom objects are known to have such a name.
    """

    id: str
    name: str = field(compare=False)
    names: tuple[str, ...] = field(default=(), compare=False, repr=False)
    often_custom: bool = field(default=False, compare=False, repr=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class CustomName:
    """A custom object named in a file; only the portal knows its object type ID.

    `near`: the standard name that it is one or two letters away from.
    """

    name: str
    near: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.name


ObjectReference = ObjectType | CustomName


@dataclass(frozen=True, slots=True)
class SchemaAssociation:
    """An association type as an object schema names it: without its category (documented)."""

    type_id: int
    from_id: str
    to_id: str


@dataclass(frozen=True, slots=True)
class CustomObject:
    """A custom object of a portal, as its object schema says (documented).

    `associations` are empty where they were not asked for.
    """

    id: str
    name: str
    fully_qualified_name: str
    associations: tuple[SchemaAssociation, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Direction:
    """An ordered pair of object types. A limit always belongs to a direction."""

    from_: ObjectType
    to: ObjectType

    def __str__(self) -> str:
        return f"{self.from_} → {self.to}"

    @property
    def key(self) -> tuple[str, str]:
        """The two object type IDs."""
        return (self.from_.id, self.to.id)


class TypeKey(NamedTuple):
    """Category and type ID: names an association type within a direction.

    Type IDs are unique within a category only: a user-defined and a HubSpot-defined 279 were
    seen on one account (observed). A tuple: a plan looks keys up so often that hashing them counts.
    """

    category: Category
    type_id: int

    def __str__(self) -> str:
        return f"{self.category}/{self.type_id}"


@dataclass(frozen=True, slots=True)
class AssociationType:
    """An association type as the portal lists it; `label` None: the unlabelled type."""

    key: TypeKey
    label: str | None

    def __str__(self) -> str:
        return "object limit" if self.label is None else self.label

    @property
    def quoted(self) -> str:
        """The type within a sentence: `"Billing contact"`, `the object limit`."""
        return "the object limit" if self.label is None else f'"{self.label}"'

    @property
    def pruned_when_unnamed(self) -> bool:
        """Whether a declared direction that does not name this type's limit removes it.

        Types that HubSpot, integrations or WORK define under a label are touched only when named.
        """
        return self.label is None or self.key.category is Category.USER_DEFINED


# ---------------------------------------------------------------- desired: what the files say


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """Names the unlabelled type of a direction: the object limit."""

    category: Category | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """Names a type by the label HubSpot shows, distinguished by `category` where two share it."""

    text: str
    category: Category | None = None


@dataclass(frozen=True, slots=True)
class ByTypeId:
    """Names what no label can: a type by category and type ID."""

    key: TypeKey


Selector = Unlabelled | Label | ByTypeId


@dataclass(frozen=True, slots=True)
class DesiredLimit:
    """One limit as a file states it. `max` None: unlimited."""

    selector: Selector
    max: int | None
    place: Place
    protect: bool = False
    reason: str | None = None
    name_place: Place | None = field(default=None, compare=False)

    @property
    def named_at(self) -> Place:
        """Where the label, or what else names the type, is; `place` is that of the value."""
        return self.name_place or self.place


@dataclass(frozen=True, slots=True)
class DesiredDirection:
    """All that the files say of one direction; `prune` False keeps what they do not name."""

    from_: ObjectReference
    to: ObjectReference
    limits: tuple[DesiredLimit, ...]
    prune: bool
    place: Place
    from_place: Place | None = field(default=None, compare=False)
    to_place: Place | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.from_} → {self.to}"

    @property
    def sides(self) -> tuple[tuple[ObjectReference, Place], tuple[ObjectReference, Place]]:
        """The two object types, each with the place of the word that names it."""
        from_place, to_place = self.from_place or self.place, self.to_place or self.place
        return ((self.from_, from_place), (self.to, to_place))


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that was read, with the SHA-256 of its bytes in hexadecimal."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Desired:
    """The limits of all declared directions, and the files they came from.

    `complete` False: part of a past configuration could not be read, so what is missing here
    proves nothing.
    """

    directions: tuple[DesiredDirection, ...]
    files: tuple[ConfigFile, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ResolvedDirection:
    """A declared direction whose object types have their IDs."""

    direction: Direction
    limits: tuple[DesiredLimit, ...]
    prune: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Safety:
    """What one apply may do. `max_delete_percent` counts from 10 observed limits up."""

    max_deletes: int = 20
    max_delete_percent: int = 30
    max_changes: int = 500


# ---------------------------------------------------------------- observed: what the portal says


class AccountType(StrEnum):
    """HubSpot's account types (documented); `UNKNOWN` for one that came later."""

    STANDARD = "STANDARD"
    SANDBOX = "SANDBOX"
    DEVELOPER_TEST = "DEVELOPER_TEST"
    APP_DEVELOPER = "APP_DEVELOPER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Account:
    """The portal a token belongs to."""

    portal_id: int
    account_type: AccountType


@dataclass(frozen=True, slots=True)
class ObservedLimit:
    """A row of a direction's configurations. `max` None: the type has no limit."""

    type: AssociationType
    max: int | None


@dataclass(frozen=True, slots=True)
class NamelessLimit:
    """A row that leaves its label out, which is optional (documented) and does not mean null:
    only the labels can tell whether this is the unlabelled type.
    """

    key: TypeKey
    max: int | None


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A row that this version does not know how to read: reported, and its type never touched.

    `row` and `unknown` in words: the row, and what of it. `key`, `type` None: they are unknown.
    `stated`: category and type ID as they came. `in_force`: whether it states a limit.
    """

    row: str
    unknown: str
    key: TypeKey | None = None
    type: AssociationType | None = None
    stated: tuple[str, int] | None = None
    in_force: bool = True

    def __str__(self) -> str:
        return f"this version does not know {self.unknown} of {self.row}"


@dataclass(frozen=True, slots=True)
class LabelList:
    """The association types that the labels of one direction name, and the rows not understood."""

    types: tuple[AssociationType, ...]
    unknown: tuple[UnknownRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedDirection:
    """What the portal answered for one direction; `labels` None: they were not asked for."""

    direction: Direction
    limits: tuple[ObservedLimit, ...]
    labels: tuple[AssociationType, ...] | None = None
    nameless: tuple[NamelessLimit, ...] = ()
    unknown: tuple[UnknownRow, ...] = ()

    def with_labels(self, labels: LabelList) -> ObservedDirection:
        """The rows together with the labels; a row that these do not name either is unknown."""
        named = {each.key: each for each in labels.types}
        said = {row.type.key for row in self.limits} | {row.key for row in self.nameless}
        limits, unknown = [*self.limits], [*self.unknown]
        for row in self.nameless:
            if row.key in named:
                limits.append(ObservedLimit(named[row.key], row.max))
            else:
                in_force = row.max is not None
                unknown.append(UnknownRow(str(row.key), "the label", row.key, in_force=in_force))
        new = (row for row in labels.unknown if row not in self.unknown)
        unknown += (row for row in new if row.key not in said)
        return ObservedDirection(
            self.direction, tuple(limits), labels.types, unknown=tuple(unknown)
        )

    def values(self) -> dict[TypeKey, int]:
        """The limits in force, by type. Those of unknown rows are not among them."""
        known = {row.type.key: row.max for row in self.limits}
        nameless = {row.key: row.max for row in self.nameless}
        return {key: value for key, value in (known | nameless).items() if value is not None}

    def types(self) -> dict[TypeKey, AssociationType]:
        """Every association type the answers named."""
        known = {row.type.key: row.type for row in self.limits}
        odd = {row.key: row.type for row in self.unknown if row.key and row.type}
        return odd | known | {entry.key: entry for entry in self.labels or ()}

    @property
    def untouchable(self) -> frozenset[TypeKey]:
        """The types of unknown rows: what they hold now is not known, so nobody changes it."""
        return frozenset(row.key for row in self.unknown if row.key is not None)

    @property
    def unknown_limits(self) -> int:
        """How many unknown rows state a limit."""
        return sum(row.in_force for row in self.unknown)


@dataclass(frozen=True)
class Observed:
    """The account and the directions read."""

    account: Account
    directions: tuple[ObservedDirection, ...]

    @property
    def limits(self) -> int:
        """How many limits are in force in the directions read."""
        return sum(len(each.values()) + each.unknown_limits for each in self.directions)

    @cached_property
    def by_key(self) -> Mapping[tuple[str, str], ObservedDirection]:
        """The directions by their pair of object type IDs."""
        return {observed.direction.key: observed for observed in self.directions}
