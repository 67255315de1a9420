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
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from .example import bare_portal, empty_portal, example_portal, generated_portal
from .fields import Fields, SeedError
from .object_types import ObjectType
from .portal import (
    Associations,
    AssociationType,
    Category,
    Direction,
    Portal,
    Usage,
    only_key,
)

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
