"""The label endpoints: the association types of a direction, and making, renaming, removing labels."""

from __future__ import annotations

from dataclasses import replace

from .bodies import optional_text, read_object, text, whole
from .configurations import inverse_key
from .history import Origin, Step
from .outcome import Outcome
from .portal import Associations, AssociationType, Category, Direction, Portal, TypeKey
from .problems import Problem, invalid, not_found
from .versions import Version
from .wire import Response, json_response


def read_labels(portal: Portal, direction: Direction, version: Version) -> Response:
    """All association types of a direction; some versions also tell the object types."""
    types = portal.associations(direction).types.values()
    return json_response(200, {"results": [_row(one, direction, version) for one in types]})


def create_label(portal: Portal, direction: Direction, version: Version, body: bytes) -> Outcome:
    """Make a user-defined label: single, or paired when the body has an `inverseLabel`.

    Between two object types each direction gets a type of its own. Between objects of one type a
    single label is one type, a pair is two types of that one direction (documented). Raises BadBody.
    """
    document = read_object(body)
    name, label = text(document, "name"), text(document, "label")
    inverse_label = optional_text(document, "inverseLabel")
    if name in _names(portal):
        return Outcome(invalid(f"An association type named {name} already exists."), portal)
    first_id = _next_type_id(portal)
    one_type_only = direction == direction.inverse and inverse_label is None
    second_id = first_id if one_type_only else first_id + 1
    first = AssociationType(Category.USER_DEFINED, first_id, label, second_id, name)
    second = AssociationType(
        Category.USER_DEFINED, second_id, inverse_label or label, first_id, name
    )
    made = (
        [(direction, first)] if one_type_only else [(direction, first), (direction.inverse, second)]
    )
    for place, one in made:
        portal = portal.with_associations(place, portal.associations(place).with_type(one))
    rows = [_row(one, place, version) for place, one in made]
    return Outcome(json_response(200, {"results": rows}), portal)


def update_label(portal: Portal, direction: Direction, body: bytes) -> Outcome:
    """Rename a user's label, and its inverse where the body names that. Raises BadBody."""
    document = read_object(body)
    key = TypeKey(Category.USER_DEFINED, whole(document, "associationTypeId", "body"))
    label, inverse_label = text(document, "label"), optional_text(document, "inverseLabel")
    found = portal.associations(direction).types.get(key)
    if found is None or found.label is None:
        return Outcome(_no_label(key.type_id), portal)
    portal = _with_label(portal, direction, found, label)
    inverse = _inverse(portal, direction, found)
    if inverse is not None and inverse_label is not None:
        portal = _with_label(portal, direction.inverse, inverse, inverse_label)
    return Outcome(Response(204), portal)


def delete_label(portal: Portal, direction: Direction, type_id: str) -> Outcome:
    """Remove a user's label, its inverse, and the limits of both."""
    number = int(type_id) if type_id.isascii() and type_id.isdigit() else -1
    found = portal.associations(direction).types.get(TypeKey(Category.USER_DEFINED, number))
    if found is None or found.label is None:
        return Outcome(_no_label(type_id), portal)
    inverse = _inverse(portal, direction, found)
    steps: list[Step] = []
    for place, one in ((direction, found), (direction.inverse, inverse)):
        if one is not None:
            before = portal.associations(place)
            after = before.without_type(one.key)
            steps.extend(_removal(place, one.key, before, after))
            portal = portal.with_associations(place, after)
    return Outcome(Response(204), portal, tuple(steps))


def _removal(
    direction: Direction, key: TypeKey, before: Associations, after: Associations
) -> list[Step]:
    if key not in before.limits:
        return []
    return [Step.between(direction, key, before, after, Origin.REQUEST)]


def _with_label(
    portal: Portal, direction: Direction, association_type: AssociationType, label: str
) -> Portal:
    renamed = replace(association_type, label=label)
    return portal.with_associations(direction, portal.associations(direction).with_type(renamed))


def _inverse(
    portal: Portal, direction: Direction, association_type: AssociationType
) -> AssociationType | None:
    """The type of the inverse direction that was made together with this one."""
    key = inverse_key(association_type)
    if key is None or key == association_type.key:
        return None
    return portal.associations(direction.inverse).types.get(key)


def _no_label(type_id: object) -> Problem:
    return not_found(f"This direction has no label of your own with the type ID {type_id}.")


def _next_type_id(portal: Portal) -> int:
    """One above every user-defined type ID of the portal, which are unique within it (documented)."""
    used = (
        key.type_id
        for associations in portal.directions.values()
        for key in associations.types
        if key.category is Category.USER_DEFINED
    )
    return max(used, default=0) + 1


def _names(portal: Portal) -> frozenset[str]:
    return frozenset(
        one.name
        for associations in portal.directions.values()
        for one in associations.types.values()
        if one.name is not None
    )


def _row(one: AssociationType, direction: Direction, version: Version) -> dict[str, object]:
    row: dict[str, object] = {
        "category": one.category.value,
        "typeId": one.type_id,
        "label": one.label,
    }
    if version.labels_tell_object_types:
        row |= {"fromObjectTypeId": direction.from_id, "toObjectTypeId": direction.to_id}
    return row
