"""A portal as a JSON document: what `--seed` reads and a state file holds.

    {
      "extends": "hubspot",
      "portal": {"id": 1234567, "account_type": "STANDARD"},
      "object_types": [
        {"id": "2-4021", "singular": "car", "plural": "cars", "fully_qualified_name": "p1234567_car"}
      ],
      "types": [
        {"from": "contacts", "to": "companies", "category": "USER_DEFINED", "type_id": 28,
         "label": "Billing contact", "inverse": 29, "name": "billing_contact", "max": 1}
      ],
      "limits": [
        {"from": "contacts", "to": "companies", "category": "HUBSPOT_DEFINED", "type_id": 279, "max": 5}
      ],
      "usage": [{"from": "contacts", "to": "companies", "at_limit": 12, "near_limit": 40}]
    }

Every key may be absent. `extends` is what the rest is added to: `hubspot`, HubSpot's own types
(the default); `example`, the example account; `nothing`, the standard object types alone; or
`{"directions": 400, "labels": 50, "limit": 1}`, that many generated directions with that many
labels each, `limit` null or absent for no limits. A type of the same direction, category and ID is
replaced. In `types`, `category` is USER_DEFINED unless given, `label` absent or null is the
unlabelled type, `inverse` the type ID in the inverse direction, `max` its limit. In `limits`,
`category` may be absent where one type of the direction has the ID. HubSpot's rules are not asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from .example import bare_portal, empty_portal, example_portal, generated_portal
from .portal import (
    Associations,
    AssociationType,
    Category,
    Direction,
    ObjectType,
    Portal,
    Usage,
    only_key,
)

_Choice = TypeVar("_Choice", bound=StrEnum)


class SeedError(ValueError):
    """A seed that cannot be read; the message names the place in it."""


class Fields:
    """The keys of one JSON object. Reading one takes it; what is left in the end is unknown."""

    def __init__(self, document: Any, place: str) -> None:
        if not isinstance(document, dict):
            raise SeedError(f"{place} must be an object.")
        self._document = dict(document)
        self.place = place

    def refuse_rest(self) -> None:
        """Raises SeedError for a key that nothing has read."""
        if self._document:
            raise SeedError(
                f"{self.place} has unknown keys: {', '.join(map(str, self._document))}."
            )

    def text(self, key: str) -> str:
        value = self.optional_text(key)
        if value is None:
            raise SeedError(f"{self.place}.{key} is missing.")
        return value

    def optional_text(self, key: str) -> str | None:
        value = self._document.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise SeedError(f"{self.place}.{key} must be a text.")
        return value

    def whole(self, key: str) -> int:
        value = self.optional_whole(key)
        if value is None:
            raise SeedError(f"{self.place}.{key} is missing.")
        return value

    def optional_whole(self, key: str) -> int | None:
        value = self._document.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise SeedError(f"{self.place}.{key} must be a whole number from 0.")
        return value

    def choice(self, key: str, default: _Choice) -> _Choice:
        """One of the values of the default's enumeration."""
        chosen = self.optional_choice(key, type(default))
        return default if chosen is None else chosen

    def optional_choice(self, key: str, kind: type[_Choice]) -> _Choice | None:
        """One of the values of an enumeration."""
        value = self.optional_text(key)
        if value is None:
            return None
        if value not in frozenset(kind):
            raise SeedError(f"{self.place}.{key} is one of {', '.join(kind)}, not {value}.")
        return kind(value)

    def is_object(self, key: str) -> bool:
        return isinstance(self._document.get(key), dict)

    def object(self, key: str) -> Fields:
        return Fields(self._document.pop(key, None), f"{self.place}.{key}")

    def optional_object(self, key: str) -> Fields | None:
        return self.object(key) if key in self._document else None

    def objects(self, key: str) -> Iterator[Fields]:
        """The objects of a list; none when the key is absent."""
        values = self._document.pop(key, [])
        if not isinstance(values, list):
            raise SeedError(f"{self.place}.{key} must be a list.")
        for position, value in enumerate(values):
            yield Fields(value, f"{self.place}.{key}[{position}]")


__all__ = ["SeedError", "direction_document", "load_seed", "portal_document", "portal_from"]

_BASES: Mapping[str, Callable[[], Portal]] = {
    "hubspot": bare_portal,
    "example": example_portal,
    "nothing": empty_portal,
}


_LARGEST_SEED = 64 * 2**20


def load_seed(path: Path) -> Portal:
    """The portal of a seed file. Raises SeedError, or OSError when it cannot be read."""
    with path.open("rb") as file:
        content = file.read(_LARGEST_SEED + 1)
    if len(content) > _LARGEST_SEED:
        raise SeedError(f"{path} is larger than {_LARGEST_SEED // 2**20} MiB.")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SeedError(f"{path} is not valid JSON: {error}") from error
    return portal_from(document)


