"""The portal as one frozen value: object types, association types, limits and usage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object type of a portal. Custom object types alone have a fully qualified name."""

    id: str
    singular: str
    plural: str
    fully_qualified_name: str | None = None

    @property
    def is_custom(self) -> bool:
        return self.fully_qualified_name is not None

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names HubSpot takes in a path.

        Standard object types go by type ID and by singular or plural name. A custom one goes by type
        ID and fully qualified name, `p123_car`; its bare name is refused. All of it is observed.
        """
        if self.fully_qualified_name is None:
            return self.id, self.singular, self.plural
        return self.id, self.fully_qualified_name


class ObjectTypes:
    """A portal's object types, found by any name that HubSpot takes, in any case."""

    def __init__(self, object_types: Iterable[ObjectType]) -> None:
        self._by_id = {object_type.id: object_type for object_type in object_types}
        self._by_name = {
            name.lower(): object_type
            for object_type in self._by_id.values()
            for name in object_type.path_names
        }

    def __iter__(self) -> Iterator[ObjectType]:
        return iter(self._by_id.values())

    def find(self, name: str) -> ObjectType | None:
        return self._by_name.get(name.lower())

    def with_id(self, object_type_id: str) -> ObjectType:
        return self._by_id[object_type_id]

    def extended(self, object_types: Iterable[ObjectType]) -> ObjectTypes:
        """These object types and more; an object type of the same ID is replaced."""
        return ObjectTypes((*self, *object_types))


class Category(StrEnum):
    """Who defined an association type (documented)."""

    HUBSPOT_DEFINED = "HUBSPOT_DEFINED"
    USER_DEFINED = "USER_DEFINED"
    INTEGRATOR_DEFINED = "INTEGRATOR_DEFINED"
    WORK = "WORK"


class AccountType(StrEnum):
    """The kinds of HubSpot account (documented)."""

    STANDARD = "STANDARD"
    SANDBOX = "SANDBOX"
    DEVELOPER_TEST = "DEVELOPER_TEST"
    APP_DEVELOPER = "APP_DEVELOPER"


class TypeKey(NamedTuple):
    """An association type within its direction. The type ID alone is not unique (observed)."""

    category: Category
    type_id: int


class Direction(NamedTuple):
    """An ordered pair of object type IDs."""

    from_id: str
    to_id: str

    @property
    def inverse(self) -> Direction:
        return Direction(self.to_id, self.from_id)


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One association type of a direction; `label` None: the unlabelled type.

    `inverse_id` is the type ID of the same category that the inverse direction uses. Between two
    objects of one type, an unlabelled or symmetric type is its own inverse and so has one limit
    for both ways, while an asymmetric pair is two types of the one direction (documented).
    """

    category: Category
    type_id: int
    label: str | None = None
    inverse_id: int | None = None
    name: str | None = None

    @property
    def key(self) -> TypeKey:
        return TypeKey(self.category, self.type_id)


@dataclass(frozen=True, slots=True)
class Usage:
    """How many records of a direction are at their limit, and how many near it."""

    at_limit: int = 0
    near_limit: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Associations:
    """What one direction has: association types, limits of some of them, and usage.

    Two of them are equal only if they are the same one, so that answers made from one can be
    remembered by it.
    """

    types: Mapping[TypeKey, AssociationType] = field(default_factory=dict)
    limits: Mapping[TypeKey, int] = field(default_factory=dict)
    usage: Usage = Usage()

    def with_type(self, association_type: AssociationType) -> Associations:
        return replace(self, types={**self.types, association_type.key: association_type})

    def without_type(self, key: TypeKey) -> Associations:
        """Without this type, and so without its limit."""
        types = {other: kept for other, kept in self.types.items() if other != key}
        return replace(self, types=types).with_limit(key, None)

    def with_limit(self, key: TypeKey, maximum: int | None) -> Associations:
        """With this limit in place of the type's own; None: no limit."""
        limits = {**self.limits}
        if maximum is None:
            limits.pop(key, None)
        else:
            limits[key] = maximum
        return replace(self, limits=limits)

    @property
    def object_limit(self) -> int | None:
        """The limit of all associations of the direction: that of its unlabelled type."""
        return min(self._limits_where(labelled=False), default=None)

    @property
    def highest_label_limit(self) -> int | None:
        return max(self._limits_where(labelled=True), default=None)

    @property
    def breaks_rule(self) -> bool:
        """Whether a label limit stands above the object limit, which HubSpot never allows."""
        above, below = self.highest_label_limit, self.object_limit
        return above is not None and below is not None and above > below

    def _limits_where(self, *, labelled: bool) -> Iterator[int]:
        for key, maximum in self.limits.items():
            if (self.types[key].label is not None) is labelled:
                yield maximum


NOTHING = Associations()


class UnknownObjectTypeError(LookupError):
    """No object type of the portal goes by this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Unable to infer object type from: {name}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Portal:
    """One HubSpot account, as far as association limits go. Changing it makes another value."""

    portal_id: int
    account_type: AccountType
    object_types: ObjectTypes
    directions: Mapping[Direction, Associations] = field(default_factory=dict)

    def direction(self, from_name: str, to_name: str) -> Direction:
        """The direction of two object types under any names that HubSpot takes.

        Raises UnknownObjectTypeError for a name that HubSpot would not take either.
        """
        return Direction(self._object_type_id(from_name), self._object_type_id(to_name))

    def associations(self, direction: Direction) -> Associations:
        return self.directions.get(direction, NOTHING)

    def limits(self, from_name: str, to_name: str) -> dict[tuple[str, int], int]:
        """The limits of one direction by (category, type ID): a plain value to compare with."""
        limits = self.associations(self.direction(from_name, to_name)).limits
        return {(key.category.value, key.type_id): maximum for key, maximum in limits.items()}

    def with_associations(self, direction: Direction, associations: Associations) -> Portal:
        return replace(self, directions={**self.directions, direction: associations})

    def with_type(self, from_name: str, to_name: str, association_type: AssociationType) -> Portal:
        direction = self.direction(from_name, to_name)
        changed = self.associations(direction).with_type(association_type)
        return self.with_associations(direction, changed)

    def with_limit(
        self,
        from_name: str,
        to_name: str,
        type_id: int,
        maximum: int | None,
        category: Category | None = None,
    ) -> Portal:
        """With one limit changed as somebody would in HubSpot; None: no limit.

        Raises LookupError unless the direction has exactly one such type.
        """
        direction = self.direction(from_name, to_name)
        associations = self.associations(direction)
        key = only_key(associations, type_id, category)
        return self.with_associations(direction, associations.with_limit(key, maximum))

    def _object_type_id(self, name: str) -> str:
        found = self.object_types.find(name)
        if found is None:
            raise UnknownObjectTypeError(name)
        return found.id


def only_key(associations: Associations, type_id: int, category: Category | None) -> TypeKey:
    """The key of a type given by its ID, and by its category where two categories share the ID.

    Raises LookupError when there is none, or more than one.
    """
    keys = [
        key
        for key in associations.types
        if key.type_id == type_id and category in (None, key.category)
    ]
    match keys:
        case [key]:
            return key
        case []:
            raise LookupError(f"This direction has no association type {type_id}.")
        case _:
            raise LookupError(f"Two categories of this direction have a type {type_id}: name one.")
