"""HubSpot's own object types and association types, as every portal has them.

The table is built from HubSpot's documentation and two of its SDKs. `Primary` is the documented
label of those types; of the other labelled ones HubSpot documents a description and no label, and
the description stands in for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypedDict

from .object_types import ObjectType, ObjectTypes
from .portal import Associations, AssociationType, Category, Direction


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