def portal_from(document: object) -> Portal:
    """The portal of a seed document. Raises SeedError."""
    fields = Fields(document, "seed")
    portal = _base(fields)
    about = fields.optional_object("portal")
    if about is not None:
        number = about.optional_whole("id")
        portal = replace(
            portal,
            portal_id=portal.portal_id if number is None else number,
            account_type=about.choice("account_type", portal.account_type),
        )
        about.refuse_rest()
    custom = [_object_type(one) for one in fields.objects("object_types")]
    portal = replace(portal, object_types=portal.object_types.extended(custom))
    directions = _with_types(portal, fields)
    _add_limits(portal, directions, fields)
    _add_usage(portal, directions, fields)
    fields.refuse_rest()
    return replace(portal, directions=directions)


def portal_document(portal: Portal) -> dict[str, object]:
    """The portal without its directions, as a seed document that extends nothing."""
    return {
        "extends": "nothing",
        "portal": {"id": portal.portal_id, "account_type": portal.account_type.value},
        "object_types": [
            {
                "id": one.id,
                "singular": one.singular,
                "plural": one.plural,
                "fully_qualified_name": one.fully_qualified_name,
            }
            for one in portal.object_types
        ],
    }


def direction_document(direction: Direction, associations: Associations) -> dict[str, object]:
    """One direction, as the `types` and `usage` of a seed document."""
    ends = {"from": direction.from_id, "to": direction.to_id}
    usage = associations.usage
    return {
        "types": [
            {
                **ends,
                "category": one.category.value,
                "type_id": one.type_id,
                "label": one.label,
                "inverse": one.inverse_id,
                "name": one.name,
                "max": associations.limits.get(one.key),
            }
            for one in associations.types.values()
        ],
        "usage": [{**ends, "at_limit": usage.at_limit, "near_limit": usage.near_limit}],
    }


def _base(fields: Fields) -> Portal:
    """What the document extends: a name, or an object that says how much to generate."""
    if not fields.is_object("extends"):
        name = fields.optional_text("extends") or "hubspot"
        if name not in _BASES:
            raise SeedError(f"{fields.place}.extends is one of {', '.join(_BASES)}, not {name}.")
        return _BASES[name]()
    size = fields.object("extends")
    directions, labels = size.whole("directions"), size.whole("labels")
    limit = size.optional_whole("limit")
    size.refuse_rest()
    return generated_portal(directions, labels, limit=limit)


def _object_type(fields: Fields) -> ObjectType:
    one = ObjectType(
        fields.text("id"),
        fields.text("singular"),
        fields.text("plural"),
        fields.optional_text("fully_qualified_name"),
    )
    fields.refuse_rest()
    return one


def _direction(portal: Portal, fields: Fields) -> Direction:
    try:
        return portal.direction(fields.text("from"), fields.text("to"))
    except LookupError as error:
        raise SeedError(f"{fields.place}: {error}") from error


def _with_types(portal: Portal, fields: Fields) -> dict[Direction, Associations]:
    """The directions of the portal and those of the document."""
    types = {direction: {**one.types} for direction, one in portal.directions.items()}
    limits = {direction: {**one.limits} for direction, one in portal.directions.items()}
    for entry in fields.objects("types"):
        direction = _direction(portal, entry)
        one = AssociationType(
            entry.choice("category", Category.USER_DEFINED),
            entry.whole("type_id"),
            entry.optional_text("label"),
            entry.optional_whole("inverse"),
            entry.optional_text("name"),
        )
        maximum = entry.optional_whole("max")
        entry.refuse_rest()
        types.setdefault(direction, {})[one.key] = one
        limits.setdefault(direction, {}).pop(one.key, None)
        if maximum is not None:
            limits[direction][one.key] = maximum
    return {
        direction: replace(portal.associations(direction), types=known, limits=limits[direction])
        for direction, known in types.items()
    }


def _add_limits(portal: Portal, directions: dict[Direction, Associations], fields: Fields) -> None:
    for entry in fields.objects("limits"):
        direction = _direction(portal, entry)
        associations = directions.get(direction, Associations())
        category = entry.optional_choice("category", Category)
        try:
            key = only_key(associations, entry.whole("type_id"), category)
        except LookupError as error:
            raise SeedError(f"{entry.place}: {error}") from error
        directions[direction] = associations.with_limit(key, entry.optional_whole("max"))
        entry.refuse_rest()


def _add_usage(portal: Portal, directions: dict[Direction, Associations], fields: Fields) -> None:
    for entry in fields.objects("usage"):
        direction = _direction(portal, entry)
        usage = Usage(
            entry.optional_whole("at_limit") or 0, entry.optional_whole("near_limit") or 0
        )
        entry.refuse_rest()
        directions[direction] = replace(directions.get(direction, Associations()), usage=usage)
