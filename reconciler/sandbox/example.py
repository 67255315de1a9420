"""The portals to start from: HubSpot's own types, an example account, and a generated large one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TypedDict

from .portal import (
    AccountType,
    Associations,
    AssociationType,
    Category,
    Direction,
    ObjectType,
    ObjectTypes,
    Portal,
    Usage,
)


class _ObjectTypeRow(TypedDict):
    id: str
    singular: str
    plural: str


# The functional form, because one of the keys is a Python keyword.
_TypeRow = TypedDict(
    "_TypeRow",
    {"type_id": int, "from": str, "to": str, "label": str | None, "inverse": int | None},
)


@cache
def standard_object_types() -> ObjectTypes:
    """The object types that every portal has."""
    rows: list[_ObjectTypeRow] = json.loads(_data("object_types.json"))
    return ObjectTypes(ObjectType(row["id"], row["singular"], row["plural"]) for row in rows)


@cache
def standard_directions() -> Mapping[Direction, Associations]:
    """The HubSpot-defined association types of every direction; none of them has a limit."""
    rows: list[_TypeRow] = json.loads(_data("association_types.json"))
    ids = {object_type.singular: object_type.id for object_type in standard_object_types()}
    directions: dict[Direction, Associations] = {}
    for row in rows:
        direction = Direction(ids[row["from"]], ids[row["to"]])
        one = AssociationType(
            Category.HUBSPOT_DEFINED, row["type_id"], row["label"], row["inverse"]
        )
        directions[direction] = directions.get(direction, Associations()).with_type(one)
    return directions


def _data(name: str) -> str:
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")


PORTAL_ID = 1234567

# From, to, label there, label back, type ID there, type ID back. No label: the unlabelled type of
# a custom object, which is user-defined. 279 is a type ID of HubSpot's too, as was observed.
_USER_TYPES: tuple[tuple[str, str, str | None, str | None, int, int], ...] = (
    ("contacts", "companies", "Billing contact", "Billing contact", 28, 29),
    ("contacts", "companies", "Decision maker", "Decision maker", 30, 31),
    ("deals", "contacts", "Champion", "Champion", 32, 33),
    ("contacts", "contacts", "Manager", "Employee", 34, 35),
    ("contacts", "contacts", "Sibling", "Sibling", 36, 36),
    # HubSpot's own types 1226 and 1227 read the same: a label that two categories share.
    ("quotes", "contacts", "Quote to billing contact", "Billing contact to quote", 37, 38),
    ("2-4021", "contacts", None, None, 40, 41),
    ("2-4021", "companies", None, None, 42, 279),
    ("deals", "companies", "Reseller", "Resold deal", 43, 44),
    ("2-4021", "contacts", "Driver", "Company car", 45, 46),
)

_LIMITS = (
    ("contacts", "companies", 279, 5),
    ("contacts", "companies", 28, 1),
    ("companies", "contacts", 29, 2),
    ("deals", "contacts", 32, 1),
    ("contacts", "contacts", 34, 1),
    ("2-4021", "contacts", 40, 4),
)


def bare_portal(
    portal_id: int = PORTAL_ID, account_type: AccountType = AccountType.STANDARD
) -> Portal:
    """A portal with HubSpot's own types and nothing else: no label, no limit."""
    return Portal(portal_id, account_type, standard_object_types(), standard_directions())


def empty_portal(
    portal_id: int = PORTAL_ID, account_type: AccountType = AccountType.STANDARD
) -> Portal:
    """A portal with the standard object types and no association type at all."""
    return Portal(portal_id, account_type, standard_object_types())


def example_portal(portal_id: int = PORTAL_ID) -> Portal:
    """An account with labels of every kind, a custom object type `car` and a few limits."""
    portal = bare_portal(portal_id)
    car = ObjectType("2-4021", "car", "cars", f"p{portal_id}_car")
    portal = replace(portal, object_types=portal.object_types.extended([car]))
    for start, end, label, inverse_label, type_id, inverse_id in _USER_TYPES:
        there = AssociationType(Category.USER_DEFINED, type_id, label, inverse_id)
        back = AssociationType(Category.USER_DEFINED, inverse_id, inverse_label, type_id)
        portal = portal.with_type(start, end, there).with_type(end, start, back)
    imported = AssociationType(Category.INTEGRATOR_DEFINED, 7, "Imported buyer")
    portal = portal.with_type("orders", "contacts", imported)
    for start, end, type_id, maximum in _LIMITS:
        portal = portal.with_limit(start, end, type_id, maximum)
    return _with_usage(portal, "contacts", "companies", Usage(at_limit=12, near_limit=40))


def generated_portal(directions: int, labels: int, *, limit: int | None = 1) -> Portal:
    """A portal of custom object types with so many directions of so many labels each.

    Every direction has an unlabelled type and that many labels named `Label 1`, `Label 2`, …; with
    a `limit`, each label has it and the object limit is 1,000 above.
    """
    # The smallest number of object types whose ordered pairs are enough.
    count = next(n for n in range(2, directions + 2) if n * (n - 1) >= directions)
    custom = [
        ObjectType(f"2-{9000 + n}", f"thing{n}", f"things{n}", f"p{PORTAL_ID}_thing{n}")
        for n in range(count)
    ]
    pairs = [Direction(one.id, other.id) for one in custom for other in custom if one != other]
    made = {
        direction: _generated(number * (labels + 1) + 1, labels, limit)
        for number, direction in enumerate(pairs[:directions])
    }
    object_types = ObjectTypes((*standard_object_types(), *custom))
    return Portal(PORTAL_ID, AccountType.STANDARD, object_types, made)


def _generated(first_id: int, labels: int, limit: int | None) -> Associations:
    names = (None, *(f"Label {number}" for number in range(1, labels + 1)))
    types = [
        AssociationType(Category.USER_DEFINED, first_id + offset, name)
        for offset, name in enumerate(names)
    ]
    limits = {} if limit is None else dict.fromkeys((one.key for one in types[1:]), limit)
    if limit is not None:
        limits = {types[0].key: limit + 1_000, **limits}
    return Associations({one.key: one for one in types}, limits)


def _with_usage(portal: Portal, from_name: str, to_name: str, usage: Usage) -> Portal:
    direction = portal.direction(from_name, to_name)
    associations = replace(portal.associations(direction), usage=usage)
    return portal.with_associations(direction, associations)
