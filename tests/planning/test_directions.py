"""Object types of declared directions get their IDs."""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigurationInvalid
from reconciler.model import (
    CustomName,
    CustomObject,
    DesiredDirection,
    ObjectReference,
    ObjectType,
    Place,
)
from reconciler.planning.directions import names_custom_objects, resolve_directions, try_resolve
from tests.planning.factory import COMPANIES, CONTACTS

CAR = CustomObject("2-4021", "car", "p1234567_car")
CARAVAN = CustomObject("2-4022", "caravan", "p1234567_caravan")


def direction(from_: ObjectReference, to: ObjectReference, line: int = 1) -> DesiredDirection:
    """A declaration without limits."""
    return DesiredDirection(from_, to, (), prune=True, place=Place("configs/a.yaml", line, 7))


def test_custom_names_are_resolved_per_portal() -> None:
    """Name, fully qualified name and ID are one object."""
    for reference in (
        CustomName("car"),
        CustomName("p1234567_car"),
        ObjectType("2-4021", "2-4021"),
    ):
        (found,) = resolve_directions([direction(CONTACTS, reference)], [CAR, CARAVAN])
        assert (found.direction.to.id, found.direction.to.name) == ("2-4021", "car")


def test_schemas_are_needed_only_for_custom_names() -> None:
    """Standard names and IDs know themselves."""
    assert not names_custom_objects([direction(CONTACTS, COMPANIES)])
    assert names_custom_objects([direction(CONTACTS, CustomName("car"))])


def test_an_unknown_custom_object_names_the_nearest() -> None:
    """At the declaration."""
    with pytest.raises(ConfigurationInvalid) as caught:
        resolve_directions([direction(CONTACTS, CustomName("cra"))], [CAR])
    (found,) = caught.value.diagnostics
    assert (found.code, found.hint) == ("object-type-unknown", "did you mean car?")


def test_two_names_of_one_object_declare_one_direction_twice() -> None:
    """Only the portal can tell; both places are named."""
    declared = [
        direction(CONTACTS, CustomName("car"), line=1),
        direction(CONTACTS, ObjectType("2-4021", "2-4021"), line=9),
    ]
    found = try_resolve(declared, [CAR]).diagnostics
    assert [(each.code, each.place.line) for each in found] == [("direction-duplicate", 9)]


def test_a_name_two_objects_share_is_ambiguous() -> None:
    """It takes an ID."""
    twin = CustomObject("2-1", "car", "p1_car")
    found = try_resolve([direction(CONTACTS, CustomName("car"))], [CAR, twin]).diagnostics
    assert [each.code for each in found] == ["object-type-ambiguous"]
