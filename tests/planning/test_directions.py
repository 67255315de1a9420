"""Object types of declared directions get their IDs."""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigurationInvalid
from reconciler.model.limits import (
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


PROJECT = CustomObject("2-777", "project", "p1234567_project")
PROJECTS = ObjectType("0-970", "projects", ("project", "projects"), often_custom=True)
TICKETS = ObjectType("0-5", "tickets", ("ticket", "tickets"))


def test_a_name_that_a_custom_object_has_too_is_ambiguous() -> None:
    """Both IDs are offered; nobody is to guess which of the two is meant."""
    found = try_resolve([direction(CONTACTS, PROJECTS)], [CAR, PROJECT]).diagnostics
    assert [each.code for each in found] == ["object-type-ambiguous"]
    assert found[0].message == (
        '"projects" could mean HubSpot\'s projects (0-970) or the custom object project (2-777) '
        "of this portal"
    )
    assert found[0].hint == "write the object type ID: 0-970 or 2-777"


def test_any_standard_name_is_ambiguous_once_the_custom_objects_are_known() -> None:
    """They may be read for another name."""
    ticket = CustomObject("2-5", "TICKET", "p1234567_ticket")
    found = try_resolve([direction(TICKETS, CustomName("car"))], [CAR, ticket]).diagnostics
    assert [each.code for each in found] == ["object-type-ambiguous"]


def test_ids_and_full_names_are_never_ambiguous() -> None:
    """And two types of one name are not shown by the same one."""
    standard = ObjectType("0-970", "projects")
    namesake = CustomObject("2-778", "projects", "p1234567_projects")
    for custom in (ObjectType("2-778", "2-778"), CustomName("p1234567_projects")):
        declared = [direction(CONTACTS, standard, 1), direction(CONTACTS, custom, 9)]
        shown = [str(each.direction.to) for each in resolve_directions(declared, [namesake])]
        assert shown == ["projects", "p1234567_projects"]


def test_a_standard_name_without_a_namesake_is_the_standard_type() -> None:
    """As HubSpot takes it."""
    (found,) = resolve_directions([direction(CONTACTS, PROJECTS)], [CAR])
    assert found.direction.to == ObjectType("0-970", "projects")


def test_schemas_are_needed_for_names_that_custom_objects_often_have() -> None:
    """Not for contacts, companies and deals, which every portal has had from the start."""
    assert names_custom_objects([direction(CONTACTS, PROJECTS)])
    assert not names_custom_objects([direction(CONTACTS, TICKETS)])
    assert not names_custom_objects([direction(CONTACTS, ObjectType("0-970", "projects"))])
