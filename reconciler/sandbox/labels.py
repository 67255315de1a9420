"""The label endpoints: the association types of a direction, and making, renaming, removing labels."""

from __future__ import annotations

from dataclasses import replace

from .bodies import optional_text, read_object, text, whole
from .configurations import inverse_key
from .portal import Associations, AssociationType, Category, Direction, Portal, TypeKey
from .routes import Version
from .state import Origin, Outcome, Step
from .wire import Problem, Response, invalid, json_response, not_found, too_many_labels

_LABELS_OF_A_PAIR = 50


def read_labels(portal: Portal, direction: Direction, version: Version) -> Response:
    """All association types of a direction; some versions also name the object types."""
    types = portal.associations(direction).types.values()
    return json_response(200, {"results": [_row(one, direction, version) for one in types]})


def create_label(portal: Portal, direction: Direction, version: Version, body: bytes) -> Outcome:
    """Make a user-defined label: single, or paired when the body has an `inverseLabel`.

    Between two object types each direction gets a type of its own. Between objects of one type a
    single label is one type, a pair is two types of that one direction (documented). The first
    label of a pair that has no plain type makes that as well, and the label "" makes it alone;
    a pair has at most 50 labels (all three observed). Raises BadBody.
    """
    document = read_object(body)
    name = text(document, "name")
    if name in _names(portal):
        return Outcome(invalid(f"An association type named {name} already exists."), portal)
    makes_plain = document.get("label") == ""
    if makes_plain and _has_plain(portal, direction):
        return Outcome(invalid("This pair already has an association without a label."), portal)
    if not makes_plain and len(_user_labels(portal, direction)) >= _LABELS_OF_A_PAIR:
        return Outcome(too_many_labels(_LABELS_OF_A_PAIR), portal)
    if makes_plain:
        portal, made = _with_pair(portal, direction, None, None, name)
    else:
        label, inverse_label = text(document, "label"), optional_text(document, "inverseLabel")
        if not _has_plain(portal, direction):
            portal, _ = _with_pair(portal, direction, None, None, None)
        portal, made = _with_pair(portal, direction, label, inverse_label, name)
    rows = [_row(one, place, version) for place, one in made]
    return Outcome(json_response(200, {"results": rows}), portal)


def _with_pair(
    portal: Portal,
    direction: Direction,
    label: str | None,
    inverse_label: str | None,
    name: str | None,
) -> tuple[Portal, list[tuple[Direction, AssociationType]]]:
    """The portal with a new user-defined type each way, or one for both ways."""
    first_id = _next_type_id(portal)
    is_one = direction == direction.inverse and inverse_label is None
    second_id = first_id if is_one else first_id + 1
    there = AssociationType(Category.USER_DEFINED, first_id, label, second_id, name)
    back = AssociationType(Category.USER_DEFINED, second_id, inverse_label or label, first_id, name)
    made = [(direction, there)] if is_one else [(direction, there), (direction.inverse, back)]
    for place, one in made:
        portal = portal.with_associations(place, portal.associations(place).with_type(one))
    return portal, made


def update_label(portal: Portal, direction: Direction, body: bytes) -> Outcome:
    """Rename a user's label both ways. Raises BadBody.

    Without an `inverseLabel` both sides get the same text (observed).
    """
    document = read_object(body)
    key = TypeKey(Category.USER_DEFINED, whole(document, "associationTypeId", "body"))
    label = text(document, "label")
    inverse_label = optional_text(document, "inverseLabel") or label
    found = portal.associations(direction).types.get(key)
    if found is None or found.label is None:
        return Outcome(_no_label(key.type_id), portal)
    portal = _with_label(portal, direction, found, label)
    inverse = _inverse(portal, direction, found)
    if inverse is not None:
        portal = _with_label(portal, direction.inverse, inverse, inverse_label)
    return Outcome(Response(204), portal)


def delete_label(portal: Portal, direction: Direction, type_id: str) -> Outcome:
    """Remove a user's type by its own ID or its inverse's, both ways, with the limits of both.

    The plain type stays as long as the pair has labels: 400. All of it is observed.
    """
    place, found = _by_either_id(portal, direction, type_id)
    if found is None:
        return Outcome(_no_label(type_id), portal)
    if found.label is None and _user_labels(portal, direction):
        message = "The association without a label cannot be deleted while the pair has labels."
        return Outcome(invalid(message), portal)
    inverse = _inverse(portal, place, found)
    steps: list[Step] = []
    for there, one in ((place, found), (place.inverse, inverse)):
        if one is not None:
            before = portal.associations(there)
            after = before.without_type(one.key)
            steps.extend(_removal(there, one.key, before, after))
            portal = portal.with_associations(there, after)
    return Outcome(Response(204), portal, tuple(steps))


def _by_either_id(
    portal: Portal, direction: Direction, type_id: str
) -> tuple[Direction, AssociationType | None]:
    """A user's type of the direction or, if it has none of this ID, of the inverse direction."""
    # Ten digits hold 32 bits, and int() refuses some thousands of them.
    is_number = type_id.isascii() and type_id.isdigit() and len(type_id) <= 10
    number = int(type_id) if is_number else -1
    key = TypeKey(Category.USER_DEFINED, number)
    there = portal.associations(direction).types.get(key)
    if there is not None:
        return direction, there
    return direction.inverse, portal.associations(direction.inverse).types.get(key)


def _has_plain(portal: Portal, direction: Direction) -> bool:
    """Whether the pair can do without a plain type of the user's.

    Between two standard object types the plain type is always HubSpot's own (observed).
    """
    if not any(portal.object_types.with_id(id_).is_custom for id_ in direction):
        return True
    return any(one.label is None for one in portal.associations(direction).types.values())


def _user_labels(portal: Portal, direction: Direction) -> frozenset[frozenset[int | None]]:
    """The user's labels of a pair, each with the type IDs of both ways."""
    return frozenset(
        frozenset({one.type_id, one.inverse_id})
        for one in portal.associations(direction).types.values()
        if one.category is Category.USER_DEFINED and one.label is not None
    )


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
    if version.labels_name_object_types:
        row |= {"fromObjectTypeId": direction.from_id, "toObjectTypeId": direction.to_id}
    return row
