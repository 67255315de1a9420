"""Object types and the names by which a path may call them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


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
